"""Guild and channel policies of installations."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlmodel import col

from policy.rules import ChannelRules, GuildRules
from storage.database import Session
from storage.revisions import Noun, bump
from storage.tables import ChannelPolicy, GuildInstallation, GuildPolicy
from storage.upserts import insert_into


async def guild(session: Session, installation_id: str) -> GuildRules:
    """The rules as stored now; the defaults when none were set. Raises pydantic.ValidationError for damaged ones."""
    row = await session.get(GuildPolicy, installation_id)
    return GuildRules() if row is None else GuildRules.model_validate_json(row.rules)


async def channels(session: Session, installation_id: str) -> dict[int, ChannelRules]:
    """The channels of an installation that have rules of their own, by channel id. Raises pydantic.ValidationError."""
    rows = await session.scalars(select(ChannelPolicy).where(col(ChannelPolicy.installation_id) == installation_id))
    return {row.channel_id: ChannelRules.model_validate_json(row.rules) for row in rows}


async def lock(session: Session, installation_id: str) -> None:
    """Until the end of this transaction nobody else who locks changes the policies of the installation."""
    wanted = select(col(GuildInstallation.id)).where(col(GuildInstallation.id) == installation_id)
    await session.execute(wanted.with_for_update())


async def set_guild(session: Session, installation_id: str, rules: GuildRules, *, by: int | None, now: float) -> None:
    values = {"rules": rules.model_dump_json(), "updated_at": now, "updated_by": by}
    statement = insert_into(session, GuildPolicy).values(installation_id=installation_id, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["installation_id"], set_=values))
    await bump(session, Noun.POLICIES)


async def set_channel(
    session: Session, installation_id: str, channel_id: int, rules: ChannelRules | None, *, by: int | None, now: float
) -> None:
    """``rules`` None takes the channel's own rules away."""
    if rules is None:
        await session.execute(
            delete(ChannelPolicy).where(
                col(ChannelPolicy.installation_id) == installation_id, col(ChannelPolicy.channel_id) == channel_id
            )
        )
    else:
        values = {"rules": rules.model_dump_json(), "updated_at": now, "updated_by": by}
        statement = insert_into(session, ChannelPolicy).values(
            installation_id=installation_id, channel_id=channel_id, **values
        )
        await session.execute(
            statement.on_conflict_do_update(index_elements=["installation_id", "channel_id"], set_=values)
        )
    await bump(session, Noun.POLICIES)
