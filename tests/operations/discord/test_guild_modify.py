"""Changing a guild's settings."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import discord
import pytest
import pytest_asyncio

from bot.core import Core
from operations.base import Status
from policy.model import Tier
from tests.app import until
from tests.operations.discord.confirming import inverse, logged
from tests.operations.discord.outcomes import done, previewed, refused
from tests.operations.discord.road import Road, install
from tests.samples import UNKNOWN_ID
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def community(core_and_sandbox: tuple[Core, SandboxProcess]) -> AsyncGenerator[Road]:
    """A Community guild: gwen manages it, nina is a member; #den is hidden from all but the owner."""
    core, sandbox = core_and_sandbox
    guild = await sandbox.make_guild(
        "Commons",
        owner="olive",
        features=["COMMUNITY", "NEWS"],
        description="where we meet",
        roles=[{"name": "Keeper", "permissions": ["manage_guild"]}, {"name": "Member"}],
        members=[{"name": "gwen", "roles": ["Keeper"]}, {"name": "nina", "roles": ["Member"]}],
        channels=[
            {"name": "general"},
            {"name": "rules"},
            {"name": "updates"},
            {"name": "afk", "type": "voice"},
            {
                "name": "den",
                "overwrites": [
                    {"role": "@everyone", "deny": ["view_channel"]},
                    {"role": "Guildhall", "allow": ["view_channel"]},
                ],
            },
        ],
        rules_channel="rules",
        public_updates_channel="updates",
        system_channel="general",
    )
    await install(core, guild)
    yield Road(core, sandbox, guild)
    await sandbox.control("reset")
    await sandbox.control("remove_guild", guild=guild["id"])


async def settings(road: Road) -> dict[str, Any]:
    """Name and settings as Discord has them."""
    seen = await road.sandbox.control("world", guild=road.guild_id)
    guild = seen["guilds"][0]
    return {"name": guild["name"], **guild["settings"]}


async def heard(road: Road) -> None:
    """The bot's cache agrees with Discord."""
    there = await settings(road)

    def agrees() -> bool:
        guild = road.core.state.source.cached(road.guild_id)
        return guild is not None and (
            guild.name,
            guild.description,
            guild.verification_level.value,
            guild.premium_progress_bar_enabled,
            None if guild.afk_channel is None else str(guild.afk_channel.id),
        ) == (
            there["name"],
            there["description"],
            there["verification_level"],
            there["premium_progress_bar_enabled"],
            there["afk_channel_id"],
        )

    await until(agrees, "the change arrives")


EVERYTHING: dict[str, Any] = {
    "name": "The Commons",
    "description": "a better word",
    "verification_level": "high",
    "default_notifications": "only_mentions",
    "explicit_content_filter": "all_members",
    "afk_timeout_seconds": 900,
    "preferred_locale": "de",
    "premium_progress_bar": True,
}


async def test_all_settings_are_changed_in_one_request_and_put_back(community: Road) -> None:
    before = await settings(community)
    channels = {
        "afk_channel": community.channel("afk"),
        "system_channel": community.channel("rules"),
        "rules_channel": community.channel("general"),
        "public_updates_channel": community.channel("rules"),
    }
    shown = previewed(await community.call("guild_modify", "gwen", **EVERYTHING, **channels, dry_run=True))
    assert shown.problems == ()
    assert shown.reversible
    assert await settings(community) == before
    undo = await inverse(community, "guild_modify", **EVERYTHING, **channels)
    await community.writes()
    outcome = await community.call("guild_modify", None, **EVERYTHING, **channels, dry_run=False)
    result = done(outcome)
    assert await community.writes() == [f"PATCH /guilds/{community.guild_id}"]
    assert result["name"] == "The Commons"
    assert set(result["changed"]) == {*EVERYTHING, *channels}
    assert await settings(community) == {
        **before,
        "name": "The Commons",
        "description": "a better word",
        "verification_level": 3,
        "default_message_notifications": 1,
        "explicit_content_filter": 2,
        "afk_timeout": 900,
        "preferred_locale": "de",
        "premium_progress_bar_enabled": True,
        "afk_channel_id": community.channel("afk"),
        "system_channel_id": community.channel("rules"),
        "rules_channel_id": community.channel("general"),
        "public_updates_channel_id": community.channel("rules"),
    }
    entry = await logged(community)
    assert entry["action_type"] == discord.AuditLogAction.guild_update.value
    assert entry["reason"].startswith(f"gh:{outcome.call_id}:")
    await heard(community)
    assert undo.arguments["clear"] == ["afk_channel"]
    done(await community.call(undo.operation, None, **undo.arguments, dry_run=False))
    assert await settings(community) == before


