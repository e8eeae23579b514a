"""Facts about guilds as one requester sees them, from discord.py's cache or by REST, with source and age."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import discord

from operations.events import Event, GuildGone, GuildReady, GuildStructureChanged, MemberChanged, ThreadMembersChanged
from operations.guild_memos import GuildMemos
from operations.guild_source import GuildSource
from operations.member_rights import (
    ADMINISTRATOR,
    MANAGE_THREADS,
    VIEW_CHANNEL,
    Channel,
    bits_at,
    guild_bits,
    member_rank,
    role_rank,
)
from policy.model import OUTSIDE_RANK, Need, Rule, Target, TargetFacts

MEMBER_MAX_AGE_SECONDS = 60.0
LONGEST_CALL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Fetched:
    member: discord.Member | None
    at: float


class GuildState:
    """Members and visibility of guilds. Drops what it memoised when an event says that it may have changed."""

    def __init__(self, source: GuildSource, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.source = source
        self._monotonic = monotonic
        self.memos = GuildMemos()
        self._fetched: dict[tuple[int, int], _Fetched] = {}
        self._flights: dict[tuple[int, int], asyncio.Task[discord.Member | None]] = {}
        self._thread_members: dict[tuple[int, int], tuple[bool, float]] = {}

    # ---------------------------------------------------------------- events
    def on_event(self, event: Event) -> None:
        """A listener for the event hub."""
        match event:
            case GuildReady() | GuildGone() | GuildStructureChanged():
                self.memos.guild_changed(event.guild_id)
                if isinstance(event, GuildGone):
                    self._forget_members(event.guild_id)
            case MemberChanged():
                self._fetched.pop((event.guild_id, event.user_id), None)
                self.memos.member_changed(event.guild_id, event.user_id)
                if event.user_id == self.source.bot_user_id:
                    self.memos.guild_changed(event.guild_id)
            case ThreadMembersChanged():
                self._thread_members = {
                    key: known for key, known in self._thread_members.items() if key[0] != event.thread_id
                }
                self.memos.guild_changed(event.guild_id)
            case _:
                pass

    def version(self, guild_id: int) -> int:
        """Grows with each change of roles, channels or overwrites: a key for memoised results."""
        return self.memos.version(guild_id)

    def _forget_members(self, guild_id: int) -> None:
        self._fetched = {key: known for key, known in self._fetched.items() if key[0] != guild_id}

    # --------------------------------------------------------------- members
    async def member(self, guild: discord.Guild, user_id: int, max_age_seconds: float) -> discord.Member | None:
        """A member that is current enough: cached while the gateway keeps him so, else one coalesced fetch.

        ``max_age_seconds`` 0 always fetches. None when he is no member. Raises discord.HTTPException.
        """
        known = self.recent(guild, user_id, max_age_seconds)
        return await self._fetch(guild, user_id) if known is None else known[0]

    def recent(
        self, guild: discord.Guild, user_id: int, max_age_seconds: float
    ) -> tuple[discord.Member | None, float] | None:
        """A member that is current enough, and his own age (0 for one that is as old as the guild); else None."""
        if max_age_seconds <= 0:
            return None
        if user_id == self.source.bot_user_id and self.source.name == "gateway":
            return guild.me, 0.0
        if self.source.members_are_current(guild.id) and (cached := guild.get_member(user_id)) is not None:
            return cached, 0.0
        fetched = self._fetched.get((guild.id, user_id))
        if fetched is None or (age := self._monotonic() - fetched.at) > max_age_seconds:
            return None
        return fetched.member, age

    async def _fetch(self, guild: discord.Guild, user_id: int) -> discord.Member | None:
        key = (guild.id, user_id)
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._fetch_now(guild, user_id))
            flight.add_done_callback(lambda _: self._flights.pop(key, None))
        return await asyncio.shield(flight)

    async def _fetch_now(self, guild: discord.Guild, user_id: int) -> discord.Member | None:
        member = await self.source.fetch_member(guild, user_id)
        self._remember(guild.id, user_id, member)
        return member

    def _remember(self, guild_id: int, user_id: int, member: discord.Member | None) -> None:
        if len(self._fetched) > 10_000:
            self._fetched.clear()
        self._fetched[(guild_id, user_id)] = _Fetched(member, self._monotonic())

    def known_member(self, guild: discord.Guild, user_id: int) -> discord.Member | None:
        """The member as last seen, without waiting. What was fetched goes first: an event that changes it drops it."""
        fetched = self._fetched.get((guild.id, user_id))
        if fetched is not None and self._monotonic() - fetched.at <= MEMBER_MAX_AGE_SECONDS:
            return fetched.member
        return guild.get_member(user_id)

    def is_outside(self, guild: discord.Guild, user_id: int) -> bool:
        """Whether a person is known not to be a member: Discord said so a short time ago. Unknown counts as inside."""
        fetched = self._fetched.get((guild.id, user_id))
        if fetched is None or self._monotonic() - fetched.at > MEMBER_MAX_AGE_SECONDS:
            return False
        return fetched.member is None

    def learned(self, guild: discord.Guild, member: discord.Member) -> None:
        """Discord just told of a member otherwise than by the fetch of one."""
        self._remember(guild.id, member.id, member)

    def forget_member(self, guild_id: int, user_id: int) -> None:
        """The bot itself changed him: without the members intent no event says so."""
        self._fetched.pop((guild_id, user_id), None)
        self.memos.member_changed(guild_id, user_id)

    def requester(self, guild: discord.Guild, user_id: int) -> discord.Member | None:
        """The same for the person behind a call: whoever was current when it began is not lost by its taking time."""
        member = self.known_member(guild, user_id)
        if member is None and (fetched := self._fetched.get((guild.id, user_id))) is not None:
            is_recent = self._monotonic() - fetched.at <= MEMBER_MAX_AGE_SECONDS + LONGEST_CALL_SECONDS
            return fetched.member if is_recent else None
        return member

    # ------------------------------------------------------------------ view
    async def view(
        self, guild_id: int, user_id: int | None, max_age_seconds: float = MEMBER_MAX_AGE_SECONDS
    ) -> GuildView | None:
        """The guild as this person sees it; ``user_id`` None: as the bot itself does.

        None when the bot or the person is not in it. Raises GuildStarting and discord.HTTPException.
        """
        guild = self.source.cached(guild_id) or await self.source.guild(guild_id)
        if guild is None:
            return None
        if user_id is None:
            return GuildView(self, guild_id, None, self.source.age_seconds(guild_id))
        member, age = self.recent(guild, user_id, max_age_seconds) or (await self._fetch(guild, user_id), 0.0)
        if member is None:
            return None
        return GuildView(self, guild_id, user_id, max(self.source.age_seconds(guild_id), age))

    def view_at_once(self, guild_id: int, user_id: int | None) -> GuildView | None:
        """The same, where nothing has to be waited for; None says nothing of the guild or the person."""
        guild = self.source.cached(guild_id)
        if guild is None:
            return None
        age = self.source.age_seconds(guild_id)
        if user_id is None:
            return GuildView(self, guild_id, None, age)
        member, own_age = self.recent(guild, user_id, MEMBER_MAX_AGE_SECONDS) or (None, 0.0)
        return None if member is None else GuildView(self, guild_id, user_id, max(age, own_age))

    async def learn_thread_membership(self, thread: discord.Thread, user_id: int) -> bool:
        """Whether a person is in a thread; asked of Discord at most once a minute. Raises discord.HTTPException."""
        key = (thread.id, user_id)
        known = self._thread_members.get(key)
        if known is not None and self._monotonic() - known[1] <= MEMBER_MAX_AGE_SECONDS:
            return known[0]
        try:
            await thread.fetch_member(user_id)
        except discord.NotFound:
            inside = False
        else:
            inside = True
        if len(self._thread_members) > 10_000:
            self._thread_members.clear()
        self._thread_members[key] = (inside, self._monotonic())
        return inside

    def in_thread(self, thread: discord.Thread, user_id: int) -> bool:
        """Whether a person is known to be in a thread; unknown counts as not."""
        known = self._thread_members.get((thread.id, user_id))
        return known is not None and known[0] and self._monotonic() - known[1] <= MEMBER_MAX_AGE_SECONDS


class GuildView:
    """A guild as one requester sees it, for the time of one call. It keeps ids, and looks objects up when they are
    used.
    """

    __slots__ = ("_state", "age_seconds", "id", "user_id")

    def __init__(self, state: GuildState, guild_id: int, user_id: int | None, age_seconds: float) -> None:
        self._state = state
        self.id = guild_id
        self.user_id = user_id
        self.age_seconds = age_seconds

    @property
    def state(self) -> GuildState:
        return self._state

    @property
    def source(self) -> str:
        return self._state.source.name

    @property
    def version(self) -> int:
        return self._state.version(self.id)

    @property
    def discord(self) -> discord.Guild:
        """The current object. Raises GuildVanished when the bot lost the guild meanwhile."""
        guild = self._state.source.cached(self.id)
        if guild is None:
            raise GuildVanished
        return guild

    @property
    def me(self) -> discord.Member:
        return self.discord.me

    @property
    def actor(self) -> discord.Member:
        """The requester as a member; the bot itself for an operator. Raises GuildVanished when he left meanwhile."""
        return self._actor_in(self.discord)

    def _actor_in(self, guild: discord.Guild) -> discord.Member:
        if self.user_id is None:
            return guild.me
        member = self._state.requester(guild, self.user_id)
        if member is None:
            raise GuildVanished
        return member

    def visible_ids(self) -> tuple[int, ...]:
        """The channels that the requester sees, in Discord's order."""
        guild = self.discord
        return self._state.memos.visible(guild, self._actor_in(guild)).ids

    def shared_ids(self) -> tuple[int, ...]:
        """The channels that both the requester and the bot see: what a list may show."""
        guild = self.discord
        return self._state.memos.visible(guild, self._actor_in(guild)).shared_ids

    def channel(self, channel_id: int) -> Channel | None:
        """A channel or thread of this guild, visible or not."""
        return self.discord.get_channel_or_thread(channel_id)

    def sees(self, channel: Channel) -> bool:
        """Whether the requester sees this channel or thread.

        discord.py's Thread.permissions_for ignores who is in a private thread, so that is asked here.
        """
        return self._member_sees(self.actor, channel)

    def bot_sees(self, channel: Channel) -> bool:
        guild = self.discord
        return bool(bits_at(guild, channel, guild.me) & VIEW_CHANNEL)

    def _member_sees(self, member: discord.Member, channel: Channel) -> bool:
        bits = bits_at(self.discord, channel, member)
        if not bits & VIEW_CHANNEL:
            return False
        if not isinstance(channel, discord.Thread) or not channel.is_private():
            return True
        if bits & MANAGE_THREADS or member.id == self._state.source.bot_user_id:
            return True
        return self._state.in_thread(channel, member.id)

    def bits(self, channel: Channel | None = None) -> int:
        """The requester's permission bits, in a channel or guild-wide."""
        guild = self.discord
        return bits_at(guild, channel, self._actor_in(guild))

    def bot_bits(self, channel: Channel | None = None) -> int:
        guild = self.discord
        return bits_at(guild, channel, guild.me)

    def facts(self, need: Need, rule: Rule = Rule.ALLOW, *, is_own: bool = False) -> TargetFacts:
        """Everything policy asks about one target."""
        memos, guild, target = self._state.memos, self.discord, need.target
        actor, me = self._actor_in(guild), guild.me
        channel, in_channel = None, _lives_in_channel(target)
        if in_channel:
            channel = guild.get_channel_or_thread(target.channel_id if target.channel_id is not None else target.id)
        visible = not in_channel if channel is None else self._member_sees(actor, channel)
        rank, is_owner, is_bot, is_administrator = self._rank(guild, target)
        return TargetFacts(
            visible=visible,
            bot=memos.standing(guild, me, channel),
            actor=memos.standing(guild, actor, channel),
            rank=rank,
            is_guild_owner=is_owner,
            is_bot=is_bot,
            is_administrator=is_administrator,
            is_own=is_own,
            rule=rule,
            source=self._state.source.name,
            age_seconds=self.age_seconds,
        )

    def _rank(self, guild: discord.Guild, target: Target) -> tuple[int | None, bool, bool, bool]:
        if target.kind == "role":
            role = guild.get_role(target.id)
            return (None if role is None else role_rank(role)), False, False, False
        if target.kind not in ("member", "user"):
            return None, False, False, False
        member = self._state.known_member(guild, target.id)
        owner = target.id == guild.owner_id
        is_bot = target.id == self._state.source.bot_user_id
        if member is None:
            rank = OUTSIDE_RANK if self._state.is_outside(guild, target.id) else None
            return rank, owner, is_bot, False
        administrator = bool(guild_bits(guild, member) & ADMINISTRATOR)
        return member_rank(guild, member), owner, is_bot, administrator

    def lineage_ids(self, target: Target) -> tuple[int, ...]:
        """The channel ids whose policies apply to a target: the channel, a thread's parent, the category."""
        if not _lives_in_channel(target):
            return ()
        channel = self.channel(target.channel_id if target.channel_id is not None else target.id)
        ids: list[int] = []
        if isinstance(channel, discord.Thread):
            ids.append(channel.id)
            channel = channel.parent
        if channel is not None:
            ids.append(channel.id)
            if channel.category_id is not None:
                ids.append(channel.category_id)
        return tuple(ids)


class GuildVanished(Exception):
    """The guild or the requester's membership was lost while a call was under way."""


def _lives_in_channel(target: Target) -> bool:
    return target.channel_id is not None or target.kind in ("channel", "category", "thread")
