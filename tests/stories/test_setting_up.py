"""The bot joins guilds: who is told what, who may claim, and what is chosen on the card."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from policy.model import Face, PlatformRole
from policy.permissions import bits
from tests.app import Town, audit_rows, running_town, until
from tests.sandbox_process import ControlError
from tests.setting_up import STAFF, NewGuild, granted_by, joined, text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def welcoming(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Town]:
    """An instance that greets the guilds which it joins."""
    async with running_town(tmp_path_factory.mktemp("welcoming"), {"SET_UP_CARDS": "true"}) as town:
        yield town


@pytest_asyncio.fixture(loop_scope="session")
async def guild(welcoming: Town) -> NewGuild:
    await welcoming.serving()
    return await joined(welcoming)


# ------------------------------------------------------------------- joining
async def test_a_guild_that_the_bot_joins_gets_one_card_and_nothing_else(guild: NewGuild) -> None:
    channel_id, message = await guild.card()
    assert channel_id == guild.channel("general")
    assert "Manage Server" in text_of(message)
    assert len(await guild.cards()) == 1
    assert not guild.is_installed


async def test_the_guilds_of_the_first_start_are_served_without_a_card(welcoming: Town) -> None:
    anchor = NewGuild(welcoming, welcoming.anchor)
    assert anchor.is_installed
    assert await anchor.cards() == []


async def test_the_card_prefers_a_channel_of_the_staff_to_one_that_everybody_sees(welcoming: Town) -> None:
    channels = [{"name": "general"}, {"name": "staff", "overwrites": STAFF}]
    guild = await joined(welcoming, channels=channels, system_channel="general")
    assert (await guild.card())[0] == guild.channel("staff")


async def test_without_a_staff_channel_it_goes_where_discord_greets_newcomers(welcoming: Town) -> None:
    guild = await joined(welcoming, channels=[{"name": "general"}, {"name": "welcome"}], system_channel="welcome")
    assert (await guild.card())[0] == guild.channel("welcome")


async def test_where_the_bot_may_write_nowhere_the_owner_is_told_and_can_claim_by_it(welcoming: Town) -> None:
    closed = [{"role": "@everyone", "deny": ["send_messages"]}, {"role": "Guildhall", "deny": ["send_messages"]}]
    guild = await joined(welcoming, "Quiet", channels=[{"name": "general", "overwrites": closed}])
    channel_id, message = await guild.card()
    assert channel_id not in map(int, guild.ids["channels"].values())
    assert "Quiet" in text_of(message)
    await guild.claimed("olive")
    assert guild.is_installed


async def test_a_guild_that_is_back_after_an_outage_is_not_told_again(guild: NewGuild) -> None:
    await guild.card()
    for available in (False, True):
        await guild.town.sandbox.control("guild_outage", guild=guild.id, available=available)
    ready = guild.town.core.client.readiness
    await until(lambda: ready.is_ready(guild.id), "the guild is back")
    later = await joined(guild.town)
    await later.card()
    assert len(await guild.cards()) == 1


# ------------------------------------------------------------------ claiming
async def test_a_member_with_manage_server_claims_and_the_guild_is_served_from_then_on(guild: NewGuild) -> None:
    await guild.claimed("marlow")
    core = guild.town.core
    installation = core.facts.snapshot.installations[guild.id]
    assert installation.claimed_by == guild.member("marlow")
    assert installation.workspace_id == core.facts.snapshot.installations[int(guild.town.anchor["id"])].workspace_id
    _, message = await guild.card()
    assert "Chat channels" in text_of(message), "the card shows what can be set now"
    rows = await audit_rows(core, operation="guild_claim", installation_id=installation.id)
    assert [(row.entry, row.status, row.user_id) for row in rows] == [
        ("intent", "executing", guild.member("marlow")),
        ("outcome", "done", guild.member("marlow")),
    ]
    caller = core.callers.of_member(guild.id, guild.member("nina"), Face.SLASH)
    assert caller is not None
    assert (await core.executor.run("whoami", {}, caller)).status == "done"


async def test_a_plain_member_is_refused_with_the_right_that_he_lacks(guild: NewGuild) -> None:
    said = await guild.press("nina", "Claim")
    assert "manage_guild" in said.text
    assert not guild.is_installed
    rows = await audit_rows(guild.town.core, operation="guild_claim", user_id=guild.member("nina"))
    assert [(row.entry, row.status, row.code) for row in rows] == [("decision", "refused", "you_lack_permission")]


async def test_who_has_just_lost_the_role_is_refused_though_the_bot_has_not_heard_of_it(guild: NewGuild) -> None:
    card = await guild.card()
    sandbox = guild.town.sandbox
    await sandbox.control("gateway", pause=True)
    try:
        await sandbox.control("set_roles", guild=guild.id, user=guild.member("marlow"), roles=[])
        cached = guild.town.core.client.get_guild(guild.id)
        assert cached is not None
        outcome = await guild.town.core.executor.run(
            "guild_claim",
            {"guild": str(guild.id)},
            guild.town.core.callers.of_claimant(guild.id, guild.member("marlow"), Face.SLASH),
        )
        assert outcome.refusal is not None
        assert outcome.refusal.code == "you_lack_permission"
    finally:
        await sandbox.control("gateway", resume=True)
    assert not guild.is_installed
    assert "manage_guild" in (await guild.press("marlow", "Claim", card)).text


async def test_of_two_who_claim_at_once_one_has_it(guild: NewGuild) -> None:
    core = guild.town.core
    outcomes = await asyncio.gather(
        *(
            core.executor.run("guild_claim", {}, core.callers.of_claimant(guild.id, guild.member(who), Face.SLASH))
            for who in ("ada", "marlow", "olive")
        )
    )
    assert sorted(outcome.status for outcome in outcomes) == ["done", "refused", "refused"]
    assert {outcome.refusal.code for outcome in outcomes if outcome.refusal} == {"guild_taken"}
    rows = await audit_rows(core, guild_id=guild.id, operation="guild_claim", entry="outcome")
    assert len(rows) == 1


async def test_a_claimant_reaches_nothing_else_of_a_guild_that_nobody_has_claimed(guild: NewGuild) -> None:
    core = guild.town.core
    claimant = core.callers.of_claimant(guild.id, guild.member("ada"), Face.SLASH)
    for operation in core.registry:
        if operation.of_inert_guild or claimant.face not in operation.faces:
            continue
        given = {"guild": str(guild.id)} if "guild" in operation.Input.model_fields else {}
        outcome = await core.executor.run(operation.name, given, claimant)
        assert outcome.status == "refused", operation.name


async def test_nobody_claims_a_guild_in_which_he_does_not_ask(guild: NewGuild) -> None:
    """Neither with the rights of another guild, nor one that is served already."""
    core, other = guild.town.core, await joined(guild.town, "Others")
    claimant = core.callers.of_claimant(guild.id, guild.member("ada"), Face.SLASH)
    outcome = await core.executor.run("guild_claim", {"guild": str(other.id)}, claimant)
    assert outcome.refusal is not None
    assert outcome.refusal.code == "unknown_guild"
    await guild.claimed("ada")
    member = core.callers.of_member(guild.id, guild.member("ada"), Face.SLASH)
    assert member is not None
    for target, code in ((other, "unknown_guild"), (guild, "guild_taken")):
        outcome = await core.executor.run("guild_claim", {"guild": str(target.id)}, member)
        assert outcome.refusal is not None
        assert outcome.refusal.code == code
    assert not other.is_installed


async def test_a_claimant_is_admin_in_his_guild_and_nobody_in_another_one_of_the_workspace(guild: NewGuild) -> None:
    await guild.claimed("ada")
    core = guild.town.core
    other = await joined(
        guild.town, "Others", members=[{"name": "ada", "user": guild.member("ada"), "roles": ["Admin"]}, {"name": "bo"}]
    )
    await other.claimed("olive")
    roles = {
        each.id: await core.executor.run("policy_set", {"guild": str(each.id), "write": "confirm"}, caller)
        for each in (guild, other)
        if (caller := core.callers.of_member(each.id, guild.member("ada"), Face.SLASH)) is not None
    }
    assert roles[guild.id].refusal is None
    refusal = roles[other.id].refusal
    assert refusal is not None
    assert (refusal.step, refusal.code) == ("scope", "role")
    assert PlatformRole.MANAGER.label in refusal.reason


async def test_a_guild_that_was_removed_and_claimed_again_begins_empty(guild: NewGuild) -> None:
    await guild.claimed("marlow")
    core = guild.town.core
    first = core.facts.snapshot.installations[guild.id]
    await guild.choose("marlow", "Preset", ["read_only"])
    await until(lambda: first.id in core.facts.snapshot.guild_rules, "the preset is set")
    await guild.town.sandbox.control("remove_guild", guild=guild.id)
    await until(lambda: not guild.is_installed, "the installation ends")
    assert first.id not in core.facts.snapshot.guild_rules

    await guild.town.sandbox.control("invite_again", guild=guild.id)
    await until(lambda: core.client.readiness.is_ready(guild.id), "the guild is back")
    await until(lambda: _offers_claim(guild), "it is told anew")
    assert not guild.is_installed
    await guild.claimed("ada")
    second = core.facts.snapshot.installations[guild.id]
    assert (second.id, second.claimed_by) != (first.id, first.claimed_by)
    assert second.id not in core.facts.snapshot.guild_rules
    caller = core.callers.of_member(guild.id, guild.member("ada"), Face.SLASH)
    assert caller is not None
    listed = await core.executor.run("audit_list", {"guild": str(guild.id)}, caller)
    assert guild.member("marlow") not in {call.by.user_id for call in listed.data.calls}  # type: ignore[union-attr]


async def _offers_claim(guild: NewGuild) -> bool:
    _, message = await guild.card()
    return "'Claim'" in str(message["components"])


# ------------------------------------------------------------- inert guilds
async def test_an_inert_guild_tells_a_command_and_a_mention_how_to_claim_it(guild: NewGuild) -> None:
    assert "/setup" in (await guild.uses("ada", "role list")).text
    bot_id = guild.town.sandbox.bot_id
    for _ in range(3):
        await guild.town.sandbox.control(
            "send", user=guild.member("nina"), channel=guild.channel("log"), content=f"<@{bot_id}> hello"
        )

    async def answers() -> list[str]:
        history = await guild.town.sandbox.control("history", channel=guild.channel("log"))
        return [each["content"] for each in history["messages"] if each["author"]["id"] == bot_id]

    await until(answers, "the mention is answered")
    assert len(await answers()) == 1, "strangers spend nothing by asking again"
    assert "/setup" in (await answers())[0]


async def test_setup_opens_the_card_for_those_who_may_and_for_nobody_else(guild: NewGuild) -> None:
    await guild.card()
    opened = await guild.uses("marlow", "setup")
    shown = (guild.channel("general"), opened.raw["message"])
    assert "Claimed" in (await guild.press("marlow", "Claim", shown)).text
    assert "Chat channels" in (await guild.uses("marlow", "setup")).text
    with pytest.raises(ControlError, match="default-member-permissions"):
        await guild.uses("nina", "setup")


# --------------------------------------------------------------- permissions
async def test_the_link_grants_exactly_what_is_lacking_and_what_the_bot_has(welcoming: Town) -> None:
    held = ["view_channel", "send_messages", "embed_links", "read_message_history", "manage_events"]
    guild = await joined(welcoming, bot_permissions=held, everyone_permissions=["view_channel"])
    _, message = await guild.card()
    assert "Kick Members**: to remove a member from the guild" in text_of(message)
    needed = {name for each in welcoming.core.registry for name in each.bot_permissions}
    assert granted_by(message) == bits(*needed, *held)

    await welcoming.sandbox.control(
        "as_user",
        user=guild.member("olive"),
        method="PATCH",
        path=f"/guilds/{guild.id}/roles/{guild.ids['roles']['Guildhall']}",
        body={"permissions": str(bits(*needed, *held))},
    )
    cached = welcoming.core.client.get_guild(guild.id)
    assert cached is not None
    await until(lambda: cached.me.guild_permissions.kick_members, "the bot has heard of it")
    await guild.press("marlow", "Look again")
    _, message = await guild.card()
    assert "every permission" in text_of(message)


# ------------------------------------------------------------------- choices
async def test_what_is_chosen_on_the_card_is_the_policy_from_then_on(guild: NewGuild) -> None:
    await guild.claimed("ada")
    facts = guild.town.core.facts
    installation = facts.snapshot.installations[guild.id]
    general, log = guild.channel("general"), guild.channel("log")
    assert "Done" in (await guild.choose("ada", "Chat", [{"channel": general}])).text
    assert facts.snapshot.chat_channels[installation.id] == {general}
    assert "Done" in (await guild.choose("ada", "Log", [{"channel": log}])).text
    assert "Done" in (await guild.choose("ada", "Approvers", [{"role": int(guild.ids["roles"]["Manager"])}])).text
    assert "Done" in (await guild.choose("ada", "Preset", ["moderation"])).text
    rules = facts.snapshot.guild_rules[installation.id]
    assert (rules.log_channel_id, rules.preset) == (log, "moderation")
    assert rules.approver_role_ids == (int(guild.ids["roles"]["Manager"]),)
    _, message = await guild.card()
    assert f"<#{log}>" in text_of(message)
    assert "moderation" in text_of(message)
    assert "Done" in (await guild.choose("ada", "Chat", [])).text
    assert installation.id not in facts.snapshot.chat_channels


async def test_what_the_preset_leaves_out_is_refused_to_everybody_with_what_to_do(guild: NewGuild) -> None:
    await guild.claimed("ada")
    core = guild.town.core
    await guild.choose("ada", "Preset", ["read_only"])
    caller = core.callers.of_member(guild.id, guild.member("ada"), Face.SLASH)
    assert caller is not None
    outcome = await core.executor.run("channel_create", {"guild": str(guild.id), "name": "more"}, caller)
    assert outcome.refusal is not None
    assert outcome.refusal.code == "preset"
    assert "/setup" in outcome.refusal.remedy
    assert (await core.executor.run("channel_list", {"guild": str(guild.id)}, caller)).status == "done"


async def test_changing_a_preset_takes_one_more_press_of_an_administrator(guild: NewGuild) -> None:
    await guild.claimed("ada")
    await guild.choose("ada", "Preset", ["read_only"])
    said = await guild.choose("ada", "Preset", ["all"])
    assert "critical" in said.text
    installation = guild.town.core.facts.snapshot.installations[guild.id]
    assert guild.town.core.facts.snapshot.guild_rules[installation.id].preset == "read_only"


async def test_a_choice_of_somebody_who_may_not_changes_nothing(guild: NewGuild) -> None:
    await guild.claimed("ada")
    installation = guild.town.core.facts.snapshot.installations[guild.id]
    for about, values in (
        ("Log", [{"channel": guild.channel("log")}]),
        ("Chat", [{"channel": guild.channel("general")}]),
        ("Preset", ["builder"]),
    ):
        assert "manager" in (await guild.choose("nina", about, values)).text
    assert installation.id not in guild.town.core.facts.snapshot.guild_rules
    assert "Manage Server" in (await guild.press("nina", "Done")).text
    assert (await guild.cards()) != []


async def test_done_puts_the_card_away(guild: NewGuild) -> None:
    await guild.claimed("marlow")
    await guild.press("marlow", "Done")
    assert await guild.cards() == []


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_card_whose_answer_is_lost_stands_there_once(welcoming: Town, when: str) -> None:
    lost = {"method": "POST", "path": "/channels/*/messages", "reset": True, "when": when, "times": 1}
    await welcoming.sandbox.control("fault", faults=[lost])
    try:
        guild = await joined(welcoming)
        await guild.card()
        later = await joined(welcoming)
        await later.card()
        assert len(await guild.cards()) == 1
    finally:
        await welcoming.sandbox.control("reset")
