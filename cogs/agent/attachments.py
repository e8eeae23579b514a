"""Images and texts that come with a request, as blocks for the model. Fetched by the one fetcher, never decoded."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from cogs.agent.history import escaped
from cogs.agent.messages import Block
from operations.file_fetch import FetchRefused
from operations.sanitise import inline

MOST_ATTACHMENTS = 4
# 5 MB of base64 is what the API takes: https://platform.claude.com/docs/en/build-with-claude/vision
LARGEST_IMAGE_BYTES = 3_750_000
LARGEST_TEXT_BYTES = 64 * 1024
LARGEST_SIDE_PIXELS = 8_000
_TEXT_ENDINGS = frozenset(
    {
        ".txt",
        ".md",
        ".csv",
        ".json",
        ".log",
        ".yaml",
        ".yml",
        ".toml",
        ".ini",
        ".py",
        ".js",
        ".ts",
        ".html",
        ".xml",
        ".diff",
    }
)


@dataclass(frozen=True, slots=True)
class Attached:
    """A file as Discord's message names it: what it says of itself is its sender's word."""

    filename: str
    url: str
    size: int
    content_type: str = ""


class Files(Protocol):
    """operations.file_fetch.FileFetcher."""

    async def fetch(self, address: str, max_bytes: int = ...) -> bytes:
        """Raises FetchRefused."""
        ...


async def blocks_of(attached: Sequence[Attached], files: Files) -> tuple[Block, ...]:
    """A block for each; what can't be read is said in one, so that the model can tell."""
    blocks: list[Block] = [await _block(each, files) for each in attached[:MOST_ATTACHMENTS]]
    if len(attached) > MOST_ATTACHMENTS:
        blocks.append(_note("more", f"{len(attached) - MOST_ATTACHMENTS} further files were left out"))
    return tuple(blocks)


async def _block(attached: Attached, files: Files) -> Block:
    name = inline(attached.filename, 100)
    is_text = _says_text(attached)
    limit = LARGEST_TEXT_BYTES if is_text else LARGEST_IMAGE_BYTES
    if attached.size > limit:
        return _note(name, f"too large to be read here ({attached.size:,} of at most {limit:,} bytes)")
    if not is_text and not attached.content_type.startswith("image/"):
        return _note(name, "neither an image nor a text, so it was not read")
    try:
        data = await files.fetch(attached.url, limit)
    except FetchRefused as refused:
        return _note(name, str(refused))
    if is_text:
        return _text(name, data)
    kind = image_type(data)
    if kind is None:
        return _note(name, "no image of a kind that can be read (PNG, JPEG, GIF, WebP)")
    width, height = sides(data, kind)
    if max(width, height) > LARGEST_SIDE_PIXELS:
        return _note(name, f"an image of {width} × {height} pixels, which is too large to be looked at")
    source = {"type": "base64", "media_type": kind, "data": base64.b64encode(data).decode()}
    return {"type": "image", "source": source}


def _says_text(attached: Attached) -> bool:
    kind = attached.content_type.partition(";")[0].strip()
    return kind.startswith("text/") or PurePosixPath(attached.filename.lower()).suffix in _TEXT_ENDINGS


def _text(name: str, data: bytes) -> Block:
    if b"\0" in data:
        return _note(name, "no text, though it says so")
    text = escaped(data.decode("utf-8", errors="replace"), LARGEST_TEXT_BYTES)
    return {"type": "text", "text": f'<attachment name="{_quoted(name)}">\n{text}\n</attachment>'}


def _note(name: str, why: str) -> Block:
    return {"type": "text", "text": f'<attachment name="{_quoted(name)}">[{escaped(why, 300)}]</attachment>'}


def _quoted(name: str) -> str:
    return escaped(name, 200).replace('"', "&quot;")


def image_type(data: bytes) -> str | None:
    """By its first bytes, whatever it says of itself."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def sides(data: bytes, kind: str) -> tuple[int, int]:
    """Width and height by its header alone: nothing is unpacked. (0, 0) where the header doesn't say."""
    if kind == "image/png":
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    if kind == "image/gif":
        return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    if kind == "image/webp":
        return _webp(data)
    return _jpeg(data)


def _webp(data: bytes) -> tuple[int, int]:
    """https://developers.google.com/speed/webp/docs/riff_container"""
    match data[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
        case b"VP8 ":
            return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case _:
            return 0, 0


def _jpeg(data: bytes) -> tuple[int, int]:
    """Walks the segments to the start of frame."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4]))
    return 0, 0
