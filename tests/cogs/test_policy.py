"""``/policy``, ``/allow-chat``, ``/disallow-chat``: what an administrator, a moderator and a plain member are told."""

from __future__ import annotations

import json

import pytest

from cogs import texts
from policy.model import PlatformRole
from policy.rules import GuildRules
from tests.app import Place, Town
from tests.cogs.slashing import Told, channel, offered, presses, role, user, uses
from tests.sandbox_process import ControlError

pytestmark = pytest.mark.asyncio(loop_scope="session")


def rules(place: Place) -> GuildRules:
    return place.town.core.facts.snapshot.guild_rules.get(place.installation_id, GuildRules())


def chat_channels(place: Place) -> frozenset[int]:
    return place.town.core.facts.snapshot.chat_channels.get(place.installation_id, frozenset())


def is_done(told: Told) -> None:
    assert told.text.startswith("**Done:**"), told.text


async def test_a_guild_with_nothing_set_up_shows_what_holds(place: Place) -> None:
    told = await uses(place, "olive", "policy show")
    for line in ("Rules:", "Read: allow", "Write: allow", "Destroy: allow", "Four eyes: no"):
        assert line in told.text


async def test_an_administrator_tightens_at_once_and_loosens_with_one_press_and_the_guilds_name(place: Place) -> None:
    told = await uses(place, "olive", "policy set", write="confirm", record_reads=True)
    is_done(told)
    assert rules(place).rules.write == "confirm"
    told = await uses(place, "olive", "policy set", write="allow")
    assert told.text.startswith("NOT DONE – policy set is critical."), told.text
    assert "LOOSENS THE POLICY of Harbor (write from confirm to allow)" in told.text
    assert rules(place).rules.write == "confirm"
    is_done(await presses(place, "olive", told, "Confirm", "Harbor"))
    assert rules(place).rules.write == "allow"


async def test_discord_shows_it_to_those_who_manage_the_guild_and_the_workspaces_role_decides(place: Place) -> None:
    for who in ("marlow", "nina"):
        for command, options in (("policy set", {"write": "deny"}), ("policy show", {}), ("allow-chat", {})):
            with pytest.raises(ControlError, match="default-member-permissions"):
                await uses(place, who, command, **options)
    told = await uses(place, "ada", "policy set", write="deny")
    assert told.text == (
        "**Not done.** policy_set needs the workspace role manager or higher. "
        "Ask an admin of the workspace for that role."
    )
    assert rules(place) == GuildRules()


async def test_a_tier_is_raised_and_lifted(place: Place) -> None:
    assert "message_send" in await offered(place, "olive", "policy tier", "operation", "message_s", tier="risky")
    is_done(await uses(place, "olive", "policy tier", operation="message_send", tier="risky"))
    assert rules(place).tiers == {"message_send": "risky"}
    told = await uses(place, "olive", "policy tier", operation="message_send", tier="none")
    is_done(await presses(place, "olive", told, "Confirm", "Harbor"))
    assert rules(place).tiers == {}


async def test_a_role_is_mapped(place: Place) -> None:
    is_done(await uses(place, "olive", "policy role", role=role(place, "Member"), platform_role="viewer"))
    assert rules(place).role_map == {int(place.role("Member")): "viewer"}


async def test_a_channels_policy_means_the_channel_of_the_command(place: Place) -> None:
    is_done(await uses(place, "olive", "policy channel", "news", write="deny"))
    is_done(await uses(place, "olive", "policy channel", channel=channel(place, "Staff"), destroy="deny"))
    found = place.town.core.facts.snapshot.channel_rules
    assert found[place.installation_id, int(place.channel("news"))].rules.write == "deny"
    assert found[place.installation_id, int(place.channel("Staff"))].rules.destroy == "deny"


async def test_approvers_and_the_channels_are_set_by_picking(place: Place) -> None:
    is_done(await uses(place, "olive", "policy approvers", role=role(place, "Moderator"), role_2=role(place, "Admin")))
    is_done(await uses(place, "olive", "policy approvals-channel", channel=channel(place, "mod-room")))
    is_done(await uses(place, "olive", "policy log-channel", channel=channel(place, "mod-room")))
    found = rules(place)
    assert set(found.approver_role_ids) == {int(place.role("Moderator")), int(place.role("Admin"))}
    assert {found.approvals_channel_id, found.log_channel_id} == {int(place.channel("mod-room"))}
    told = await uses(place, "olive", "policy show")
    for shown in ("Moderator", "Admin", "mod-room"):
        assert shown in told.text


async def test_a_call_is_tested_for_a_member(place: Place) -> None:
    is_done(await uses(place, "olive", "policy channel", "general", write="deny"))
    call = json.dumps({"channel": place.channel("general"), "content": "hi"})
    told = await uses(
        place, "olive", "policy test", member=user(place, "nina"), operation="message_send", arguments=call
    )
    assert "Would pass: no" in told.text
    assert "denies write operations at #general" in told.text
    told = await uses(place, "olive", "policy test", member=user(place, "nina"), operation="whoami", through="mcp")
    assert "Would pass: yes" in told.text
    told = await uses(
        place, "olive", "policy test", member=user(place, "nina"), operation="message_send", arguments="hi"
    )
    assert told.text == texts.BAD_JSON


async def test_a_change_is_undone_by_one_press(place: Place) -> None:
    told = await uses(place, "olive", "allow-chat")
    is_done(told)
    assert chat_channels(place) == frozenset({int(place.channel("general"))})
    is_done(await presses(place, "olive", told, "Undo"))
    assert chat_channels(place) == frozenset()


async def test_a_manager_says_where_the_agent_answers(place: Place) -> None:
    told = await uses(place, "ada", "allow-chat")
    assert "needs the workspace role manager" in told.text
    await place.set_role("ada", PlatformRole.MANAGER)
    is_done(await uses(place, "ada", "allow-chat", channel=channel(place, "news")))
    is_done(await uses(place, "ada", "disallow-chat", channel=channel(place, "news")))


async def test_a_guild_that_is_not_set_up_is_told_how(town: Town) -> None:
    guild = await town.sandbox.make_guild("Nowhere", owner="olive", channels=[{"name": "general"}])
    raw = await town.sandbox.control(
        "slash", user=int(guild["owner_id"]), channel=int(guild["channels"]["general"]), name="policy show", wait=10
    )
    assert raw["message"]["content"] == texts.NOT_SET_UP
