"""What the first start installs, and what joins and leaves later."""

from __future__ import annotations

from pathlib import Path

import aiohttp

from policy.model import PlatformRole
from storage import installations, memberships, workspaces
from tests.app import HARBOR, until
from tests.faults.instance import Instance
from tests.sandbox_process import GuildIds, SandboxProcess


async def _installed(instance: Instance, guild: GuildIds) -> str | None:
    """The guild's workspace."""
    async with instance.database() as database, database.read() as session:
        found = await installations.active(session, int(guild["id"]))
        return None if found is None else found.workspace_id


async def _application_owner(sandbox: SandboxProcess) -> int:
    """https://discord.com/developers/docs/resources/application#get-current-application"""
    headers = {"Authorization": f"Bot {sandbox.bot_token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.get(f"{sandbox.api_base_url}/oauth2/applications/@me") as response,
    ):
        application = await response.json()
        return int(application["owner"]["id"])


async def test_the_first_start_makes_one_workspace_of_all_guilds_owned_by_the_applications_owner(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str
) -> None:
    another = await sandbox.make_guild("Another Harbor", **HARBOR)
    async with Instance(sandbox, tmp_path, sqlite_url) as instance:
        await instance.installed(guild)
        await instance.installed(another)
        async with instance.database() as database, database.read() as session:
            workspace_id = await workspaces.default(session)
            assert workspace_id is not None
            owners = await memberships.all_of(session, workspace_id)
        assert await _installed(instance, guild) == await _installed(instance, another) == workspace_id
        assert owners == {await _application_owner(sandbox): PlatformRole.OWNER}
    await sandbox.control("remove_guild", guild=another["id"])


async def test_without_a_single_workspace_nothing_is_installed(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str
) -> None:
    async with Instance(sandbox, tmp_path, sqlite_url, SINGLE_WORKSPACE="false") as instance:
        await instance.until_part("gateway", "up")
        async with instance.database() as database:
            from storage import instance as kept

            async def has_started() -> bool:
                async with database.read() as session:
                    return await kept.get(session, "started") is not None

            await until(has_started, "the first start is over")
            async with database.read() as session:
                assert await workspaces.default(session) is None
        assert await _installed(instance, guild) is None


async def test_a_guild_that_the_bot_joins_later_is_inert_and_one_that_it_leaves_ends(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str
) -> None:
    async with Instance(sandbox, tmp_path, sqlite_url) as instance:
        token = await instance.token(guild, "ada")
        later = await sandbox.make_guild(
            "Later Harbor",
            **{**HARBOR, "members": [{"name": "ada", "user": int(guild["members"]["ada"]), "roles": ["Admin"]}]},
        )
        nowhere = await instance.call(token, "channel_list", guild="1")

        # The notice of a message comes after that of its guild.
        channel, said = later["channels"]["general"], "here we are"
        await sandbox.control("send", user=int(later["members"]["ada"]), channel=int(channel), content=said)
        inert = await instance.call(token, "channel_list", guild=later["id"])
        assert inert.is_error
        assert inert.said == nowhere.said
        assert await _installed(instance, later) is None

        before = await instance.call(token, "channel_list", guild=guild["id"])
        assert not before.is_error
        await sandbox.control("remove_guild", guild=guild["id"])

        async def has_ended() -> bool:
            return await _installed(instance, guild) is None

        await until(has_ended, "the installation ends")
        gone = await instance.call(token, "channel_list", guild=guild["id"])
        assert gone.said == nowhere.said
        await sandbox.control("remove_guild", guild=later["id"])


async def test_at_a_later_start_a_listed_guild_is_served_and_one_that_was_left_has_ended(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str
) -> None:
    gone = await sandbox.make_guild("Gone Harbor", **HARBOR)
    async with Instance(sandbox, tmp_path, sqlite_url, ALLOWED_GUILD_IDS=gone["id"]) as instance:
        await instance.installed(gone)
        assert await _installed(instance, guild) is None
        instance.terminate()
        assert (await instance.ended()).code == 0
        await sandbox.control("remove_guild", guild=gone["id"])
        instance.environment["ALLOWED_GUILD_IDS"] = f"{gone['id']},{guild['id']}"
        await instance.start()
        token = await instance.token(guild, "ada")
        assert not (await instance.call(token, "channel_list", guild=guild["id"])).is_error

        async def has_ended() -> bool:
            return await _installed(instance, gone) is None

        await until(has_ended, "the installation ends")
