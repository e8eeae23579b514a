"""/whoami, /status and /help, for several people; and a guild that has set nothing up."""

from __future__ import annotations

import pytest

from cogs import texts
from policy.model import PlatformRole
from tests.app import Place, Town, until
from tests.cogs.slashing import offered, presses, uses
from tests.harbor import HARBOR
from tests.sandbox_process import GuildIds

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_whoami_tells_the_role_and_what_it_lets_one_do(place: Place) -> None:
    told = await uses(place, "nina", "whoami")
    assert "**member**" in told.text
    await place.set_role("nina", PlatformRole.VIEWER)
    assert texts.ROLES["viewer"] in (await uses(place, "nina", "whoami")).text
    await place.set_rules(four_eyes=True, approver_role_ids=(int(place.role("Moderator")),))
    told = await uses(place, "marlow", "whoami")
    assert texts.WHOAMI_APPROVER in told.text
    assert texts.WHOAMI_FOUR_EYES in told.text


async def test_status_tells_of_parts_budget_and_what_the_guild_has_lost(place: Place) -> None:
    told = await uses(place, "nina", "status")
    for part in ("gateway", "database", "redis", "lease"):
        assert f"**{part}**" in told.text, told.text
    assert "⚠️" not in told.text
    await place.set_rules(log_channel_id=int(place.channel("news")))
    await place.by_hand("ada", "DELETE", f"/channels/{place.channel('news')}")
    guild = place.town.core.state.source.cached(place.guild_id)
    assert guild is not None
    await until(lambda: guild.get_channel(int(place.channel("news"))) is None, "the bot hears of it")
    told = await uses(place, "nina", "status")
    assert "the log channel" in told.text


async def test_who_uses_the_budget_is_told_to_managers_alone(place: Place) -> None:
    await uses(place, "nina", "message send", content="hello")
    assert f"<@{place.member('nina')}>: " in (await uses(place, "ada", "status")).text
    assert f"<@{place.member('nina')}>" not in (await uses(place, "bela", "status")).text


async def test_help_lists_what_one_may_use_and_nothing_else(place: Place) -> None:
    whole = await every_page(place, "ada")
    for command in ("/ban", "/channel create", "/role assign", "/help", "/status"):
        assert f"`{command}`" in whole
    whole = await every_page(place, "nina")
    assert "`/message send`" in whole
    for command in ("/ban", "/channel create", "/role assign"):
        assert f"`{command}`" not in whole
    assert await offered(place, "nina", "help", "command", "ban") == []
    assert await offered(place, "ada", "help", "command", "ban") == ["ban", "bans", "unban"]


async def every_page(place: Place, who: str) -> str:
    told = await uses(place, who, "help")
    pages = [told.text]
    while "Next" in told.labels:
        told = await presses(place, who, told, "Next")
        pages.append(told.text)
    return "\n".join(pages)


async def test_a_viewer_is_told_of_reads_alone(place: Place) -> None:
    assert "message send" not in await offered(place, "wren", "help", "command", "message")
    assert "whoami" in await offered(place, "wren", "help", "command", "who")


async def test_help_for_one_command_tells_its_options_and_rights(place: Place) -> None:
    told = await uses(place, "ada", "help", command="/channel delete")
    assert "`channel`" in told.text
    assert "`manage_channels`" in told.text
    assert "critical" in told.text
    assert (await uses(place, "nina", "help", command="channel delete")).text == texts.HELP_UNKNOWN


async def bare(town: Town) -> Place:
    """A guild that the bot is in, and that nobody has set up."""
    guild: GuildIds = await town.sandbox.make_guild("Bare", **HARBOR)
    await until(lambda: town.core.client.readiness.is_ready(int(guild["id"])), "the guild arrives")
    return Place(town, guild, "")


async def test_a_guild_that_is_not_set_up_is_told_what_to_do(town: Town) -> None:
    place = await bare(town)
    for command, options in (
        ("whoami", {}),
        ("approvals", {}),
        ("audit", {}),
        ("confirm", {"plan": "cl_" + "a" * 17}),
        ("channel create", {"name": "pottery"}),
    ):
        told = await uses(place, "ada", command, **options)
        assert told.text == texts.NOT_SET_UP, command
    assert texts.NOT_SET_UP in (await uses(place, "ada", "status")).text
    assert "`/help`" in (await uses(place, "ada", "help")).text
    assert await offered(place, "ada", "audit", "operation") == []