async def test_a_change_is_risky_and_tells_before_and_after(community: Road) -> None:
    outcome = await community.call(
        "guild_modify", "gwen", description="new words", verification_level="low", system_channel="rules", dry_run=True
    )
    assert outcome.tier is Tier.RISKY
    shown = previewed(outcome)
    assert shown.summary == "Change description, verification_level, system_channel of the guild Commons"
    general, rules = community.channel("general"), community.channel("rules")
    assert [(each.field, each.before, each.after) for each in shown.changes] == [
        ("description", "13 characters", "new words"),
        ("verification_level", "none", "low"),
        ("system_channel", f"{general} #general", f"{rules} #rules"),
    ]
    waits = await community.call("guild_modify", "gwen", description="new words", dry_run=False)
    assert waits.status is Status.NEEDS_CONFIRMATION


async def test_who_may_not_manage_the_guild_changes_nothing(community: Road) -> None:
    refusal = refused(await community.call("guild_modify", "nina", name="Mine"))
    assert refusal.code == "you_lack_permission"
    assert "manage_guild" in refusal.reason
    assert "manage_guild" in refusal.remedy
    assert (await settings(community))["name"] == "Commons"


async def test_a_value_that_is_there_already_changes_nothing(community: Road) -> None:
    for arguments in ({}, {"name": "Commons"}, {"name": " Commons "}, {"clear": ["afk_channel"]}):
        shown = previewed(await community.call("guild_modify", "gwen", **arguments, dry_run=True))
        assert any(problem.startswith("Nothing would change") for problem in shown.problems), arguments


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": "x"}, "2 to 100"),
        ({"description": "x" * 301}, "at most 300"),
        ({"afk_timeout_seconds": 61}, "AFK timeout"),
        ({"preferred_locale": "klingon"}, "no such locale"),
        ({"afk_channel": "general"}, "a voice channel"),
        ({"rules_channel": "afk"}, "a text channel"),
        ({"clear": ["rules_channel"]}, "needs rules_channel"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_what_discord_would_refuse_is_a_problem_before(
    community: Road, arguments: dict[str, Any], said: str
) -> None:
    before = await settings(community)
    shown = previewed(await community.call("guild_modify", "gwen", **arguments, dry_run=True))
    assert any(said in problem for problem in shown.problems), shown.problems
    assert refused(await community.call("guild_modify", "gwen", **arguments, dry_run=False)).code == "would_fail"
    assert await settings(community) == before


async def test_only_a_community_guild_has_rules_and_a_description(road: Road) -> None:
    for arguments in ({"rules_channel": "general"}, {"description": "words"}, {"public_updates_channel": "general"}):
        shown = previewed(await road.call("guild_modify", "ada", **arguments, dry_run=True))
        assert any("Only Community guilds" in problem for problem in shown.problems), shown.problems


async def test_a_lax_community_guild_is_uncertain(community: Road) -> None:
    shown = previewed(await community.call("guild_modify", "gwen", explicit_content_filter="no_role", dry_run=True))
    assert shown.unknowns
    assert shown.problems == ()


async def test_a_channel_that_one_can_not_see_is_unknown_and_not_named(community: Road) -> None:
    answers = [
        refused(await community.call("guild_modify", "gwen", guild=str(community.guild_id), system_channel=channel))
        for channel in (community.channel("den"), UNKNOWN_ID)
    ]
    assert answers[0] == answers[1]
    done(await community.call("guild_modify", None, system_channel=community.channel("den"), dry_run=False))
    guild = community.core.state.source.cached(community.guild_id)
    assert guild is not None
    await until(lambda: guild.system_channel and guild.system_channel.name == "den", "the change arrives")
    shown = previewed(await community.call("guild_modify", "gwen", system_channel="general", dry_run=True))
    assert [(each.before, each.after) for each in shown.changes] == [(None, f"{community.channel('general')} #general")]


async def test_a_channel_that_was_not_set_is_cleared_again(community: Road) -> None:
    shown = previewed(await community.call("guild_modify", "gwen", afk_channel="afk", dry_run=True))
    assert shown.reversible
    undo = await inverse(community, "guild_modify", afk_channel=community.channel("afk"))
    assert undo.arguments == {"guild": str(community.guild_id), "clear": ["afk_channel"]}


async def test_to_set_and_to_clear_at_once_is_refused(community: Road) -> None:
    refusal = refused(await community.call("guild_modify", "gwen", afk_channel="afk", clear=["afk_channel"]))
    assert refusal.step == "validate"


async def test_a_lost_answer_is_found_by_the_tag(community: Road) -> None:
    fault = {"method": "PATCH", "path": f"/guilds/{community.guild_id}", "reset": True, "when": "after", "times": 1}
    await community.sandbox.control("fault", faults=[fault])
    done(await community.call("guild_modify", None, premium_progress_bar=True, dry_run=False))
    assert (await settings(community))["premium_progress_bar_enabled"] is True
