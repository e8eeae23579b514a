"""The other commands, from outside: what they print, how they end, and one line for each thing that is wrong."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.app import environment
from tests.faults.command_line import guildhall
from tests.faults.effects import message_send
from tests.faults.instance import Instance
from tests.sandbox_process import GuildIds, SandboxProcess

SOMEBODY = "123456789012345678"


async def test_tokens_are_created_listed_and_revoked_while_the_instance_runs(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str
) -> None:
    async with Instance(sandbox, tmp_path, sqlite_url, ALLOWED_GUILD_IDS=guild["id"]) as instance:
        await instance.installed(guild)
        ada = guild["members"]["ada"]
        created = await instance.run_command("token", "create", "--name", "laptop", "--as", ada, "--scope", "all")
        assert created.code == 0, created
        found = re.search(r"(ghd_\S+)", created.out)
        assert found is not None, created
        token = found[1]
        await instance.accepts(token)
        assert (await message_send(sandbox, guild).by(instance, token)).status == "done"
        listed = await instance.run_command("token", "list")
        assert "laptop" in listed.out
        assert token not in listed.out
        client_id = listed.out.split()[0]
        revoked = await instance.run_command("token", "revoke", client_id)
        assert revoked.code == 0, revoked
        await instance.refuses(token)
        again = await instance.run_command("token", "revoke", client_id)
        assert (again.code, again.out) == (1, "")
        assert again.err.strip().splitlines() == [
            f"guildhall: There is no active token {client_id}; `guildhall token list` shows them."
        ]
        assert "laptop" not in (await instance.run_command("token", "list")).out
        assert "revoked" in (await instance.run_command("token", "list", "--all")).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--as", SOMEBODY, "--expires", "soon"),
            "--expires: 'soon' is not a duration; write for example 8h, 30d or 12w.",
        ),
        (("--as", SOMEBODY, "--scope", "everything?"), "--scope: "),
        (
            ("--as", SOMEBODY, "--guild", SOMEBODY),
            f"--guild: {SOMEBODY} is not installed; start `guildhall run` once, or list it.",
        ),
        (("--as", SOMEBODY, "--workspace", "ws_none"), "--workspace: there is no workspace ws_none."),
        (("--operator",), "--operator: name the guilds that it may act in with --guild GUILD_ID."),
        (("--as", SOMEBODY), "There is no workspace yet; start `guildhall run` once, so that it sees its guilds."),
    ],
)
async def test_a_token_that_can_not_be_made_says_why_in_one_line(
    sandbox: SandboxProcess, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    ended = await guildhall(
        "token", "create", "--name", "x", *arguments, environment=environment(sandbox, tmp_path), folder=tmp_path
    )
    assert (ended.code, ended.out) == (1, "")
    (line,) = ended.err.strip().splitlines()
    assert line.startswith(f"guildhall: {said}"), line


async def test_audit_verify_tells_an_intact_audit_from_an_altered_one(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path, sqlite_url: str
) -> None:
    async with Instance(sandbox, tmp_path, sqlite_url, ALLOWED_GUILD_IDS=guild["id"]) as instance:
        token = await instance.token(guild, "ada")
        assert (await message_send(sandbox, guild).by(instance, token)).status == "done"
        await instance.verified()
        intact = await instance.run_command("audit", "verify")
        assert intact.code == 0, intact
        instance.terminate()
        await instance.ended()
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection, connection:
            # Whoever holds the file can take the triggers away that keep it append-only.
            triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for (name,) in triggers:
                connection.execute(f'DROP TRIGGER "{name}"')
            connection.execute("UPDATE audit_event SET operation = 'message_edit' WHERE entry = 'outcome'")
        altered = await instance.run_command("audit", "verify")
        assert altered.code == 1, altered
        assert "altered" in altered.out


async def test_doctor_looks_at_every_part_and_says_what_to_do(
    sandbox: SandboxProcess, tmp_path: Path, sqlite_url: str
) -> None:
    given = environment(sandbox, tmp_path, DATABASE_URL=sqlite_url)
    assert (await guildhall("migrate", environment=given, folder=tmp_path)).code == 0
    # The simulated application has none of the privileged intents switched on.
    fine_settings = given | {"MEMBERS_INTENT": "false", "MESSAGE_CONTENT_INTENT": "false"}
    fine = await guildhall("doctor", environment=fine_settings, folder=tmp_path)
    assert fine.code == 0, fine
    assert [line.split()[:2] for line in fine.out.splitlines()] == [
        ["ok", "token"],
        ["ok", "intents"],
        ["ok", "intents"],
        ["ok", "clock"],
        ["ok", "database"],
        ["ok", "guilds"],
        ["ok", "redis"],
        ["ok", "public"],
    ]
    without_intents = await guildhall("doctor", environment=given, folder=tmp_path)
    assert without_intents.code == 1
    failed = [line for line in without_intents.out.splitlines() if line.startswith("FAIL")]
    assert len(failed) == 2, failed
    assert "set MEMBERS_INTENT=false" in failed[0]
    assert "set MESSAGE_CONTENT_INTENT=false" in failed[1]
    broken = given | {
        "DISCORD_BOT_TOKEN": "sandbox.wrong",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "DATABASE_URL": "postgresql://nobody:hunter2hunter2@127.0.0.1:1/none",
        "PUBLIC_URL": "http://127.0.0.1:1",
    }
    ill = await guildhall("doctor", environment=broken, folder=tmp_path)
    assert ill.code == 1, ill
    parts = {line.split()[1] for line in ill.out.splitlines() if line.startswith("FAIL")}
    assert parts == {"token", "database", "redis", "public"}, ill.out
    assert "hunter2hunter2" not in ill.out + ill.err
    assert "Traceback" not in ill.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"DISCORD_BOT_TOKEN": ""}, "DISCORD_BOT_TOKEN: missing;"),
        ({"DISCORD_BOT_TOKEN": "Bot x.y.z"}, "DISCORD_BOT_TOKEN: leave out the word before the token."),
        ({"ALLOW_INSECURE_DISCORD_API": "false"}, "DISCORD_API_BASE_URL: the bot's token would go unencrypted"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL: "),
        (
            {"DATABASE_URL": "postgresql://u:hunter2hunter2@127.0.0.1:1/none"},
            "DATABASE_URL: the database does not answer",
        ),
        ({"PORT": "eighty"}, "PORT: "),
        ({"SECRET_KEYS": "short"}, "SECRET_KEYS: "),
        ({"ALLOWED_GUILD_IDS": "my guild"}, "ALLOWED_GUILD_IDS: "),
        ({"DISCORD_BOT_TOKEN": "sandbox.wrong"}, "Discord refused DISCORD_BOT_TOKEN"),
        ({"DISCORD_API_BASE_URL": "http://127.0.0.1:1/api/v10"}, ""),
        ({"AGENT_ENABLED": "true", "AGENT_API_KEY": "k" * 20, "ENABLE_GATEWAY": "false"}, "AGENT_ENABLED: "),
    ],
)
async def test_run_with_a_wrong_setting_stops_with_one_line(
    sandbox: SandboxProcess, tmp_path: Path, given: dict[str, str], said: str
) -> None:
    ended = await guildhall("run", environment=environment(sandbox, tmp_path, **given), folder=tmp_path)
    assert (ended.code, ended.out) == (1, "")
    lines = [line for line in ended.err.splitlines() if line.startswith("guildhall: ")]
    assert len(lines) == 1, ended.err
    assert lines[0].startswith(f"guildhall: {said}"), lines
    assert "Traceback" not in ended.err
    assert "hunter2hunter2" not in ended.err


async def test_a_database_of_the_sandbox_never_serves_the_real_discord(sandbox: SandboxProcess, tmp_path: Path) -> None:
    given = environment(sandbox, tmp_path)
    assert (await guildhall("migrate", environment=given, folder=tmp_path)).code == 0
    real = {key: value for key, value in given.items() if not key.startswith(("DISCORD", "ALLOW"))}
    ended = await guildhall("migrate", environment=real, folder=tmp_path)
    assert ended.code == 1
    assert "marked 'sandbox'" in ended.err


async def test_a_port_that_is_taken_is_told_in_one_line(
    sandbox: SandboxProcess, guild: GuildIds, tmp_path: Path
) -> None:
    port = sandbox.base_url.rpartition(":")[2]
    ended = await guildhall("run", environment=environment(sandbox, tmp_path, PORT=port), folder=tmp_path)
    assert ended.code == 1
    lines = [line for line in ended.err.splitlines() if line.startswith("guildhall: ")]
    assert len(lines) == 1, ended.err
    assert "PORT" in lines[0]
