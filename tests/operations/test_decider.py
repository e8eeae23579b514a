"""Which guild and which objects a call names, and what it hears when that cannot be told."""

from __future__ import annotations

from typing import Any

import pytest

from operations.base import Status
from policy.model import Refuse, Step
from tests.app import Place, until
from tests.operations.calls import read, refused, run

pytestmark = pytest.mark.asyncio(loop_scope="session")

UNKNOWN_ID = "1000000000000000001"


async def joined(place: Place, name: str, *, of: Place | None = None) -> Place:
    """Another guild of the same workspace, which nina is in as well."""
    member = {"name": "nina", "user": int(place.member("nina"))}
    guild = await place.town.sandbox.make_guild(name, members=[member], channels=[{"name": "general"}])
    return await place.town.settled(guild, workspace_id=(of or place).workspace_id)


# ------------------------------------------------------------------------ guild
async def test_the_guild_may_be_left_out_where_there_is_only_one(place: Place) -> None:
    assert (await read(place, "channel_list", "nina"))["guild_id"] == place.id


async def test_where_there_are_several_they_are_named_in_plain_letters(place: Place) -> None:
    await joined(place, "`Aside` @everyone")
    refusal = await refused(place, "channel_list", "nina")
    assert refusal.code == "guild_missing"
    assert "Harbor" in refusal.remedy
    assert "@everyone" not in refusal.remedy
    assert "`Aside`" not in refusal.remedy


async def test_a_guild_is_named_by_id_name_or_link(place: Place) -> None:
    await joined(place, "Aside")
    link = f"https://discord.com/channels/{place.id}/{place.channel('general')}"
    for guild in (place.id, int(place.id), "Harbor", "harbor", link):
        assert (await read(place, "channel_list", "nina", guild=guild))["guild_id"] == place.id


async def test_a_channels_id_and_a_messages_link_name_their_guild_too(place: Place) -> None:
    other = await joined(place, "Aside")
    found = await read(place, "channel_get", "nina", channel=other.channel("general"))
    assert found["id"] == other.channel("general")
    message = await other.says("nina", "general", "here")
    link = f"https://discord.com/channels/{other.id}/{other.channel('general')}/{message}"
    assert (await read(place, "message_get", "nina", message=link))["channel_id"] == other.channel("general")


async def test_two_guilds_of_one_name_are_ambiguous(place: Place) -> None:
    other = await joined(place, "Harbor")
    refusal = await refused(place, "channel_list", "nina", guild="Harbor")
    assert refusal.code == "ambiguous_guild"
    assert place.id in refusal.reason
    assert other.id in refusal.reason


async def test_a_guild_that_looks_like_another_is_not_named_for_what_needs_a_confirmation(place: Place) -> None:
    other = await joined(place, "Наrbor")
    assert (await read(place, "channel_list", "nina", guild="Harbor"))["guild_id"] == place.id
    await place.by_hand(
        "olive", "PUT", f"/guilds/{place.id}/members/{place.member('nina')}/roles/{place.role('Admin')}"
    )
    guild = place.town.core.state.source.cached(place.guild_id)
    assert guild is not None
    await until(
        lambda: (nina := guild.get_member(int(place.member("nina")))) and nina.guild_permissions.administrator,
        "the role arrives",
    )
    arguments = {"guild": "Harbor", "channel": place.channel("general")}
    refusal = await refused(place, "channel_delete", "nina", **arguments)
    assert refusal.code == "look_alike_guild"
    assert other.id in refusal.reason
    # A write that its effect makes risky is no different.
    refusal = await refused(place, "message_send", "nina", **arguments, content="x", ping=["everyone"])
    assert refusal.code == "look_alike_guild"
    outcome = await run(place, "channel_delete", "nina", **(arguments | {"guild": place.id}))
    assert outcome.status is Status.PREVIEW


