"""Ids and names: another tenant's, hidden ones, mismatched pairs, look-alikes; borrowed keys and cursors."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from operations.base import Operation
from policy.model import Kind
from tests import samples
from tests.app import Answer, Place, Town
from tests.samples import UNKNOWN_ID, Things

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVERY_IN_GUILD = pytest.mark.parametrize("operation", samples.IN_GUILD, ids=lambda each: each.name)


async def hidden_things(place: Place) -> Things:
    """What marlow, who may manage everything that he sees, does not see. The guild itself he does."""
    return Things(
        guild=UNKNOWN_ID,
        channel=place.channel("vault"),
        spare_channel=place.channel("vault"),
        category=place.channel("Cellar"),
        message=await place.says("ada", "vault", "under lock and key"),
        own=await place.sent("ada", "vault", content="mine, and hidden"),
        member=UNKNOWN_ID,
        role=UNKNOWN_ID,
        webhook=await place.webhook("ada", "vault", "Hidden hook"),
        webhook_thread=UNKNOWN_ID,
        invite=await place.invite("ada", "vault"),
    )


OF_KIND = {
    "guild": "guild",
    "channel": "channel",
    "category": "category",
    "message": "message",
    "member": "member",
    "role": "role",
    "banned": "banned",
    "webhook": "webhook",
    "invite": "invite",
}


async def tried(place: Place, operation: type[Operation], arguments: dict[str, Any]) -> list[Answer]:
    """The call as marlow, and for a write its execution."""
    answers = [await place.call(operation.name, "marlow", **arguments)]
    if operation.kind is Kind.WRITE:
        answers.append(await place.call(operation.name, "marlow", **arguments, dry_run=False))
    return answers


async def nothing_was_sent(town: Town) -> bool:
    return await town.effects() == [] and all(request["method"] == "GET" for request in await town.requests())


@EVERY_IN_GUILD
async def test_line_04_a_foreign_or_hidden_id_answers_as_a_random_one(
    place: Place, elsewhere: Place, operation: type[Operation]
) -> None:
    own, foreign = await samples.things(place), await samples.things(elsewhere)
    hidden = await hidden_things(place)
    given = samples.sample(operation, own)
    if operation.name == "message_edit":
        given["message"] = await place.sent("marlow")
    await place.town.effects()
    await place.town.requests()
    fields = list(samples.id_fields(given))
    assert fields
    for _, path, kind in fields:
        substitutes = [getattr(foreign, OF_KIND[kind]), getattr(hidden, OF_KIND[kind])]
        if kind == "message":
            substitutes += [foreign.own, hidden.own]
        expected = await tried(place, operation, samples.replaced(given, path, UNKNOWN_ID))
        for answer in expected:
            assert answer.is_error or answer.data.get("would_succeed") == "no", (path, answer)
        for substitute in substitutes:
            answers = await tried(place, operation, samples.replaced(given, path, substitute))
            # What the caller himself sent may be repeated to him.
            heard = [str(answer.said).replace(substitute, UNKNOWN_ID) for answer in answers]
            assert heard == [str(answer.said) for answer in expected], path
    assert await nothing_was_sent(place.town)


@EVERY_IN_GUILD
async def test_line_04_a_mismatched_pair_answers_as_an_unknown_one(
    place: Place, elsewhere: Place, operation: type[Operation]
) -> None:
    """The guild of one workspace with the objects of another, and a channel with another one's message."""
    own, foreign = await samples.things(place), await samples.things(elsewhere)
    given, theirs = samples.sample(operation, own), samples.sample(operation, foreign)
    await place.town.effects()
    await place.town.requests()
    if "channel" in given:
        mixed = await tried(place, operation, {**theirs, "guild": own.guild})
        random = await tried(place, operation, {**given, "guild": own.guild, "channel": UNKNOWN_ID})
        assert [answer.code for answer in mixed] == [answer.code for answer in random]
        assert all(answer.is_error for answer in mixed)
    mixed = await tried(place, operation, {**given, "guild": foreign.guild})
    random = await tried(place, operation, {**given, "guild": UNKNOWN_ID})
    assert [answer.said for answer in mixed] == [answer.said for answer in random]
    assert all(answer.is_error for answer in mixed)
    assert await nothing_was_sent(place.town)


