"""Where the agent answers: allowed and taken back by managers, and gone with the channel."""

from __future__ import annotations

import pytest

from operations.base import Status
from policy.model import PlatformRole
from tests.administering import by_hand, done, refused
from tests.app import Place, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


def allowed(place: Place) -> frozenset[int]:
    return place.town.core.facts.snapshot.chat_channels.get(place.installation_id, frozenset())


async def test_a_manager_allows_and_disallows_and_the_policy_shows_it(place: Place) -> None:
    general = place.channel("general")
    await place.set_role("marlow", PlatformRole.MANAGER)
    assert await done(place, "chat_channel_allow", "marlow", channel=general) == {
        "channel_id": general,
        "allowed": True,
    }
    assert allowed(place) == frozenset({int(general)})
    assert (await done(place, "policy_get", "marlow"))["chat_channels"] == [{"id": general, "name": "general"}]
    assert "already" in (await refused(place, "chat_channel_allow", "marlow", channel=general)).reason
    await done(place, "chat_channel_disallow", "marlow", channel=general)
    assert allowed(place) == frozenset()
    assert "anyway" in (await refused(place, "chat_channel_disallow", "marlow", channel=general)).reason


@pytest.mark.parametrize("who", ["nina", "wren", "ada"])
async def test_members_without_the_role_are_told_so(place: Place, who: str) -> None:
    for operation in ("chat_channel_allow", "chat_channel_disallow"):
        refusal = await refused(place, operation, who, channel=place.channel("general"))
        assert refusal.reason == f"{operation} needs the workspace role manager or higher."


async def test_undoing_takes_it_back(place: Place) -> None:
    outcome = await by_hand(place, "chat_channel_allow", channel=place.channel("general"))
    assert outcome.status is Status.DONE
    await done(place, "audit_revert", call=outcome.call_id)
    assert allowed(place) == frozenset()


async def test_categories_and_threads_are_refused_with_what_to_allow_instead(place: Place) -> None:
    assert "one by one" in (await refused(place, "chat_channel_allow", channel=place.channel("Talk"))).reason
    thread = await place.thread("ada", "general", "tides")
    assert "allow #general instead" in (await refused(place, "chat_channel_allow", channel=thread)).reason


async def test_a_forum_is_allowed_for_its_posts(place: Place) -> None:
    await done(place, "chat_channel_allow", channel=place.channel("help"))
    assert allowed(place) == frozenset({int(place.channel("help"))})


async def test_what_the_bot_lacks_there_is_told_before(place: Place) -> None:
    outcome = await by_hand(place, "chat_channel_allow", channel=place.channel("general"), dry_run=True)
    assert outcome.preview is not None
    assert outcome.preview.unknowns == ()
    denied = {"id": place.role("Guildhall"), "type": 0, "allow": "0", "deny": str(1 << 11)}
    await place.by_hand("olive", "PUT", f"/channels/{place.channel('general')}/permissions/{denied['id']}", denied)
    guild = place.town.core.state.source.cached(place.guild_id)
    assert guild is not None
    channel = guild.get_channel(int(place.channel("general")))
    assert channel is not None
    await until(lambda: not channel.permissions_for(guild.me).send_messages, "the overwrite arrives")
    outcome = await by_hand(place, "chat_channel_allow", channel=place.channel("general"), dry_run=True)
    assert outcome.preview is not None
    assert "I lack send_messages" in outcome.preview.unknowns[0]


async def test_a_deleted_channels_row_goes(place: Place) -> None:
    for channel in ("general", "news"):
        await done(place, "chat_channel_allow", channel=place.channel(channel))
    await place.by_hand("olive", "DELETE", f"/channels/{place.channel('general')}")
    await until(lambda: allowed(place) == frozenset({int(place.channel("news"))}), "the row goes with the channel")
