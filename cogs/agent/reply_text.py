"""What a model writes, made fit for Discord: links that nobody asked for are inert, and nothing is ever cut off."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

LIMIT = 2000
"""https://discord.com/developers/docs/resources/message#create-message: `content`, up to 2000 characters."""
_FENCE = re.compile(r"^[ \t]*```([\w+#.-]{0,20})[^\n`]*$", re.MULTILINE)
_CODE = re.compile(r"```.*?(?:```|\Z)|(?<!`)(`{1,2})(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_MASKED = re.compile(
    r"\[([^\[\]\n]{0,200})\]\(\s*<?((?:[a-z][a-z0-9+.-]{1,20}:)?//[^\s<>)]*|[^\s<>)]*\.[^\s<>)]*)>?[^)\n]{0,200}\)?",
    re.IGNORECASE,
)
_URL = re.compile(
    r"<?(?:[a-z][a-z0-9+.-]{1,20}://|www\.)[^\s<>`]*>?|\b(?:discord\.(?:gg|com/invite)|dsc\.gg|discord\.me)/[^\s<>`]*",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?'\"*_~|"


@dataclass(frozen=True, slots=True)
class OwnLinks:
    """The URLs that the requester himself wrote, and the addresses of the guild's own messages."""

    urls: frozenset[str]
    jump_prefix: str

    @classmethod
    def of(cls, texts: Iterable[str], guild_id: int) -> OwnLinks:
        found = {_bare(match[0]) for text in texts for match in _URL.finditer(text)}
        return cls(frozenset(found), f"https://discord.com/channels/{guild_id}/")

    def __contains__(self, url: object) -> bool:
        if not isinstance(url, str):
            return False
        jumps = url.startswith(self.jump_prefix) and re.fullmatch(r"\d+(/\d+)?", url[len(self.jump_prefix) :])
        return url in self.urls or bool(jumps)


def inert(text: str, own: OwnLinks) -> str:
    """URLs that no requester wrote become code, which Discord neither links nor fetches. Code stays as it is."""
    parts: list[str] = []
    at = 0
    for code in _CODE.finditer(text):
        parts += [_inert(text[at : code.start()], own), code[0]]
        at = code.end()
    return "".join([*parts, _inert(text[at:], own)])


def _inert(text: str, own: OwnLinks) -> str:
    if "/" not in text and "www." not in text and "](" not in text:
        return text
    return _URL.sub(lambda match: _shown(match[0], own), _MASKED.sub(lambda match: _unmasked(match, own), text))


def _unmasked(match: re.Match[str], own: OwnLinks) -> str:
    """A link's text and its true address, side by side: the text could claim another one."""
    return f"{match[1]} ({match[2]})" if match[2] in own or _URL.match(match[2]) else f"{match[1]} (`{match[2]}`)"


def _shown(found: str, own: OwnLinks) -> str:
    url = _bare(found)
    if url in own:
        return found
    return f"`{url}`{found.strip('<>')[len(url) :]}"


def _bare(found: str) -> str:
    """A URL without the punctuation of the sentence around it."""
    url = found.strip("<>").rstrip(_TRAILING)
    while url.endswith(")") and url.count(")") > url.count("("):
        url = url[:-1].rstrip(_TRAILING)
    return url


def pieces(text: str, limit: int = LIMIT) -> list[str]:
    """A text in messages of at most ``limit`` characters, cut between paragraphs, else lines, else words. A code fence
    that a cut goes through is closed before it and opened again after.

    As a text grows, the pieces before its last one stay as they are.
    """
    found: list[str] = []
    rest, fence = text.strip("\n"), None
    while rest.strip():
        opening = "" if fence is None else f"```{fence}\n"
        room = limit - len(opening) - len("\n```")
        if len(opening) + len(rest) <= limit:
            found.append(opening + rest)
            break
        at = _cut(rest, room)
        head, rest = rest[:at].rstrip("\n"), rest[at:]
        fence = _open_fence(head, fence)
        # In code an empty line is part of it.
        rest = rest.lstrip("\n") if fence is None else rest.removeprefix("\n")
        if head.strip():
            found.append(opening + head + ("" if fence is None else "\n```"))
    return found


def _cut(text: str, room: int) -> int:
    """Where the first piece ends. A border that would leave it nearly empty is none."""
    window = text[: room + 1]
    for border, least in (("\n\n", room // 3), ("\n", room // 4), (" ", room // 2)):
        at = window.rfind(border)
        if at >= least:
            return at if border != " " else at + 1
    return room


def _open_fence(text: str, fence: str | None) -> str | None:
    """The language of the code fence that is open at the end of ``text``; None outside of one."""
    for match in _FENCE.finditer(text):
        fence = match[1] if fence is None else None
    return fence
