"""Runs a request as a member would: one mention, and a press on each card that comes of it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storage import cases
from tests.app import Place, Town
from tests.cogs.approving import Card, direct_messages, presses
from tests.evals.mentions import allowed
from tests.tasks.checks import Seen
from tests.tasks.everyday import Task

LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Done:
    """How a request went. ``calls``: of tools; ``requests``: to the model. ``error``: why it came to no end."""

    task: str
    ok: bool
    calls: int = 0
    requests: int = 0
    tokens: int = 0
    clicks: int = 0
    ceiling: int = 0
    seconds: float = 0.0
    cost_usd: float = 0.0
    error: str = ""

    @property
    def within(self) -> bool:
        return self.clicks <= self.ceiling

    def line(self) -> str:
        verdict = "ok" if self.ok and self.within else "FAILED" if not self.ok else "TOO MANY CLICKS"
        return (
            f"{self.task:<16} {verdict:<16} {self.calls:>3} calls {self.requests:>3} requests {self.tokens:>8,} tokens "
            f"{self.clicks} of {self.ceiling} clicks {self.seconds:>6.1f} s {self.error}"
        ).rstrip()


def total(found: list[Done]) -> str:
    good = sum(each.ok and each.within for each in found)
    clicks, ceiling = sum(each.clicks for each in found), sum(each.ceiling for each in found)
    return (
        f"{good} of {len(found)} as asked for; {sum(each.calls for each in found)} calls, "
        f"{sum(each.requests for each in found)} requests, {sum(each.tokens for each in found):,} tokens "
        f"(${sum(each.cost_usd for each in found):.2f}), {clicks} of at most {ceiling} clicks, one mention each."
    )


async def run(town: Town, task: Task, seconds: float = 180.0) -> Done:
    """In a guild of its own; the assistant answers mentions there."""
    place = await allowed(await town.place(), task.channel)
    if task.prepare is not None:
        await task.prepare(place)
    began_at = time.monotonic()
    before = {message["id"] for message in await place.history(task.channel)}
    await place.says(task.who, task.channel, f"<@{town.sandbox.bot_id}> {task.text}")
    clicks, error = 0, ""
    try:
        async with asyncio.timeout(seconds):
            clicks = await _pressed_until_over(place, task)
    except TimeoutError:
        error = f"no end within {seconds:.0f} s"
    took = time.monotonic() - began_at
    (turn, *_) = [*await place.audited(operation="agent_turn"), None]
    details: Mapping[str, Any] = {} if turn is None else json.loads(turn.arguments)
    if turn is not None and turn.status != "done":
        error = error or f"{turn.status}: {turn.reason}"
    return Done(
        task=task.name,
        ok=not error and task.check(await seen(place, task, before)),
        calls=details.get("tools", 0),
        requests=details.get("requests", 0),
        tokens=details.get("tokens", 0),
        clicks=clicks,
        ceiling=task.clicks,
        seconds=took,
        cost_usd=details.get("cost_micros", 0) / 1_000_000,
        error=error,
    )


async def _pressed_until_over(place: Place, task: Task) -> int:
    """The clicks on all cards, until the turn is audited."""
    pressed: set[str] = set()
    while not await place.audited(operation="agent_turn"):
        for message in await place.history(task.channel):
            card = Card(place.channel(task.channel), message)
            waits = message["embeds"] and message["components"] and card.id not in pressed
            if waits and any("Approve" in row for row in card.labels):
                pressed.add(card.id)
                await presses(place, task.who, card, "Approve", task.types or None)
        await asyncio.sleep(LOOK_SECONDS)
    return len(pressed)


async def seen(place: Place, task: Task, before: set[str]) -> Seen:
    """``before``: the ids of the messages that stood there before the mention."""
    bot = place.town.sandbox.bot_id
    world = await place.world()
    guild = world["guild"]
    ids = {**place.guild["channels"], **place.guild["roles"], **place.guild["members"]}
    messages = {name: list(await _history(place, guild, name)) for name in place.guild["channels"]}
    replies = [each for each in messages[task.channel] if each["id"] not in before and each["author"]["id"] == bot]
    messages[task.channel] = [each for each in messages[task.channel] if each not in replies]
    direct = await direct_messages(place.town.sandbox, place.member(task.who))
    private = [] if direct is None else [each for each in await place.history(direct) if each["author"]["id"] == bot]
    return Seen(
        ids=ids,
        guild=guild,
        said="\n".join(each["content"] for each in (*replies, *private)),
        messages=messages,
        cases=await _cases(place),
    )


async def _history(place: Place, guild: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    there = {each["id"] for each in guild["channels"] if "category" not in each["type"] and "forum" not in each["type"]}
    return await place.history(name) if place.channel(name) in there else []


async def _cases(place: Place) -> list[dict[str, Any]]:
    async with place.town.core.database.read() as session:
        found = await cases.page(session, cases.CaseQuery(place.installation_id, limit=100))
    return [{"kind": each.kind.value, "reason": each.reason} for each in found]
