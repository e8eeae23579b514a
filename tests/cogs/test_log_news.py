"""What is news, how it is shared out over messages, and that every message fits into Discord's limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import discord
import pytest

from cogs.log_embeds import buttons_of, embed_of, embeds_of
from cogs.log_ids import LogId, LogIds, LogPress
from cogs.log_news import MANY, MOST_IN_A_MESSAGE, Known, News, batch_of, news_of
from operations.pauses import CALLER_PAUSE
from policy.model import CallerKind, Face, Kind, Target
from storage.audit import AuditEntry, EntryKind
from storage.crypto import Keyring

GUILD = 111
KEY = "a key for tests that nobody must use elsewhere"
MESSAGE_CHARACTERS = 6_000
"""https://discord.com/developers/docs/resources/message#embed-object-embed-limits"""


def call(number: int) -> str:
    digits = "abcdefghijklmnopqrstuvwxyz234567"
    return "cl_" + "".join(digits[number // 32**place % 32] for place in range(17))


def entry(kind: EntryKind = "outcome", status: str = "done", number: int = 1, **more: Any) -> AuditEntry:
    base = AuditEntry(
        call_id=call(number),
        entry=kind,
        at=1_800_000_000.0,
        workspace_id="ws_1",
        guild_id=GUILD,
        caller_kind=CallerKind.TOKEN,
        face=Face.MCP,
        client_id="mc_1",
        user_id=42,
        operation="message_send",
        tier="write",
        status=status,
        seq=number,
    )
    return replace(base, **more)


def catalogue(name: str) -> Known:
    kind = Kind.READ if name == "channel_list" else Kind.WRITE
    return Known(name.replace("_", " ").capitalize(), "messages:write", kind)


def told(*entries: AuditEntry) -> list[str]:
    calls: dict[str, list[AuditEntry]] = {}
    for each in entries:
        calls.setdefault(each.call_id, []).append(each)
    return [news.entry.status for news in news_of(entries, calls, {}, catalogue)]


def news(count: int, **more: Any) -> list[News]:
    made = [entry(number=number, **more) for number in range(1, count + 1)]
    return [News(each, each, catalogue(each.operation)) for each in made]


def test_effects_decisions_and_refused_writes_are_news() -> None:
    assert told(entry("intent", "executing"), entry()) == ["done"]
    assert told(entry("intent", "pending")) == []
    assert told(entry("intent", "pending"), entry("decision", "denied")) == ["denied"]
    assert told(entry("decision", "refused")) == ["refused"]
    assert told(entry("decision", "refused", operation="channel_list")) == []
    assert told(entry("decision", "asked")) == []


def test_a_confirmation_is_told_with_its_outcome_and_alone_before_that() -> None:
    pending, confirmed = entry("intent", "pending"), entry("decision", "confirmed", user_id=7)
    assert told(pending, confirmed) == ["confirmed"]
    entries = [pending, confirmed, entry()]
    (found,) = news_of(entries, {call(1): entries}, {}, catalogue)
    assert (found.entry.status, found.confirmed_by) == ("done", 7)


def test_why_a_confirmed_plan_was_refused_after_all_is_told_once() -> None:
    assert told(entry("intent", "pending"), entry("decision", "refused"), entry(status="refused")) == ["refused"]


@pytest.mark.parametrize("count", [1, MOST_IN_A_MESSAGE, MOST_IN_A_MESSAGE + 1, MANY, MANY + 1, 500])
def test_whatever_there_is_is_told_once(count: int) -> None:
    waiting, seen = news(count), list[str]()
    messages = 0
    while waiting:
        batch = batch_of(waiting, count)
        assert batch is not None
        assert len(batch.shown) + bool(batch.summed_up) <= MOST_IN_A_MESSAGE
        seen += [each.call_id for each in (*batch.shown, *batch.summed_up)]
        waiting = [each for each in waiting if (each.entry.seq or 0) > batch.to]
        messages += 1
    assert sorted(seen) == sorted(each.call_id for each in news(count))
    assert messages <= 3
    assert batch_of([], 5) is None


def test_a_message_that_was_begun_tells_all_of_it() -> None:
    batch = batch_of(news(MOST_IN_A_MESSAGE + 1), 99, all_of_it=True)
    assert batch is not None
    assert (len(batch.shown), len(batch.summed_up), batch.to) == (9, 2, 99)


def test_where_there_is_much_what_matters_is_shown_by_itself() -> None:
    many = news(MANY + 10)
    pause = entry(number=MANY + 11, operation=CALLER_PAUSE)
    loosened = replace(many[-1], loosened=("read from deny to allow",))
    batch = batch_of([*many[:-1], loosened, News(pause, pause, catalogue(CALLER_PAUSE))], 99)
    assert batch is not None
    assert batch.shown[-2:] == (loosened, News(pause, pause, catalogue(CALLER_PAUSE)))


def test_a_loosened_policy_is_conspicuous() -> None:
    (found,) = news(1)
    embed = embed_of(replace(found, loosened=("write from deny to allow",)), 0, lambda each: each, lambda _: "")
    assert (embed.title or "").startswith("⚠️ Policy loosened")
    assert embed.colour == discord.Colour.red()
    assert "**Loosened** write from deny to allow" in (embed.description or "")


def test_the_fullest_message_fits() -> None:
    keyring, long = Keyring([KEY]), "`*_~|[]()@everyone" * 20
    targets = tuple(Target("channel", 10**18 + number, GUILD, long, 10**18) for number in range(50))
    each = [
        replace(one, targets=targets, confirmed_by=10**18, revertible=True, known=Known("x" * 60))
        for one in news(MANY * 5)
    ]
    batch = batch_of(each, 999)
    assert batch is not None
    embeds = embeds_of(batch, lambda target: target, lambda _: long)
    assert len(embeds) == MOST_IN_A_MESSAGE
    assert sum(map(len, embeds)) <= MESSAGE_CHARACTERS
    view = buttons_of(batch, LogIds(keyring), GUILD)
    ids = [child.custom_id or "" for child in view.children if isinstance(child, discord.ui.Button)]
    assert len(ids) == len(set(ids)) == 18
    assert max(map(len, ids)) <= 100
    rows = view.to_components()
    assert len(rows) <= 5
    assert all(len(row["components"]) <= 5 for row in rows)


def test_ids_hold_for_their_guild_press_and_call_alone() -> None:
    ids = LogIds(Keyring([KEY]))
    found = LogId.parse(ids.make(LogPress.UNDO, call(1), GUILD))
    assert found is not None
    assert ids.verify(found, GUILD)
    assert not ids.verify(found, GUILD + 1)
    assert not ids.verify(replace(found, press=LogPress.DETAILS), GUILD)
    assert not ids.verify(replace(found, call_id=call(2)), GUILD)
    assert LogId.parse("gl:undo:cl_x:0") is None
