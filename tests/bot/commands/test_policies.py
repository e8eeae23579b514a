"""A guild's policy from the command line: it tightens by itself, asks for what loosens, and the audit tells of both."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from bot import command_line, settings
from bot.commands import policies
from bot.commands.failures import CommandError
from operations.base import Status
from operations.plans import PersonProof
from policy.model import CallerKind, Face
from policy.rules import ChannelRules, GuildRules
from storage import policies as stored
from storage.instance import Mark
from tests.app import Place, Town, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOWHERE = 123456789012345678


async def run(place: Place, action: str, *given: str) -> Sequence[str]:
    configured = settings.load(place.town.environment, env_file=None)
    arguments = command_line.parsed(["policy", action, "--guild", place.id, *given])
    return await policies.run(configured, arguments, Mark.SANDBOX)


async def refused(place: Place, *given: str) -> str:
    with pytest.raises(CommandError) as raised:
        await run(place, "set", *given)
    assert "\n" not in str(raised.value)
    return str(raised.value)


async def rules_of(place: Place) -> GuildRules:
    async with place.town.core.database.read() as session:
        return await stored.guild(session, place.installation_id)


async def channel_rules(place: Place) -> dict[int, ChannelRules]:
    async with place.town.core.database.read() as session:
        return await stored.channels(session, place.installation_id)


async def test_a_fresh_guild_says_what_holds_without_any_policy(place: Place) -> None:
    shown = await run(place, "show")
    assert shown[0].startswith(f"guild {place.id}")
    assert shown[1:] == [
        "rules: read allow, write allow, destroy allow",
        "approvals channel: not set: cards go to the person who asked, by direct message",
        "approver roles: none: the rights alone count",
        "four eyes: off",
    ]


async def test_what_is_set_is_shown_followed_by_the_running_instance_and_audited(place: Place) -> None:
    room = place.channel("mod-room")
    said = await run(place, "set", "--approvals-channel", room, "--four-eyes", "on", "--tier", "message_send=risky")
    assert said[0] == "Set. A running instance follows within a second."
    assert f"approvals channel: {room}" in said
    assert "tiers: message_send risky" in said
    rules = await rules_of(place)
    assert (rules.approvals_channel_id, rules.four_eyes, rules.tiers) == (int(room), True, {"message_send": "risky"})
    facts = place.town.core.facts
    await until(lambda: facts.snapshot.guild_rules.get(place.installation_id) == rules, "the instance has heard of it")
    [row] = await place.audited(operation="policy_set")
    assert (row.face, row.caller_kind, row.user_id, row.status) == (Face.CLI, CallerKind.COMMAND_LINE, None, "done")
    assert json.loads(row.arguments) == {
        "approvals_channel_id": int(room),
        "four_eyes": True,
        "tiers": {"message_send": "risky"},
    }


async def test_what_is_not_named_stays(place: Place) -> None:
    await run(place, "set", "--write", "confirm", "--four-eyes", "on")
    await run(place, "set", "--destroy", "deny", "--tier", "role_assign=critical")
    rules = await rules_of(place)
    assert (rules.rules.read, rules.rules.write, rules.rules.destroy) == ("allow", "confirm", "deny")
    assert rules.four_eyes
    assert rules.tiers == {"role_assign": "critical"}


async def test_a_denied_class_is_refused_to_the_next_call(place: Place) -> None:
    await run(place, "set", "--channel", place.channel("general"), "--write", "deny")
    assert (await channel_rules(place))[int(place.channel("general"))].rules.write == "deny"

    async def is_refused() -> bool:
        answer = await place.call("message_send", channel=place.channel("general"), content="Hello")
        return answer.status == "refused"

    await until(is_refused, "the instance has heard of it")
    assert (await place.call("message_send", channel=place.channel("news"), content="Hello")).status == "preview"


@pytest.mark.parametrize(
    ("first", "then", "named"),
    [
        (("--write", "deny"), ("--write", "confirm"), "write from deny to confirm"),
        (("--tier", "message_send=critical"), ("--tier", "message_send=risky"), "from critical to risky"),
        (("--four-eyes", "on"), ("--four-eyes", "off"), "four_eyes from on to off"),
        (("--read", "deny"), ("--read", "allow", "--write", "deny"), "read from deny to allow"),
    ],
)
async def test_what_would_loosen_is_refused_whole_and_audited(
    place: Place, first: tuple[str, ...], then: tuple[str, ...], named: str
) -> None:
    await run(place, "set", *first)
    before = await rules_of(place)
    said = await refused(place, *then)
    assert named in said
    assert "workspace admin and Discord administrator" in said
    assert await rules_of(place) == before
    row = (await place.audited(operation="policy_set"))[-1]
    assert (row.entry, row.status, row.code) == (
        "decision",
        "refused",
        "loosening",
    )
    assert named in row.reason


async def test_a_channels_rules_are_not_loosened_either(place: Place) -> None:
    general = place.channel("general")
    await run(place, "set", "--channel", general, "--write", "deny")
    assert "write from deny to allow" in await refused(place, "--channel", general, "--write", "allow")
    assert (await channel_rules(place))[int(general)].rules.write == "deny"


async def test_an_approvals_channel_is_set_once_and_replaced_only_when_it_is_gone(place: Place) -> None:
    old, new = place.channel("mod-room"), place.channel("general")
    await run(place, "set", "--approvals-channel", old)
    assert "the approvals channel" in await refused(place, "--approvals-channel", new)
    await place.by_hand("olive", "DELETE", f"/channels/{old}")
    assert f"approvals channel: {new}" in await run(place, "set", "--approvals-channel", new)
    assert (await rules_of(place)).approvals_channel_id == int(new)


async def test_approver_roles_are_set_once(place: Place) -> None:
    first, second = (place.role(name) for name in ("Moderator", "Member"))
    await run(place, "set", "--approver-role", first)
    assert (await rules_of(place)).approver_role_ids == (int(first),)
    for given in ((second,), (first, second)):
        options = [part for role in given for part in ("--approver-role", role)]
        assert "the approver roles" in await refused(place, *options)


async def test_nothing_new_is_no_change_and_no_entry(place: Place) -> None:
    await run(place, "set", "--write", "confirm")
    assert (await run(place, "set", "--write", "confirm"))[0] == "Nothing changed; it was so already."
    assert len(await place.audited(operation="policy_set")) == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "Name what to set"),
        (("--tier", "message_sned=risky"), "'message_sned' is not an operation that writes"),
        (("--tier", "channel_list=risky"), "'channel_list' is not an operation that writes"),
        (("--tier", "message_send=dangerous"), "write message_send=risky or message_send=critical"),
        (("--tier", "member_ban=risky"), "would raise nothing"),
        (("--approvals-channel", "12"), "--approvals-channel: 12 is not a Discord id"),
        (("--approvals-channel", str(NOWHERE)), f"{NOWHERE} is not a channel of this guild"),
        (("--channel", str(NOWHERE), "--write", "deny"), f"{NOWHERE} is not a channel of this guild"),
        (("--approver-role", str(NOWHERE)), f"{NOWHERE} is not a role of this guild"),
        (("--channel", str(NOWHERE), "--four-eyes", "on"), "a channel has rules alone"),
    ],
)
async def test_a_mistake_is_told_in_one_line_and_changes_nothing(
    place: Place, given: tuple[str, ...], said: str
) -> None:
    assert said in await refused(place, *given)
    assert await rules_of(place) == GuildRules()
    assert await place.audited(operation="policy_set") == []


async def test_neither_a_category_nor_another_guilds_channel_takes_cards(place: Place, elsewhere: Place) -> None:
    assert "not a channel that messages are sent to" in await refused(
        place, "--approvals-channel", place.channel("Staff")
    )
    foreign = elsewhere.channel("general")
    assert "is not a channel of this guild" in await refused(place, "--approvals-channel", foreign)
    assert "is not a role of this guild" in await refused(place, "--approver-role", place.id)


async def test_a_guild_that_is_not_installed_is_told(place: Place) -> None:
    configured = settings.load(place.town.environment, env_file=None)
    arguments = command_line.parsed(["policy", "show", "--guild", str(NOWHERE)])
    with pytest.raises(CommandError, match="is not installed"):
        await policies.run(configured, arguments, Mark.SANDBOX)


# -------------------------------------------------------- in a member's name
async def test_a_member_sets_with_his_own_rights(place: Place) -> None:
    [said] = await run(place, "set", "--as", place.member("olive"), "--write", "confirm", "--record-reads", "on")
    assert said == "Done: Set write, record_reads in Harbor. A running instance follows within a second."
    rules = await rules_of(place)
    assert (rules.rules.write, rules.record_reads) == ("confirm", True)
    rows = await place.audited(operation="policy_set")
    assert {(row.face, row.caller_kind, str(row.user_id)) for row in rows} == {
        (Face.CLI, CallerKind.COMMAND_LINE, place.member("olive"))
    }


async def test_each_setting_goes_through_its_own_operation(place: Place) -> None:
    said = await run(
        place,
        "set",
        "--as",
        place.member("olive"),
        "--approver-role",
        place.role("Moderator"),
        "--approvals-channel",
        place.channel("mod-room"),
        "--log-channel",
        place.channel("mod-room"),
        "--map-role",
        f"{place.role('Member')}=viewer",
        "--tier",
        "message_send=risky",
    )
    assert len(said) == 4
    assert await rules_of(place) == GuildRules.model_validate(
        {
            "approver_role_ids": [place.role("Moderator")],
            "approvals_channel_id": place.channel("mod-room"),
            "log_channel_id": place.channel("mod-room"),
            "role_map": {place.role("Member"): "viewer"},
            "tiers": {"message_send": "risky"},
        }
    )


async def test_a_member_without_the_role_is_refused_in_his_name(place: Place) -> None:
    said = await refused(place, "--as", place.member("nina"), "--write", "deny")
    assert "policy_set needs the workspace role manager or higher" in said
    assert await rules_of(place) == GuildRules()
    assert "A person" not in said


async def test_loosening_is_asked_for_and_a_person_confirms_it_on_the_card_of_the_running_instance(
    place: Place,
) -> None:
    general = place.channel("general")
    await run(place, "set", "--channel", general, "--write", "deny", "--destroy", "deny")
    [said] = await run(place, "set", "--as", place.member("olive"), "--channel", general, "--write", "allow")
    assert said.startswith("Asked: LOOSENS THE POLICY of Harbor (write from deny to allow)")
    assert "Nothing has changed yet" in said
    assert (await channel_rules(place))[int(general)].rules.write == "deny"
    core = place.town.core
    by = core.callers.of_member(place.guild_id, int(place.member("olive")), Face.SLASH)
    assert by is not None
    await until(lambda: core.facts.age_seconds() < 5, "the facts are current")
    [plan] = await core.desk.open(by, place.guild_id)
    assert plan.plan_id in said

    async def has_card() -> bool:
        return (await core.desk.view(plan.plan_id, by)).card is not None

    await until(has_card, "the active process posts the card", 25)
    card = (await core.desk.view(plan.plan_id, by)).card
    outcome = await core.desk.confirm(plan.plan_id, by, PersonProof("card", place=card, typed="general"))
    assert outcome.status is Status.DONE, outcome
    assert (await channel_rules(place))[int(general)].rules.write == "allow"


async def test_loosening_without_a_name_is_asked_for_as_the_applications_owner(town: Town) -> None:
    """Who is nobody in this guild; then another name is asked for."""
    owner = min(town.core.state.source.application_owner_ids)
    place = await town.place()
    said = await refused_loosening(place)
    assert f"As {owner}" in said
    assert "--as USER_ID" in said


async def refused_loosening(place: Place) -> str:
    await run(place, "set", "--write", "deny")
    return await refused(place, "--write", "allow")


# --------------------------------------------------------------------- testing
async def test_a_policy_is_tested_for_a_member(place: Place) -> None:
    general, nina = place.channel("general"), place.member("nina")
    call = json.dumps({"channel": general, "content": "hi"})
    said = await run(place, "test", "--as", nina, "message_send", call)
    assert said[0] == "message_send: would pass; it needs nothing more"
    await run(place, "set", "--channel", general, "--write", "deny")
    said = await run(place, "test", "--as", nina, "message_send", call)
    assert said[0] == "message_send: refused"
    [line] = [line for line in said if line.startswith("REFUSES")]
    assert line.startswith("REFUSES  channel: The policy here denies write operations at #general.")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("message_sned",), "There is no operation of that name"),
        (("message_send", "{"), "this is not JSON"),
        (("message_send", "[]"), "write one JSON object"),
        (("message_send", '{"channel": "nowhere", "content": "hi"}'), "No channel that you can see"),
        (("message_send", "{}"), "channel"),
    ],
)
async def test_a_test_of_what_is_not_there_is_told(place: Place, given: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError) as raised:
        await run(place, "test", "--as", place.member("nina"), *given)
    assert said in str(raised.value)
