"""What went wrong, in words that a caller can act on: Discord's errors translated once, and refusals as exceptions."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import discord

from operations.error_texts import FORM_TEXTS, STATUS_TEXTS, TEXTS
from operations.sanitise import sanitise
from policy.model import Refuse, Step

_INVALID_FORM = 50035
_MAX_FORM_PROBLEMS = 10
# Discord may quote what was sent to it. Addresses can carry tokens (webhooks, interactions), so none is passed on.
_ADDRESS = re.compile(r"\w{2,12}://\S+|(?:/api)?/(?:webhooks|interactions)/\S+", re.IGNORECASE)
_TOKEN = re.compile(r"[\w-]{20,}\.[\w-]{5,}\.[\w-]{20,}|[\w-]{60,}")


class Refused(Exception):
    """A call is refused; nothing was done. ``refusal`` says which step, why, and what would help."""

    def __init__(self, refusal: Refuse) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer of Discord that is an error.

    ``code`` is Discord's own (0 when it gave none), ``status`` the HTTP status (429 for a limit that discord.py kept
    without asking). ``retry_after_seconds`` is set when Discord said when to come back.
    """

    code: int
    status: int
    reason: str
    remedy: str
    retry_after_seconds: float | None = None

    def refusal(self) -> Refuse:
        """The same as a refusal of the step that asks Discord."""
        rate = self.status == 429
        return Refuse(
            Step.RATE if rate else Step.DISCORD,
            "discord_rate_limited" if rate else f"discord_{self.code or self.status}",
            self.reason,
            self.remedy,
            retry_after_seconds=self.retry_after_seconds,
        )


def translate(error: discord.HTTPException | discord.RateLimited) -> Failure:
    """A failure of a request to Discord in human words: no secrets, no addresses, nothing long."""
    if isinstance(error, discord.RateLimited):
        return _limited(0, error.retry_after)
    if error.status == 429:
        return _limited(error.code, _retry_after(error))
    if error.status >= 500:
        return Failure(
            error.code,
            error.status,
            f"Discord had an internal error ({error.status}).",
            "Try again in a minute; Discord's status page may say more.",
        )
    if error.code == _INVALID_FORM:
        return _invalid_form(error)
    known = TEXTS.get(error.code)
    if known is not None:
        return Failure(error.code, error.status, *known)
    reason, remedy = STATUS_TEXTS.get(error.status, ("Discord refused this.", "Check the arguments and call again."))
    said = _said(error.text) if error.code else ""
    return Failure(error.code, error.status, f"{reason} Discord says: {said}" if said else reason, remedy)


def _limited(code: int, retry_after_seconds: float | None) -> Failure:
    reason, remedy = STATUS_TEXTS[429]
    if retry_after_seconds is not None:
        remedy = f"Come back in {max(1, math.ceil(retry_after_seconds))} s."
    return Failure(code, 429, reason, remedy, retry_after_seconds)


def _retry_after(error: discord.HTTPException) -> float | None:
    headers = cast("Mapping[str, str]", getattr(error.response, "headers", {}))
    for header in ("Retry-After", "X-RateLimit-Reset-After"):
        try:
            seconds = float(headers.get(header, ""))
        except ValueError:
            continue
        if 0 <= seconds < 7 * 86_400:
            return seconds
    return None


def _invalid_form(error: discord.HTTPException) -> Failure:
    """Code 50035: the nested errors, one clause a field.

    https://discord.com/developers/docs/reference#error-messages
    """
    reason, remedy = TEXTS[_INVALID_FORM]
    nested: object = getattr(error, "_errors", None)
    problems = list(_walk("", nested))
    if not problems:
        said = _said(error.text.removeprefix("Invalid Form Body").lstrip(":\n "))
        return Failure(error.code, error.status, f"{reason} Discord says: {said}" if said else reason, remedy)
    listed = "; ".join(problems[:_MAX_FORM_PROBLEMS])
    if len(problems) > _MAX_FORM_PROBLEMS:
        listed += f"; and {len(problems) - _MAX_FORM_PROBLEMS} more"
    return Failure(error.code, error.status, f"{reason[:-1]}: {listed}.", remedy)


def _walk(path: str, node: object) -> Iterator[str]:
    if not isinstance(node, Mapping):
        return
    for key, value in cast("Mapping[str, Any]", node).items():
        if key == "_errors":
            for entry in cast("list[Mapping[str, Any]]", value):
                text = FORM_TEXTS.get(str(entry.get("code"))) or _said(str(entry.get("message", "")))
                yield f"{path or 'the request'}: {text.rstrip('.') or 'not accepted'}"
        else:
            step = f"[{key}]" if key.isdecimal() else f".{key}" if path else key
            yield from _walk(path + sanitise(step, limit=60), value)


def _said(text: str) -> str:
    """Discord's own words: one line, short, without addresses and tokens."""
    line = " ".join(sanitise(text).split())
    return sanitise(_TOKEN.sub("(left out)", _ADDRESS.sub("(address)", line)), limit=200)