@pytest.mark.parametrize("operation", ["message_get", "message_edit", "message_delete", "reaction_add"])
async def test_line_04_a_jump_link_and_a_channel_must_agree(place: Place, operation: str) -> None:
    """A message is never read or edited under the rights of another channel than its own."""
    message_id = await place.sent("marlow", "mod-room")
    link = f"https://discord.com/channels/{place.id}/{place.channel('mod-room')}/{message_id}"
    unknown = f"https://discord.com/channels/{place.id}/{place.channel('mod-room')}/{UNKNOWN_ID}"
    mores: dict[str, dict[str, Any]] = {
        "message_edit": {"content": "changed", "dry_run": False},
        "message_delete": {"dry_run": False},
        "reaction_add": {"emoji": "👍", "dry_run": False},
    }
    more = mores.get(operation, {})
    for channel in ("general", "mod-room"):
        answer = await place.call(operation, "nina", message=link, channel=place.channel(channel), **more)
        other = await place.call(operation, "nina", message=unknown, channel=place.channel(channel), **more)
        assert answer.is_error
        assert answer.said == other.said
    mismatched = await place.call(operation, "marlow", message=link, channel=place.channel("general"), **more)
    assert mismatched.code == "unknown_message", mismatched
    assert [message["content"] for message in await place.history("mod-room")] == ["hello"]


async def test_line_04_an_anchor_of_another_channel_is_only_a_place_in_time(place: Place, elsewhere: Place) -> None:
    await place.says("nina", "general", "mine")
    foreign = (await samples.things(elsewhere)).message
    hidden = await place.says("ada", "vault", "under lock and key")
    await place.says("nina", "general", "mine too")
    for anchor in ("before", "after", "around"):
        for message_id in (foreign, hidden):
            answer = await place.call(
                "message_list_recent", "nina", channel=place.channel("general"), **{anchor: message_id}
            )
            assert {row["text"] for row in answer.data["messages"]} <= {"mine", "mine too"}, (anchor, answer)


# -------------------------------------------------------------------- names
LOOK_ALIKES = [
    ("lounge-1", "lounge-l"),
    ("audio", "аudio"),  # Cyrillic
    ("Support", "Suррort"),
    ("office", "oﬃce"),
    ("VOICE", "voice"),
    ("room0", "roomO"),
]


@pytest.mark.parametrize(("name", "look_alike"), LOOK_ALIKES)
async def test_line_12_a_name_with_a_look_alike_never_resolves_for_critical_calls(
    town: Town, name: str, look_alike: str
) -> None:
    spec = [{"name": name, "type": "voice"}, {"name": look_alike, "type": "voice"}]
    place = await town.place("Twins", channels=[{"name": "general"}, *spec])
    for called in (name, look_alike):
        refused = await place.call("channel_delete", guild=place.id, channel=called, dry_run=False)
        assert (refused.status, refused.code) == ("refused", "look_alike_channel"), refused
        assert place.channel(name) in refused.data["reason"]
        assert place.channel(look_alike) in refused.data["reason"]
    by_id = await place.call("channel_delete", guild=place.id, channel=place.channel(look_alike), dry_run=False)
    assert by_id.status == "needs_confirmation"
    assert {name, look_alike} <= set(await place.channels())


async def test_line_12_a_hidden_look_alike_changes_nothing(town: Town) -> None:
    """What one can't see neither disturbs a name nor shows by it."""
    hidden = {"name": "аudio", "type": "voice", "overwrites": [{"role": "@everyone", "deny": ["view_channel"]}]}
    roles = [{"name": "Keeper", "permissions": ["manage_channels", "connect"]}]
    channels: list[dict[str, Any]] = [{"name": "general"}, {"name": "audio", "type": "voice"}, hidden]
    place = await town.place("Quiet", roles=roles, members=[{"name": "kim", "roles": ["Keeper"]}], channels=channels)
    asked = await place.call("channel_delete", "kim", guild=place.id, channel="audio", dry_run=False)
    assert asked.status == "needs_confirmation", asked
    by_hidden = await place.call("channel_delete", "kim", guild=place.id, channel="аudio", dry_run=False)
    by_nothing = await place.call("channel_delete", "kim", guild=place.id, channel="nothing", dry_run=False)
    assert by_hidden.said == by_nothing.said


