"""What a model writes, made fit for Discord: links that nobody asked for are inert, and nothing is ever cut off."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

LIMIT = 2000
"""https://discord.com/developers/docs/resources/message#create-message: `content`, up to 2000 characters."""
_FENCE = re.compile(r"^[ \t]*```([\w+#.-]{0,20})[^\n`]*$", re.MULTILINE)
# A closed block of whole lines, as `pieces` keeps it closed and Discord shows it: only there a link is no link.
_BLOCK = re.compile(r"^[ \t]*```[^\n`]*\n(?:(?!```).)*\n[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)
_MASKED = re.compile(r"\[([^\[\]\n]{0,200})\]\(\s*<?([^\s<>)]*)>?[^)\n]{0,200}\)")
_URL = re.compile(
    r"[a-z][a-z0-9+.-]{0,20}://[^\s<>`]*|\b(?:discord\.(?:gg|me)|dsc\.gg|discord(?:app)?\.com/invite)/[^\s<>`]*",
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
    """URLs that no requester wrote get slashes that only look like it: Discord neither links nor fetches them, wherever
    they stand. Blocks of code stay as they are.
    """
    parts: list[str] = []
    at = 0
    for block in _BLOCK.finditer(text):
        parts += [_inert(text[at : block.start()], own), block[0]]
        at = block.end()
    return "".join([*parts, _inert(text[at:], own)])


def _inert(text: str, own: OwnLinks) -> str:
    if "/" not in text and "](" not in text:
        return text
    # A link's text and its true address, side by side: the text could claim another one.
    return _URL.sub(lambda match: _shown(match[0], own), _MASKED.sub(r"\1 (\2)", text))


def _shown(found: str, own: OwnLinks) -> str:
    url = _bare(found)
    return found if url in own else url.replace("/", "∕") + found[len(url) :]


def _bare(found: str) -> str:
    """A URL without the punctuation of the sentence around it."""
    url = found.rstrip(_TRAILING)
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
        room = limit - len("\n```")
        if len(opening) + len(rest) <= room:
            closing = "" if _open_fence(rest, fence) is None else "\n```"
            found.append(opening + rest.rstrip() + closing)
            break
        at = _cut(rest, room - len(opening))
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
        at = window.rfind(border, 0, room if border == " " else None)
        if at >= least:
            return at if border != " " else at + 1
    return room


def _open_fence(text: str, fence: str | None) -> str | None:
    """The language of the code fence that is open at the end of ``text``; None outside of one."""
    for match in _FENCE.finditer(text):
        fence = match[1] if fence is None else None
    return fence
