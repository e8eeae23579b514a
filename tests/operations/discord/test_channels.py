"""Reading channels and guilds, over the wire of the sandbox."""

from __future__ import annotations

import orjson
import pytest

from operations.base import Encoded
from operations.outcomes import plain
from policy.model import CallerKind
from tests.app import until
from tests.operations.discord.road import Road, install

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_member_is_listed_the_channels_that_he_sees_and_nothing_of_the_others(road: Road) -> None:
    listed = await road.read("channel_list", "nina")
    assert listed == {
        "guild_id": road.guild["id"],
        "channels": [
            # Its category is hidden, so it stands outside, at the place that it would have there.
            {"id": road.channel("open-desk"), "name": "open-desk"},
            {"id": road.channel("old-support"), "name": "old-support"},
        ],
        "categories": [
            {
                "id": road.channel("Talk"),
                "name": "Talk",
                "channels": [
                    {"id": road.channel("general"), "name": "general"},
                    {"id": road.channel("lounge"), "name": "lounge", "type": "voice"},
                ],
            }
        ],
    }


async def test_a_manager_is_listed_the_staff_channels_too(road: Road) -> None:
    listed = await road.read("channel_list", "marlow")
    assert [category["name"] for category in listed["categories"]] == ["Talk", "Staff"]
    assert [row["name"] for row in listed["categories"][1]["channels"]] == ["mod-room", "open-desk"]


async def test_who_sees_the_same_gets_the_same_bytes_and_a_change_makes_new_ones(road: Road) -> None:
    async def listed(member: str) -> bytes:
        outcome = await road.call("channel_list", member)
        assert isinstance(outcome.data, Encoded)
        return outcome.data.json

    first = await listed("ada")
    assert await listed("olive") is first
    assert await listed("nina") != first
    await road.sandbox.control(
        "as_user",
        user=road.guild["owner_id"],
        method="PATCH",
        path=f"/channels/{road.channel('general')}",
        body={"name": "renamed"},
    )
    guild = road.core.state.source.cached(road.guild_id)
    assert guild is not None
    await until(lambda: any(channel.name == "renamed" for channel in guild.channels), "the rename arrives")
    assert b"renamed" in await listed("ada")
    assert b"renamed" in await listed("nina")


async def test_a_list_of_200_channels_stays_below_12_kilobytes(road: Road) -> None:
    kinds = ["voice" if index % 10 == 0 else "text" for index in range(200)]
    channels = [{"name": f"channel-{index:03}", "type": kind} for index, kind in enumerate(kinds)]
    guild = await road.sandbox.make_guild("Large Harbor", members=[{"name": "zoe"}], channels=channels)
    await install(road.core, guild)
    large = Road(road.core, road.sandbox, guild)
    outcome = await large.call("channel_list", "zoe")
    assert isinstance(outcome.data, Encoded)
    assert len(orjson.loads(outcome.data.json)["channels"]) == 200
    assert len(outcome.data.json) <= 12_000
    await road.sandbox.control("remove_guild", guild=guild["id"])


async def test_a_channels_topic_is_sanitised_and_taints_its_reader(road: Road) -> None:
    found = await road.read("channel_get", "nina", channel="#general")
    assert found["topic"] == "anything goes"
    assert found["category"] == {"id": road.channel("Talk"), "name": "Talk"}
    assert found["slowmode_seconds"] == 0
    assert "overwrites" not in found
    assert (await road.read("whoami", "nina"))["tainted"] is True


async def test_a_channel_without_a_topic_taints_nobody(road: Road) -> None:
    await road.read("channel_get", "nina", channel="old-support")
    assert (await road.read("whoami", "nina"))["tainted"] is False


async def test_overwrites_are_shown_to_who_may_manage_them(road: Road) -> None:
    found = await road.read("channel_get", "marlow", channel="mod-room")
    assert [(row["kind"], row["name"], row["allow"], row["deny"]) for row in found["overwrites"]] == [
        ("role", "@everyone", [], ["view_channel"]),
        ("role", "Manager", ["view_channel"], []),
        ("role", "Guildhall", ["view_channel"], []),
    ]
    assert found["synced_with_category"] is True


async def test_a_hidden_channel_reads_like_an_unknown_one(road: Road) -> None:
    hidden = await road.call("channel_get", "nina", channel=road.channel("mod-room"))
    unknown = await road.call("channel_get", "nina", channel=str(int(road.channel("mod-room")) - (1 << 30)))
    assert hidden.refusal is not None
    assert hidden.refusal == unknown.refusal


async def test_a_hidden_category_is_not_named_by_a_channel_in_it(road: Road) -> None:
    found = await road.read("channel_get", "nina", channel="open-desk")
    assert "category" not in found
    seen = await road.read("channel_get", "marlow", channel="open-desk")
    assert seen["category"]["name"] == "Staff"


async def test_guild_get_counts_the_channels_that_one_sees(road: Road) -> None:
    found = await road.read("guild_get", "nina")
    assert found["channel_counts"] == {"category": 1, "text": 3, "voice": 1}
    assert [role["name"] for role in found["roles"]][-4:] == ["Admin", "Manager", "Member", "@everyone"]
    assert found["you"]["user_id"] == road.guild["members"]["nina"]
    assert found["member_count"] == 5
    assert (await road.read("guild_get", "marlow"))["channel_counts"]["text"] == 4
    assert (await road.read("guild_get", "ada"))["you"]["permissions"] == ["administrator"]


async def test_guild_list_names_for_a_member_the_workspaces_other_guilds_that_he_is_in(road: Road) -> None:
    nina = int(road.guild["members"]["nina"])
    other = await road.sandbox.make_guild("Aside", members=[{"name": "nina", "user": nina}])
    foreign = await road.sandbox.make_guild("Elsewhere", members=[{"name": "yves"}])
    await install(road.core, other)
    await install(road.core, foreign)
    listed = await road.read("guild_list", "nina")
    assert [(row["name"], row["can_act"]) for row in listed["guilds"]] == [("Test Harbor", True)]
    member = await road.core.executor.run("guild_list", {}, road.caller("nina", kind=CallerKind.MEMBER))
    assert member.data is not None
    rows = plain(member.data)["guilds"]
    assert [(row["name"], row["can_act"]) for row in rows] == [("Aside", False), ("Test Harbor", True)]
    for guild in (other, foreign):
        await road.sandbox.control("remove_guild", guild=guild["id"])
