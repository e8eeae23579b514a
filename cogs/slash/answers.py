"""What a person is told of the outcome of his command. Pure: words of Guildhall's own, foreign text in code alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cogs import texts
from cogs.approval_card import changed
from cogs.card_text import block, words
from cogs.slash import results
from cogs.slash.answering import Answer
from operations.base import Outcome, Preview, Status
from operations.outcomes import plain, sentence
from operations.platform.tokens import TokenResult
from operations.sanitise import sanitise
from policy.model import Kind, Refuse, Strength, Tier

LIMIT = 1900
BLOCK_LIMIT = 1500
VALUE_LIMIT = 200
FILE_LIMIT = 500_000


def titled(name: str) -> str:
    """An operation as people call it."""
    return name.replace("_", " ")


def when(seconds: float) -> str:
    """A time as each reader's Discord shows it. https://discord.com/developers/docs/reference#message-formatting"""
    return f"<t:{int(seconds)}:R>"


def refused(refusal: Refuse) -> str:
    remedy = texts.REMEDIES.get(refusal.code, refusal.remedy)
    # Ours is set in code where it names a command; what an operation says may quote names.
    said = words(refusal.reason, LIMIT - 300)
    ours = remedy if refusal.code in texts.REMEDIES else words(remedy, 250)
    return texts.REFUSED.format(why=sentence(said, ours))


def of(outcome: Outcome, *, four_eyes: bool = False) -> Answer:
    """The answer without its buttons."""
    match outcome.status:
        case Status.DONE:
            return _done(outcome)
        case Status.PREVIEW:
            return _preview(outcome, can_press=not four_eyes)
        case Status.NEEDS_CONFIRMATION:
            return _waits(outcome, four_eyes=four_eyes)
        case Status.REFUSED:
            return Answer(texts.BROKEN if outcome.refusal is None else refused(outcome.refusal))
        case Status.FAILED:
            return Answer(texts.FAILED.format(why=words(outcome.detail, LIMIT)))
        case Status.UNKNOWN:
            return Answer(texts.UNKNOWN.format(why=words(outcome.detail, LIMIT - 200)))


def with_token(said: Answer, outcome: Outcome, *, own: bool) -> Answer:
    """A token that was just made, before the answer. ``own``: whoever is answered is the one whom it acts as: nobody
    else is ever shown it, also not who approved it.
    """
    if outcome.status is not Status.DONE or not isinstance(outcome.data, TokenResult) or outcome.data.token is None:
        return said
    if not own:
        return replace(said, text=f"{said.text}\n{texts.TOKEN_NOT_SHOWN}")
    shown = texts.SHOWN_ONCE.format(token=outcome.data.token.get_secret_value())
    return replace(said, text=f"{shown}\n{said.text}")


def can_be_undone(outcome: Outcome) -> bool:
    """Whether something undoes what was done, at least in part."""
    preview = outcome.preview
    if outcome.status is not Status.DONE or outcome.kind is not Kind.WRITE or preview is None:
        return False
    return preview.reversible or preview.inverse is not None


def _done(outcome: Outcome) -> Answer:
    data: Mapping[str, Any] = plain(outcome.data) or {}
    told = results.lines(data)
    if outcome.kind is not Kind.WRITE:
        return boxed("", told or [texts.NOTHING_FOUND])
    summary = [] if outcome.preview is None else [outcome.preview.summary]
    title = texts.DONE.format(title=titled(outcome.operation))
    last = texts.CALL_UNDO if can_be_undone(outcome) else texts.CALL
    return boxed(title, [*summary, *told], last.format(call_id=outcome.call_id))


def _preview(outcome: Outcome, *, can_press: bool) -> Answer:
    preview, plan = outcome.preview, outcome.plan
    title = texts.PREVIEW.format(title=titled(outcome.operation))
    if preview is None:
        return Answer(title)
    told = [*_told(preview), *([texts.PREVIEW_FAILS, *preview.problems] if preview.problems else [])]
    if preview.problems:
        return boxed(title, told)
    if plan is not None and can_press:
        return boxed(title, told, texts.PREVIEW_CONFIRM.format(until=when(plan.expires_at)))
    return boxed(title, told, texts.PREVIEW_RUN)


def _waits(outcome: Outcome, *, four_eyes: bool) -> Answer:
    plan, preview = outcome.plan, outcome.preview
    title = titled(outcome.operation)
    if plan is None:
        return Answer(texts.APPROVED)
    told = [title] if preview is None else _told(preview)
    template = texts.WAITS_FOR_ANOTHER
    if not four_eyes:
        template = texts.WAITS if outcome.tier is Tier.CRITICAL else texts.WAITS_FOR_A_PERSON
    where = ""
    if four_eyes and plan.strength is Strength.PERSON:
        where = texts.NO_CARD if plan.approve_url is None else texts.CARD_AT.format(url=plan.approve_url)
    return boxed(template.format(title=title, until=when(plan.expires_at)), told, where)


def _told(preview: Preview[Any]) -> list[str]:
    """What would happen: what changes from what to what, and what nobody knows before."""
    told = [preview.summary, *changed(preview.changes, VALUE_LIMIT)]
    if preview.unknowns:
        told += [texts.NOT_KNOWN_BEFORE, *preview.unknowns]
    return told


def boxed(title: str, told: list[str], last: str = "", *, limit: int = BLOCK_LIMIT) -> Answer:
    """Foreign lines in a block of code between words of our own; what is too long comes whole as a file as well."""
    text = "\n".join(told)
    parts = [title, block(text, limit) if text.strip() else "", last]
    file = None
    if len(sanitise(text)) > limit - 20:
        parts.append(texts.WHOLE_IN_FILE)
        file = ("whole.txt", sanitise(text, limit=FILE_LIMIT))
    return Answer("\n".join(part for part in parts if part), file=file)
