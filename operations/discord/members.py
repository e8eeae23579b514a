"""Reading members: one in full, those whose name begins with a text."""

from __future__ import annotations

import discord
from pydantic import Field

from operations.base import Context, Model, ReadOperation
from operations.discord.member_facts import MemberRow, NamedRole, held_roles, member_row, role_names, shown
from operations.errors import Refused
from operations.outcomes import timestamp
from operations.refs import GuildRef, MemberRef
from operations.refusals import hidden


# ----------------------------------------------------------------------- get
class MemberGetInput(Model):
    member: MemberRef
    guild: GuildRef | None = None


class MemberGetResult(Model):
    """``roles``: highest first, without @everyone. What is false or not set is absent."""

    id: str
    guild_id: str
    username: str
    display_name: str | None = None
    nickname: str | None = None
    roles: list[NamedRole]
    joined_at: str | None = None
    created_at: str
    boosting_since: str | None = None
    owner: bool | None = None
    bot: bool | None = None
    timed_out_until: str | None = None
    pending: bool | None = None


class GetMember(ReadOperation[MemberGetInput, MemberGetResult]):
    """One member: names, roles, when they joined, and whether they are timed out or have yet to accept the rules."""

    name = "member_get"
    toolset = "members"
    scope = "members:read"
    in_default_set = True

    async def read(self, ctx: Context, arguments: MemberGetInput) -> MemberGetResult:
        guild = ctx.guild.discord
        member = ctx.guild.state.known_member(guild, ctx.targets["member"].id)
        if member is None:
            raise Refused(hidden("member", "member"))
        row = member_row(guild, member, ctx.now)
        boosting = member.premium_since
        return MemberGetResult(
            **row.model_dump(exclude={"role_ids"}),
            guild_id=str(guild.id),
            roles=[NamedRole(id=str(role.id), name=shown(role.name)) for role in held_roles(guild, member)],
            created_at=timestamp(discord.utils.snowflake_time(member.id).timestamp()),
            boosting_since=None if boosting is None else timestamp(boosting.timestamp()),
            owner=member.id == guild.owner_id or None,
        )


# -------------------------------------------------------------------- search
MAX_FOUND = 100


class MemberSearchInput(Model):
    query: str = Field(min_length=1, max_length=100, description="How the username or nickname begins.")
    guild: GuildRef | None = None
    limit: int = Field(default=25, ge=1, le=MAX_FOUND)


class MemberSearchResult(Model):
    """``roles``: names of the roles in the rows, by id. ``more``: there are others; say more of the name."""

    members: list[MemberRow]
    roles: dict[str, str]
    more: bool | None = None


class SearchMembers(ReadOperation[MemberSearchInput, MemberSearchResult]):
    """Find members by the beginning of their username or nickname."""

    name = "member_search"
    toolset = "members"
    scope = "members:read"
    in_default_set = True

    async def read(self, ctx: Context, arguments: MemberSearchInput) -> MemberSearchResult:
        view, query = ctx.guild, arguments.query.removeprefix("@") or arguments.query
        source, guild = view.state.source, view.discord
        if source.members_are_current(guild.id) and guild.chunked:
            found = [member for member in guild.members if begins(member, query)]
            is_all = True
        else:
            found = await source.search_members(guild, query)
            for member in found:
                view.state.learned(guild, member)
            # Discord gives no more, and does not say whether there are any.
            is_all = len(found) < MAX_FOUND
        guild = view.discord
        found.sort(key=lambda member: (member.name.casefold(), member.id))
        rows = [member_row(guild, member, ctx.now) for member in found[: arguments.limit]]
        return MemberSearchResult(
            members=rows,
            roles=role_names(guild, rows),
            more=(not is_all or len(found) > arguments.limit) or None,
        )


def begins(member: discord.Member, query: str) -> bool:
    """As Discord searches: "Query string to match username(s) and nickname(s) against", by their beginning.

    https://discord.com/developers/docs/resources/guild#search-guild-members
    """
    prefix = query.casefold()
    return member.name.casefold().startswith(prefix) or (member.nick or "").casefold().startswith(prefix)
