"""Takes secrets out of what is about to be logged: the values that this process knows, and whatever looks like one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast
from urllib.parse import quote, unquote, urlsplit

from pydantic import SecretStr
from structlog.typing import EventDict, WrappedLogger

from policy.redaction import mask

HIDDEN = "[secret]"
SHORTEST = 6
"""A shorter value would be found in ordinary words; settings don't take such secrets where they choose their length."""
_DEPTH = 8
# This machine's own addresses are nobody's: where a server listens has to stay readable.
_OWN_ADDRESSES = re.compile(r"(127\.0\.0\.1|0\.0\.0\.0|\[::1\]|\[::\])")
# What structlog and logging write themselves.
_OWN_KEYS = frozenset({"timestamp", "level", "logger"})


class SecretRegistry:
    """The secrets of this process. Whoever holds a new one adds it; the log's processor asks at every line."""

    def __init__(self, secrets: Iterable[SecretStr | str] = ()) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def __repr__(self) -> str:
        return f"SecretRegistry({len(self._values)} values)"

    def add(self, secret: SecretStr | str) -> None:
        """Of a URL its password is secret, and the URL that holds it; of a list of keys each key."""
        value = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
        if "://" in value:
            password = _password(value)
            values = [value, password, unquote(password)] if password else []
        else:
            values = [value, *(part.strip() for part in value.split(","))]
        self._values.update(
            form for found in values for form in (found, quote(found, safe="")) if len(form) >= SHORTEST
        )
        # The longest first: one may be part of another.
        longest_first = sorted(self._values, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def hide(self, text: str) -> str:
        """``text`` without the known values, and without what looks like a secret or somebody's address or number."""
        if self._pattern is not None:
            text = self._pattern.sub(HIDDEN, text)
        pieces = _OWN_ADDRESSES.split(text)
        return "".join(piece if place % 2 else mask(piece) for place, piece in enumerate(pieces))

    def processor(self, logger: WrappedLogger, method_name: str, event_dict: EventDict) -> EventDict:
        """For structlog, after exceptions have become text and before the renderer."""
        return {key: value if key in _OWN_KEYS else self._hidden(value, 0) for key, value in event_dict.items()}

    def _hidden(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return self.hide(str(value))
        if depth >= _DEPTH:
            return "…"
        if isinstance(value, Mapping):
            mapping = cast("Mapping[Any, Any]", value)
            return {self.hide(str(key)): self._hidden(item, depth + 1) for key, item in mapping.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._hidden(item, depth + 1) for item in cast("Iterable[Any]", value)]
        return self.hide(repr(value))


def _password(url: str) -> str | None:
    try:
        return urlsplit(url).password
    except ValueError:
        return None
