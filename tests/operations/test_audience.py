"""Whether what was read in one place may be written in another without telling somebody who could not read it."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from operations.audience import leaks
from operations.guild_state import GuildView
from policy.permissions import Bits
from policy.taint import Source
from tests.app import Place, Town, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVERYONE_OUT = {"role": "@everyone", "deny": ["view_channel"]}
BOT_IN = {"role": "Guildhall", "allow": ["view_channel"]}
STAFF: list[dict[str, Any]] = [EVERYONE_OUT, {"role": "Moderator", "allow": ["view_channel"]}, BOT_IN]
SPEC: dict[str, Any] = {
    "channels": [
        {"name": "general"},
        {"name": "random"},
        {"name": "staff", "overwrites": STAFF},
        {"name": "staff-2", "overwrites": STAFF},
        {"name": "owners", "overwrites": [EVERYONE_OUT, BOT_IN]},
        {"name": "not-nina", "overwrites": [{"role": "Member", "deny": ["view_channel"]}]},
        {"name": "lounge", "type": "voice"},
        {"name": "staff-voice", "type": "voice", "overwrites": [{"role": "@everyone", "deny": ["connect"]}]},
    ]
}


@pytest_asyncio.fixture(loop_scope="session")
async def harbor(town: Town) -> Place:
    return await town.place(**SPEC)


async def view(place: Place) -> GuildView:
    found = await place.town.core.state.view(place.guild_id, int(place.member("ada")))
    assert found is not None
    return found


async def leaking(place: Place, destination: str | None, *sources: Source) -> bool:
    channel = None if destination is None else int(place.guild["channels"].get(destination, destination))
    return leaks(await view(place), channel, sources)


def of(place: Place, channel: str) -> Source:
    return Source(place.guild_id, int(place.guild["channels"].get(channel, channel)))


async def test_what_everybody_reads_may_go_anywhere_in_the_guild(harbor: Place) -> None:
    for destination in ("general", "random", "staff", "lounge", None):
        assert not await leaking(harbor, destination, of(harbor, "general"))


async def test_what_some_read_may_go_only_where_no_others_are(harbor: Place) -> None:
    staff = of(harbor, "staff")
    for destination in ("general", "not-nina", "lounge", None):
        assert await leaking(harbor, destination, staff)
    for destination in ("staff", "staff-2"):
        assert not await leaking(harbor, destination, staff)


async def test_one_denied_person_is_enough(harbor: Place) -> None:
    assert await leaking(harbor, "general", of(harbor, "not-nina"))
    assert not await leaking(harbor, "not-nina", of(harbor, "general"))


async def test_one_source_of_several_is_enough(harbor: Place) -> None:
    assert await leaking(harbor, "random", of(harbor, "general"), of(harbor, "staff"))
    assert not await leaking(harbor, "random")


async def test_another_guild_and_what_is_gone_are_leaks(harbor: Place, elsewhere: Place) -> None:
    assert await leaking(harbor, "general", of(elsewhere, "general"))
    assert await leaking(harbor, None, of(elsewhere, "general"))
    assert await leaking(harbor, "general", Source(harbor.guild_id, 1))
    assert await leaking(harbor, "1", of(harbor, "general"))
    assert await leaking(harbor, "1")


async def test_what_is_said_where_only_some_may_connect_is_theirs(harbor: Place) -> None:
    """Discord shows the text of a voice channel to those who may connect, though all see the channel."""
    assert await leaking(harbor, "general", of(harbor, "staff-voice"))
    assert await leaking(harbor, None, of(harbor, "staff-voice"))
    assert not await leaking(harbor, "staff-voice", of(harbor, "staff-voice"))
    assert not await leaking(harbor, "staff-voice", of(harbor, "lounge"))


async def test_a_public_thread_is_read_by_all_of_its_channel_and_a_private_one_by_its_members(harbor: Place) -> None:
    public = await harbor.thread("ada", "general", "open")
    private = await harbor.thread("ada", "general", "closed", private=True)
    within = await harbor.thread("ada", "staff", "talk")
    assert not await leaking(harbor, "random", of(harbor, public))
    assert not await leaking(harbor, within, of(harbor, "staff"))
    assert not await leaking(harbor, "staff", of(harbor, within))
    assert await leaking(harbor, "general", of(harbor, within))
    assert await leaking(harbor, "general", of(harbor, private))
    assert await leaking(harbor, None, of(harbor, private))
    assert not await leaking(harbor, private, of(harbor, private))
    assert not await leaking(harbor, private, of(harbor, "general"))


async def test_a_list_behind_a_right_may_go_only_among_those_who_hold_it(harbor: Place) -> None:
    guild = harbor.town.core.state.source.cached(harbor.guild_id)
    assert guild is not None
    gate = Source(harbor.guild_id, None, int(Bits.view_audit_log))
    nobody = Source(harbor.guild_id, None, 0)
    assert await leaking(harbor, "general", gate)
    assert await leaking(harbor, None, gate)
    assert not await leaking(harbor, None, nobody)
    assert not await leaking(harbor, "general", nobody)
    await guild.chunk()
    # Moderators hold it, and so do owner and administrator; the bot's role is asked too.
    holders = {member.name for member in guild.members if member.guild_permissions.view_audit_log}
    readers = {
        member.name for member in guild.members if guild_channel(harbor, "staff").permissions_for(member).view_channel
    }
    assert await leaking(harbor, "staff", gate) is not (readers <= holders)


async def test_people_are_compared_where_the_overwrites_differ(harbor: Place) -> None:
    guild = harbor.town.core.state.source.cached(harbor.guild_id)
    assert guild is not None
    await guild.chunk()
    await until(lambda: guild.chunked, "all members are known")
    # Whoever reads the owners' channel (owner, administrator, bot) reads the staff's too, and not the other way round.
    assert not await leaking(harbor, "owners", of(harbor, "staff"))
    assert await leaking(harbor, "staff", of(harbor, "owners"))


def guild_channel(place: Place, name: str) -> Any:
    guild = place.town.core.state.source.cached(place.guild_id)
    assert guild is not None
    return guild.get_channel(int(place.channel(name)))