@pytest.fixture
def impatient(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls wait but a moment for a guild that is arriving, and still do wait."""
    monkeypatch.setattr(place.town.core.state.source, "wait_seconds", 0.05)


@pytest.mark.usefixtures("impatient")
async def test_while_a_guild_is_arriving_no_call_slips_into_another_one(place: Place) -> None:
    """With one of two guilds gone for the moment, the one that is left must not be taken for the one that is meant."""
    other = await joined(place, "Aside")
    readiness = place.town.core.client.readiness
    readiness.guild_unavailable(other.guild_id)
    try:
        for arguments in ({"channel": "general"}, {"channel": "general", "guild": "Harbor"}):
            refusal = await refused(place, "message_send", "nina", **arguments, content="x", dry_run=False)
            assert refusal.code == "guild_uncertain"
            assert refusal.retry_after_seconds
            assert "as an id" in refusal.remedy
        assert (await read(place, "channel_list", "nina", guild=place.id))["guild_id"] == place.id
        assert (await read(place, "whoami", "nina"))["guilds"] == [{"id": place.id, "name": "Harbor"}]
    finally:
        readiness.guild_arrived(other.guild_id)
    assert await place.history("general") == []


@pytest.mark.usefixtures("impatient")
async def test_who_may_be_a_member_of_an_arriving_guild_is_not_turned_away_as_a_stranger(place: Place) -> None:
    readiness = place.town.core.client.readiness
    readiness.guild_unavailable(place.guild_id)
    try:
        refusal = await refused(place, "whoami", "nina")
        assert refusal.code == "guild_starting"
        assert refusal.retry_after_seconds
    finally:
        readiness.guild_arrived(place.guild_id)
    assert (await read(place, "whoami", "nina"))["workspace_role"] == "member"


# ---------------------------------------------------------------------- unknown
async def test_what_is_hidden_foreign_or_nowhere_is_answered_and_looked_for_alike(
    place: Place, elsewhere: Place
) -> None:
    """Alike to the last request: what differs can be measured."""
    # Who asks is known from now on.
    await read(place, "channel_list", "nina")
    answers: list[Refuse] = []
    asked: list[Any] = []
    for channel in (place.channel("mod-room"), elsewhere.channel("general"), UNKNOWN_ID):
        await place.town.requests()
        answers.append(await refused(place, "channel_get", "nina", channel=channel))
        asked.append(await place.town.requests())
    assert answers[0] == answers[1] == answers[2]
    assert asked == [[], [], []]


@pytest.mark.parametrize("field", ["before", "after", "around"])
async def test_an_anchor_is_looked_at_after_its_channel(place: Place, field: str) -> None:
    for anchor in (
        "no message at all",
        UNKNOWN_ID,
        f"https://discord.com/channels/{place.id}/{UNKNOWN_ID}/{UNKNOWN_ID}",
    ):
        hidden = await refused(
            place, "message_list_recent", "nina", guild=place.id, channel=place.channel("mod-room"), **{field: anchor}
        )
        unknown = await refused(
            place, "message_list_recent", "nina", guild=place.id, channel=UNKNOWN_ID, **{field: anchor}
        )
        assert hidden == unknown
        assert hidden.code == "unknown_channel"


async def test_a_link_to_a_hidden_channel_names_an_unknown_message(place: Place, elsewhere: Place) -> None:
    message = await place.says("marlow", "mod-room", "hidden")
    foreign = await elsewhere.says("nina", "general", "foreign")
    links = (
        f"{place.id}/{place.channel('mod-room')}/{message}",
        f"{place.id}/{UNKNOWN_ID}/{message}",
        f"{place.id}/{place.channel('general')}",
        f"{elsewhere.id}/{elsewhere.channel('general')}/{foreign}",
        f"{UNKNOWN_ID}/{UNKNOWN_ID}/{UNKNOWN_ID}",
    )
    answers = {
        await refused(place, "message_get", "nina", message=f"https://discord.com/channels/{link}") for link in links
    }
    assert {answer.code for answer in answers} == {"unknown_message"}
    assert len(answers) == 1


async def test_an_id_of_a_message_alone_says_what_is_missing(place: Place) -> None:
    refusal = await refused(place, "message_get", "nina", guild=place.id, message=UNKNOWN_ID)
    assert (refusal.step, refusal.code) == (Step.VALIDATE, "channel_missing")


@pytest.mark.parametrize("member", ["@", " @ ", "@nobody", f"<@{UNKNOWN_ID}>", f"<@{'9' * 20}>", UNKNOWN_ID])
async def test_a_member_that_is_not_there_is_unknown(place: Place, member: str) -> None:
    assert (await refused(place, "audit_list", guild=place.id, member=member)).code == "unknown_member"


@pytest.mark.parametrize("form", ["{id}", "<@{id}>", "<@!{id}>", "nina", "@nina", "NINA"])
async def test_a_member_is_named_by_id_mention_or_name(place: Place, form: str) -> None:
    await place.sent("nina")
    member = form.format(id=place.member("nina"))
    rows = (await read(place, "audit_list", guild=place.id, member=member))["calls"]
    assert [row["by"]["user_id"] for row in rows] == [place.member("nina")]


async def closed_thread(place: Place) -> str:
    """A private thread of ada's, with nina in it; its id."""
    thread = await place.thread("ada", "general", "closed", private=True)
    await place.by_hand("ada", "PUT", f"/channels/{thread}/thread-members/{place.member('nina')}")
    return thread


async def test_a_private_thread_is_named_by_its_members_alone(place: Place) -> None:
    thread = await closed_thread(place)
    assert (await read(place, "channel_get", "nina", guild=place.id, channel=thread))["id"] == thread
    unknown = await refused(place, "channel_get", "bela", guild=place.id, channel=UNKNOWN_ID)
    assert await refused(place, "channel_get", "bela", guild=place.id, channel=thread) == unknown


async def test_a_private_thread_whose_members_cannot_be_asked_for_is_unknown(place: Place) -> None:
    thread = await closed_thread(place)
    unknown = await refused(place, "channel_get", "bela", guild=place.id, channel=UNKNOWN_ID)
    # 503 is the one error of Discord's own that discord.py does not repeat for half a minute.
    for fault in ({"status": 403, "code": 50001}, {"status": 503}, {"reset": True}):
        await place.town.sandbox.control(
            "fault", faults=[{"method": "GET", "path": f"/channels/{thread}/thread-members/*", **fault}]
        )
        try:
            assert await refused(place, "channel_get", "bela", guild=place.id, channel=thread) == unknown
        finally:
            await place.town.sandbox.control("fault", faults=[])


# ------------------------------------------------------------------------ floods
async def test_calls_that_are_refused_early_have_an_end_too(place: Place) -> None:
    core = place.town.core
    await place.token("bela", key="flood")
    identity = place.granted["flood"].id
    while core.limits.hit_read(identity, None) == 0.0:
        pass
    for name, arguments in (
        ("no_such", {}),
        ("channel_get", {"channel": 1.5}),
        ("channel_get", {"channel": UNKNOWN_ID}),
    ):
        refusal = await refused(place, name, "flood", **arguments)
        assert refusal.step is Step.RATE
        assert refusal.retry_after_seconds
    rows = (await read(place, "audit_list", "ada", guild=place.id))["calls"]
    assert rows == []
    mine = (await read(place, "audit_list", "bela", guild=place.id, mine=True))["calls"]
    # One entry a minute stands for all of them.
    assert [(row["step"], row["operation"]) for row in mine] == [("rate", "no_such")]