async def test_line_12_a_category_with_a_look_alike_is_refused_once_overwrites_make_it_risky(town: Town) -> None:
    twins = [{"name": "Team", "type": "category"}, {"name": "Теаm", "type": "category"}]
    place = await town.place("Teams", channels=[{"name": "general"}, *twins])
    overwrites = [{"role": place.role("Member"), "deny": ["send_messages"]}]
    asked = {"guild": place.id, "name": "plans", "category": "Team"}
    refused = await place.call("channel_create", **asked, overwrites=overwrites, dry_run=False)
    assert (refused.status, refused.code) == ("refused", "look_alike_category"), refused
    assert (await place.call("channel_create", **asked)).status == "preview"


async def test_line_12_a_nickname_never_names_a_member_for_a_risky_call(town: Town) -> None:
    members = [{"name": "victim", "nick": "someone"}, {"name": "spammer", "nick": "victim-of-fame"}]
    place = await town.place("Names", members=[{"name": "ada", "roles": ["Admin"]}, *members])
    asked = {"guild": place.id, "name": "room"}
    by_nick = [{"member": "victim-of-fame", "allow": ["view_channel"]}]
    refused = await place.call("channel_create", **asked, overwrites=by_nick, dry_run=False)
    assert (refused.status, refused.code) == ("refused", "unknown_member"), refused
    by_name = [{"member": "victim", "allow": ["view_channel"]}]
    named = await place.call("channel_create", **asked, overwrites=by_name, dry_run=False)
    assert named.status == "needs_confirmation"


# ---------------------------------------------------------- keys and cursors
async def test_line_17_a_key_belongs_to_one_person_one_client_and_one_operation(place: Place) -> None:
    asked = {"channel": place.channel("general"), "content": "keyed", "idempotency_key": "k", "dry_run": False}
    await place.token("ada", key="second")
    first = await place.call("message_send", "ada", **asked)
    others = [await place.call("message_send", who, **asked) for who in ("marlow", "nina", "second")]
    ids = {answer.data["result"]["message_id"] for answer in (first, *others)}
    assert len(ids) == 4, "a borrowed key finds nothing"
    assert len(await place.history("general")) == 4
    other_operation = await place.call("channel_create", "ada", guild=place.id, name="keyed", idempotency_key="k")
    assert other_operation.status == "preview"


async def test_line_17_a_stored_result_is_not_for_who_may_not_call_any_more(place: Place) -> None:
    asked = {"channel": place.channel("general"), "content": "keyed", "idempotency_key": "k", "dry_run": False}
    assert (await place.call("message_send", "nina", **asked)).status == "done"
    await place.set_policy("general", write="deny")
    again = await place.call("message_send", "nina", **asked)
    assert (again.status, again.data["step"]) == ("refused", "channel")


async def test_line_17_a_cursor_serves_its_own_caller_operation_and_guild_alone(place: Place, town: Town) -> None:
    for number in range(3):
        await place.says("nina", "general", f"message {number}")
        await place.sent("ada", "news")
    reading = {"channel": place.channel("general"), "limit": 1}
    cursor: str = (await place.done("message_list_recent", "ada", **reading))["cursor"]
    assert (await place.done("message_list_recent", "ada", **reading, cursor=cursor))["messages"]

    other = await town.settled(
        await town.sandbox.make_guild(
            "Twin",
            owner_user=int(place.guild["owner_id"]),
            members=[{"name": "ada", "user": int(place.member("ada"))}],
            channels=[{"name": "general"}],
        ),
        workspace_id=place.workspace_id,
    )
    body, _, mac = cursor.partition(".")
    edited = base64.urlsafe_b64encode(b"[1,2]").decode().rstrip("=")
    made_up = await place.call("message_list_recent", "ada", **reading, cursor="abc.def")
    assert (made_up.status, made_up.code) == ("refused", "unknown_cursor")
    await place.token("ada", key="second")
    borrowed = {
        "another person": await place.call("message_list_recent", "marlow", **reading, cursor=cursor),
        "another client": await place.call("message_list_recent", "second", **reading, cursor=cursor),
        "edited": await place.call("message_list_recent", "ada", **reading, cursor=f"{edited}.{mac}"),
        "without its seal": await place.call("message_list_recent", "ada", **reading, cursor=body),
        "another operation": await place.call("audit_list", "ada", guild=place.id, cursor=cursor),
        "another guild": await place.call(
            "message_list_recent", "ada", channel=other.channel("general"), limit=1, cursor=cursor
        ),
    }
    for how, answer in borrowed.items():
        said = answer.data | {"call_id": "", "operation": ""}
        assert said == made_up.data | {"call_id": "", "operation": ""}, how
