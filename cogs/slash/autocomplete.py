"""What Discord offers while an option is filled in: only what the member may see, within the time that Discord waits.

Channels, threads and roles come from the guild as the member sees it (operations.guild_state); everything else is what
an operation answers *him*, so that its own rights and visibility hold. An answer is kept for a moment, since each key
that is pressed asks again.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import discord
import structlog
from discord import app_commands

from cogs.slash.answering import Interaction
from operations.base import Delegate, Executor, Status
from operations.callers import Callers
from operations.failures import DISCORD_FAILED
from operations.guild_state import GuildState, GuildVanished, GuildView
from operations.outcomes import plain
from operations.plans import Plans
from operations.registry import Registry
from operations.sanitise import inline
from policy.model import Caller, Face
from storage.outages import DatabaseUnavailable

log = structlog.get_logger(__name__)

MOST = 25
"""https://discord.com/developers/docs/interactions/application-commands#autocomplete"""
LONGEST = 100
ANSWER_SECONDS = 2.0
"""Discord waits 3 seconds, and the answer has to get there."""
KEPT_SECONDS = 20.0
MOST_KEPT = 500

Choice = app_commands.Choice[str]


@dataclass(frozen=True, slots=True)
class Offer:
    """``label``: what is shown and searched; foreign. ``value``: what is sent."""

    label: str
    value: str


Source = Callable[[Caller, int], Awaitable[Iterable[Offer]]]
Autocomplete = Callable[[Interaction, str], Awaitable[list[Choice]]]


