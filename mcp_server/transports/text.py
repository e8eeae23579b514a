"""Text that no store and no peer can carry: lone surrogates and NUL."""

from __future__ import annotations

import re
from typing import Any, cast

_UNSAFE = re.compile("[\x00\ud800-\udfff]")


def unsafe_text(value: object) -> str | None:
    """Tell where `value` holds text that databases and UTF-8 can't, or None when all is well.

    Looks into keys as well as values and names the place, for example ``a NUL character at params.arguments.name``.
    Iterative, so that depth costs no stack.
    """
    rest: list[tuple[str, object]] = [("", value)]
    while rest:
        path, item = rest.pop()
        if isinstance(item, str):
            if found := _UNSAFE.search(item):
                what = "a NUL character" if found.group() == "\x00" else "a lone surrogate (half a character)"
                return f"{what} at {path.lstrip('.') or 'the top'}"
        elif isinstance(item, dict):
            for key, inner in cast("dict[str, Any]", item).items():
                if _UNSAFE.search(key):
                    return f"a NUL character or lone surrogate in a key of {path.lstrip('.') or 'the top object'}"
                rest.append((f"{path}.{key}", inner))
        elif isinstance(item, list):
            rest.extend((f"{path}[{index}]", inner) for index, inner in enumerate(cast("list[Any]", item)))
    return None
