"""What the audit log keeps of a call's arguments: ids, names, numbers and lengths; no text, address or secret.

The limits below bound the work on one call and the size of what is kept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, time
from enum import Enum
from typing import TypeAlias, cast

from policy.masking import mask

__all__ = ["JSON", "mask", "redact"]

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

MAX_DEPTH = 8
MAX_ITEMS = 1_000
MAX_NAME_CHARACTERS = 100
# Longer than any name, id or link: what stands under the key of a name and is longer is treated as text.
MAX_KEPT_CHARACTERS = 512
MAX_HASHED_CHARACTERS = 65_536
MAX_HASHED_CHARACTERS_IN_ALL = 1_048_576
OMITTED = "…"

# Arguments that name an object by id, name, mention or link, and the names of objects: kept, but masked and capped.
_NAME_KEY = re.compile(
    r"category|categories|(?:author|automation|bot|channel|client|destination|emoji|event|guild|integration|invite"
    r"|member|name|nick|nickname|owner|parent|role|sound|source|sticker|tag|target|template|thread|user|username"
    r"|webhook|workspace)s?"
)
# Arguments that hold an id, a time or one of a few words: kept when they look like that.
_WORD_KEY = re.compile(
    r"after|around|at|before|colou?r|deny|allow|include|locale|visibility|role_map|[a-z_]*_ids?"
    r"|(?:action|case|class|entity_type|event_type|explicit_content_filter|face|format|id|kind|layout|message|mode"
    r"|notification|operation|order|permission|ping|plan|platform|preset|privacy_level|region|rtc_region|rule|scope"
    r"|sort|state|status|tier|timezone|toolset|trigger_type|type|verification_level|video_quality_mode|write_mode)s?"
)
# Everything below these was written by someone, whatever it is called in there.
_FOREIGN_KEY = re.compile(
    r"body|content|data|metadata|payload|poll|text"
    r"|(?:answer|attachment|button|component|embed|field|file|footer|image)s?"
)
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}|[0-9]{1,20}")
_WORD = re.compile(r"[A-Za-z0-9#][A-Za-z0-9_.:+#/-]{0,39}")
_JUMP_LINK = re.compile(r"https://(?:[a-z]+\.)?discord(?:app)?\.com/channels/[0-9]{15,20}(?:/[0-9]{15,20}){0,2}")
_SNOWFLAKE = re.compile(r"[0-9]{15,20}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class _As(Enum):
    """How a text under some key is treated; FOREIGN also holds for everything below."""

    TEXT = 0
    NAME = 1
    WORD = 2
    FOREIGN = 3


def redact(arguments: Mapping[str, object], *, keyed_hash: Callable[[str], str]) -> dict[str, JSON]:
    """Arguments of an operation as the audit log keeps them.

    Ids, numbers, booleans and words out of a fixed few stay; names of objects stay masked, at most 100 characters long;
    any other text becomes ``{"length": characters, "hash": keyed_hash(text)}``, with ``hashed`` where only so many of
    its first characters were hashed. What is too deep or too much is left out and counted under ``…``. Values that are
    not JSON become ``{"type": name}``; none makes this raise.
    """
    return _Redaction(keyed_hash).mapping(arguments, _As.TEXT, 0)


class _Redaction:
    """One call's redaction, with what is left of its limits."""

    def __init__(self, keyed_hash: Callable[[str], str]) -> None:
        self._keyed_hash = keyed_hash
        self._items = MAX_ITEMS
        self._characters = MAX_HASHED_CHARACTERS_IN_ALL

    def mapping(
        self, values: Mapping[object, object] | Mapping[str, object], above: _As, depth: int
    ) -> dict[str, JSON]:
        kept: dict[str, JSON] = {}
        for done, (key, value) in enumerate(values.items()):
            if self._items <= 0:
                kept[OMITTED] = len(values) - done
                break
            self._items -= 1
            name = str(key) if isinstance(key, str | int) and not _is_huge(key) else ""
            if not _KEY.fullmatch(name) or mask(name) != name:
                name = f"unnamed_{done}"
            kept[name] = self.value(value, _treatment(name, above), depth + 1)
        return kept

    def value(self, value: object, how: _As, depth: int) -> JSON:
        match value:
            case None | bool():
                return value
            case Enum():
                return self.value(cast("object", value.value), how, depth + 1) if depth <= MAX_DEPTH else OMITTED
            case int():
                return _number(int(value), how)
            case float():
                return float(value) if math.isfinite(value) else str(float(value))
            case str():
                return self._text(str(value), how)
            case bytes() | bytearray():
                return self._hashed(bytes(value[:MAX_HASHED_CHARACTERS]).decode("latin-1"), len(value))
            case date() | time():
                return value.isoformat()
            case Mapping() | list() | tuple() | AbstractSet() if depth > MAX_DEPTH:
                return OMITTED
            case Mapping():
                return self.mapping(cast("Mapping[object, object]", value), how, depth)
            case list() | tuple() | AbstractSet():
                items = cast("list[object] | tuple[object, ...] | AbstractSet[object]", value)
                return self._sequence(items, len(items), how, depth)
            case _:
                return {"type": type(value).__name__[:MAX_NAME_CHARACTERS]}

    def _sequence(self, values: Iterable[object], count: int, how: _As, depth: int) -> JSON:
        kept: list[JSON] = []
        for done, value in enumerate(values):
            if self._items <= 0:
                kept.append({OMITTED: count - done})
                break
            self._items -= 1
            kept.append(self.value(value, how, depth + 1))
        return kept

    def _text(self, text: str, how: _As) -> JSON:
        if how in (_As.NAME, _As.WORD) and (_SNOWFLAKE.fullmatch(text) or _JUMP_LINK.fullmatch(text)):
            return text
        if how is _As.NAME and len(text) <= MAX_KEPT_CHARACTERS:
            return _CONTROL.sub("\ufffd", mask(text))[:MAX_NAME_CHARACTERS]
        if how is _As.WORD and _WORD.fullmatch(text) and mask(text) == text:
            return text
        return self._hashed(text[:MAX_HASHED_CHARACTERS], len(text))

    def _hashed(self, head: str, length: int) -> dict[str, JSON]:
        head = head[: self._characters]
        self._characters -= len(head)
        entry: dict[str, JSON] = {"length": length}
        if head or not length:
            # A lone surrogate cannot be encoded, and the hash is over bytes.
            entry["hash"] = self._keyed_hash(_SURROGATE.sub("\ufffd", head))
        if len(head) < length:
            entry["hashed"] = len(head)
        return entry


def _treatment(key: str, above: _As) -> _As:
    if above is _As.FOREIGN or _FOREIGN_KEY.fullmatch(key):
        return _As.FOREIGN
    if _NAME_KEY.fullmatch(key):
        return _As.NAME
    return _As.WORD if above is _As.WORD or _WORD_KEY.fullmatch(key) else _As.TEXT


def _is_huge(value: object) -> bool:
    """Beyond 64 bits, which nothing of Discord needs and not every JSON writer takes."""
    return isinstance(value, int) and value.bit_length() > 63


def _number(value: int, how: _As) -> JSON:
    if _is_huge(value):
        return {"bits": value.bit_length()}
    text = str(value)
    return value if how in (_As.NAME, _As.WORD) or mask(text) == text else mask(text)
