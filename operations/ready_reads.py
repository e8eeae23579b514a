"""Reads from memory that the same requester was allowed a moment ago: their answers, while all that decided them holds.

A decision follows from the caller, the arguments, the platform's snapshot, the guild at its version, what requester and
bot hold there, and time. Whatever of that may have changed sends the call down the long way, which decides anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import discord
import orjson

from operations.base import Context, Encoded
from operations.guild_state import MEMBER_MAX_AGE_SECONDS, GuildState
from operations.member_rights import role_ids_of
from operations.resolve import snowflake
from policy import pipeline
from policy.model import Caller
from storage.facts import PlatformFacts
from storage.snapshot import Snapshot


class _Ready(NamedTuple):
    """An allowed read, and what it was decided by; the guild's version is the memo's that this lies in."""

    caller: Caller
    snapshot: Snapshot
    member_roles: tuple[int, ...]
    bot_roles: tuple[int, ...]
    owner_id: int | None
    result: Encoded


class Unbroken:
    """Whether nothing else has run in this event loop since it was made: then what was seen first still holds."""

    def __init__(self) -> None:
        self.holds = True
        asyncio.get_running_loop().call_soon(self._end)

    def _end(self) -> None:
        self.holds = False


class ReadyReads:
    def __init__(self, facts: PlatformFacts, state: GuildState, clock: Callable[[], float] = time.time) -> None:
        self._facts = facts
        self._state = state
        self._clock = clock

    def get(self, operation: str, arguments: Mapping[str, Any], caller: Caller) -> tuple[int, Encoded] | None:
        """The guild and the answer of a read that steps 1-6 would allow now; None says nothing of the call."""
        guild_id = _guild_id(arguments)
        if guild_id is None or caller.user_id is None:
            return None
        state = self._state
        guild = state.source.cached(guild_id)
        if guild is None:
            return None
        ready: _Ready | None = state.memos.recall(guild, _key(operation, arguments, caller))
        if ready is None or ready.caller is not caller or ready.snapshot is not self._facts.snapshot:
            return None
        present = state.recent(guild, caller.user_id, MEMBER_MAX_AGE_SECONDS)
        if present is None or present[0] is None or not _unchanged(ready, guild, state, caller.user_id):
            return None
        fact_age_seconds = max(state.source.age_seconds(guild_id), present[1])
        if not pipeline.still_allows(caller, self._clock(), self._facts.age_seconds(), fact_age_seconds):
            return None
        return guild_id, ready.result

    def remember(self, operation: str, arguments: Mapping[str, Any], ctx: Context, result: Encoded) -> None:
        """``ctx``: of a call that was decided and answered without a pause, see `Unbroken`; so all is as it was."""
        caller, guild = ctx.caller, ctx.guild.discord
        if caller.user_id is None or _guild_id(arguments) != guild.id:
            return
        member = self._state.requester(guild, caller.user_id)
        if member is None or _may_be_timed_out(member, guild.me):
            return
        ready = _Ready(caller, self._facts.snapshot, role_ids_of(member), role_ids_of(guild.me), guild.owner_id, result)
        self._state.memos.remember(guild, _key(operation, arguments, caller), ready)


def _unchanged(ready: _Ready, guild: discord.Guild, state: GuildState, user_id: int) -> bool:
    member, me = state.requester(guild, user_id), guild.me
    return (
        member is not None
        and role_ids_of(member) == ready.member_roles
        and role_ids_of(me) == ready.bot_roles
        and guild.owner_id == ready.owner_id
        and not _may_be_timed_out(member, me)
    )


def _may_be_timed_out(member: discord.Member, me: discord.Member) -> bool:
    return member.timed_out_until is not None or me.timed_out_until is not None


def _guild_id(arguments: Mapping[str, Any]) -> int | None:
    """The guild where it is named by its id alone."""
    given: object = arguments.get("guild")
    return snowflake("guild", given) if isinstance(given, str) else None


def _key(operation: str, arguments: Mapping[str, Any], caller: Caller) -> tuple[int, str, bytes]:
    # A caller is hashed field by field; the one that this id stands for is compared by whoever finds something.
    return id(caller), operation, orjson.dumps(arguments)
