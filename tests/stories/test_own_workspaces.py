"""Guilds of an instance on which people install the bot into workspaces of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import settings
from bot.app import running
from policy.model import Face, PlatformRole
from storage.instance import Mark
from tests.app import Town, another_discord, environment, until
from tests.sandbox_process import SandboxProcess
from tests.setting_up import NEWCOMERS, NewGuild, joined

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_each_claimant_owns_a_workspace_and_a_guild_may_move_to_another_one(tmp_path: Path) -> None:
    async with SandboxProcess() as sandbox:
        anchor = await sandbox.make_guild("Anchor", **NEWCOMERS)
        given = environment(sandbox, tmp_path, SET_UP_CARDS="true", SINGLE_WORKSPACE="false")
        configured = settings.load(given, env_file=None)
        with another_discord():
            async with running(configured, Mark.SANDBOX, port=0) as app:
                town = Town(sandbox, app, given, anchor)
                await _each_has_his_own(town, NewGuild(town, anchor))


async def _each_has_his_own(town: Town, first: NewGuild) -> None:
    facts = town.core.facts
    # Nobody was asked at the first start: the guild that was there already is told now.
    await first.claimed("ada")
    second = await joined(town, "Second", members=[{"name": "ada", "user": first.member("ada"), "roles": ["Admin"]}])
    await second.claimed("ada")
    other = await joined(town, "Other")
    await other.claimed("marlow")
    installed = facts.snapshot.installations
    assert installed[first.id].workspace_id == installed[second.id].workspace_id != installed[other.id].workspace_id
    assert facts.snapshot.memberships == {
        (installed[first.id].workspace_id, first.member("ada")): PlatformRole.OWNER,
        (installed[other.id].workspace_id, other.member("marlow")): PlatformRole.OWNER,
    }

    before = installed[first.id]
    await first.choose("ada", "Log", [{"channel": first.channel("log")}])
    assert before.id in facts.snapshot.guild_rules
    await town.sandbox.control("remove_guild", guild=first.id)
    await until(lambda: not first.is_installed, "the installation ends")
    await town.sandbox.control("invite_again", guild=first.id)
    await until(lambda: town.core.client.readiness.is_ready(first.id), "the guild is back")

    async def is_told_anew() -> bool:
        return "'Claim'" in str((await first.card())[1]["components"])

    await until(is_told_anew, "the guild is told anew")
    await first.claimed("marlow")
    after = facts.snapshot.installations[first.id]
    assert after.workspace_id not in (before.workspace_id, installed[other.id].workspace_id)
    assert after.id not in facts.snapshot.guild_rules
    caller = town.core.callers.of_member(first.id, first.member("marlow"), Face.SLASH)
    assert caller is not None
    listed = await town.core.executor.run("audit_list", {"guild": str(first.id)}, caller)
    assert "log_channel_set" not in str(listed.data), "what the earlier workspace did is none of this one's"