class Autocompletes:
    """Sources by kind: ``channel category thread role member plan operation ban invite webhook call``, and those that
    are added.
    """

    def __init__(
        self,
        registry: Registry,
        executor: Executor,
        plans: Plans,
        callers: Callers,
        state: GuildState,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = registry
        self._executor = executor
        self._plans = plans
        self._callers = callers
        self._state = state
        self._monotonic = monotonic
        self._kept: OrderedDict[tuple[str, int, int], tuple[float, tuple[Offer, ...]]] = OrderedDict()
        self._sources: dict[str, Source] = {
            "channel": self._seen(_channels),
            "category": self._seen(_categories),
            "thread": self._seen(_threads),
            "role": self._seen(_roles),
            "member": self._seen(_members),
            "user": self._seen(_members),
            "plan": self._open_plans,
            "operation": self._operations,
        }
        self.add_operation("ban", "ban_list", rows="bans", label=("username",), value="user_id", limit=100)
        self.add_operation(
            "invite", "invite_list", rows="invites", label=("code", "channel_name"), value="code", limit=100
        )
        self.add_operation(
            "webhook", "webhook_list", rows="webhooks", label=("name", "channel_name"), value="id", limit=100
        )
        self.add_operation("call", "audit_list", rows="calls", label=("operation", "status"), value="call_id", limit=25)

    # ------------------------------------------------------------------ sources
    def add(self, kind: str, source: Source) -> None:
        """Raises ValueError for a kind that there is."""
        if kind in self._sources:
            raise ValueError(f"{kind} has a source already")
        self._sources[kind] = source

    def add_operation(
        self, kind: str, name: str, *, rows: str, label: tuple[str, ...], value: str, limit: int | None = None
    ) -> None:
        """Offers what the read ``name`` lists to the member in its field ``rows``: of each row the fields ``label`` to
        read, and ``value`` to send.
        """

        async def source(caller: Caller, guild_id: int) -> Iterable[Offer]:
            arguments: dict[str, Any] = {"guild": str(guild_id)}
            if limit is not None:
                arguments["limit"] = limit
            outcome = await self._executor.run(name, arguments, caller)
            if outcome.status is not Status.DONE:
                return ()
            found = plain(outcome.data)
            return [_row(row, label, value) for row in found.get(rows, ()) if row.get(value)]

        self.add(kind, source)

    def has(self, kind: str) -> bool:
        return kind in self._sources

    def of(self, kind: str) -> Autocomplete:
        """The callback for an option that names an object of this kind. Raises KeyError."""
        if kind not in self._sources:
            raise KeyError(kind)

        async def autocomplete(interaction: Interaction, current: str) -> list[Choice]:
            return choices(await self._offers(kind, interaction), current)

        return autocomplete

    async def _offers(self, kind: str, interaction: Interaction) -> tuple[Offer, ...]:
        guild_id = interaction.guild_id
        caller = None if guild_id is None else self._callers.of_member(guild_id, interaction.user.id, Face.SLASH)
        return () if caller is None or guild_id is None else await self.found(kind, caller, guild_id)

    async def found(self, kind: str, caller: Caller, guild_id: int) -> tuple[Offer, ...]:
        """All that a member may be offered; nothing where that can't be had in time. Raises KeyError."""
        source = self._sources[kind]
        key, now = (kind, guild_id, caller.user_id or 0), self._monotonic()
        kept = self._kept.get(key)
        if kept is not None and now - kept[0] < KEPT_SECONDS:
            return kept[1]
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                found = tuple(await source(caller, guild_id))
        except (TimeoutError, GuildVanished, DatabaseUnavailable, *DISCORD_FAILED):
            return ()
        except Exception:  # an option without offers can still be filled in; the mistake is in the log
            log.exception("autocompletion failed", kind=kind)
            return ()
        if kind in _FROM_MEMORY:
            # It costs nothing to look again, and what he may see can change at any moment.
            return found
        self._kept[key] = (now, found)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return found

    # --------------------------------------------------------- of the guild's own
    def _seen(self, objects: Callable[[GuildView], Iterable[Offer]]) -> Source:
        async def source(caller: Caller, guild_id: int) -> Iterable[Offer]:
            view = await self._state.view(guild_id, caller.user_id)
            return () if view is None else objects(view)

        return source

    async def _open_plans(self, caller: Caller, guild_id: int) -> Iterable[Offer]:
        found = await self._plans.open(caller, guild_id)
        return [
            Offer(f"{plan.operation} {plan.targets[0].name if plan.targets else ''}", plan.plan_id) for plan in found
        ]

    async def _operations(self, caller: Caller, guild_id: int) -> Iterable[Offer]:
        return [
            Offer(operation.name, operation.name)
            for operation in self._registry.offered(caller)
            if not isinstance(operation, Delegate)
        ]


_FROM_MEMORY = frozenset({"channel", "category", "thread", "role", "member", "user", "plan", "operation"})


def choices(offers: Iterable[Offer], current: str) -> list[Choice]:
    """At most 25 that fit what is written so far: those that begin with it first."""
    wanted = current.strip().casefold().lstrip("#@")
    fitting = [(offer, offer.label.casefold()) for offer in offers]
    begin = [offer for offer, label in fitting if label.startswith(wanted)]
    within = [offer for offer, label in fitting if wanted in label and not label.startswith(wanted)]
    by_value = [offer for offer, label in fitting if wanted not in label and offer.value.casefold().startswith(wanted)]
    found = [*begin, *within, *by_value][:MOST]
    return [
        app_commands.Choice(name=_named(offer), value=offer.value) for offer in found if 0 < len(offer.value) <= LONGEST
    ]


def _named(offer: Offer) -> str:
    shown = inline(offer.label, LONGEST - 30) or offer.value
    return (shown if shown == offer.value else f"{shown} ({offer.value})")[:LONGEST]


def _row(row: Mapping[str, Any], label: tuple[str, ...], value: str) -> Offer:
    told = [row[field] for field in label if isinstance(row.get(field), str)]
    return Offer(" ".join(told) or str(row[value]), str(row[value]))


def _channels(view: GuildView) -> Iterable[Offer]:
    for channel_id in view.visible_ids():
        channel = view.channel(channel_id)
        if channel is not None and not isinstance(channel, discord.CategoryChannel):
            yield Offer(channel.name, str(channel.id))
    yield from _threads(view)


def _categories(view: GuildView) -> Iterable[Offer]:
    visible = set(view.visible_ids())
    return [Offer(each.name, str(each.id)) for each in view.discord.categories if each.id in visible]


def _threads(view: GuildView) -> Iterable[Offer]:
    return [Offer(thread.name, str(thread.id)) for thread in view.discord.threads if view.sees(thread)]


def _roles(view: GuildView) -> Iterable[Offer]:
    roles = [role for role in view.discord.roles if role.id != view.id]
    return [Offer(role.name, str(role.id)) for role in reversed(roles)]


def _members(view: GuildView) -> Iterable[Offer]:
    return [Offer(member.name, str(member.id)) for member in view.discord.members]
