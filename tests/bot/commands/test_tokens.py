"""Tokens from the command line: what is made, and what each mistake is told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot import command_line, settings
from bot.commands import tokens
from bot.commands.failures import CommandError
from bot.marked_database import opened_database
from bot.settings import Settings
from storage import installations, workspaces
from storage.instance import Mark

GUILD, OTHER_GUILD, PERSON = 123456789012345678, 123456789012345679, 223456789012345678


@pytest.fixture
def configured(tmp_path: Path) -> Settings:
    given = {"DATA_DIR": str(tmp_path), "SECRET_KEYS": "a key for tests that nobody must use elsewhere"}
    return settings.load(given, env_file=None, needs_token=False)


async def started(configured: Settings) -> None:
    """As after a first start, with another workspace beside the default one."""
    async with opened_database(configured, Mark.SANDBOX) as database, database.unit_of_work() as session:
        default = await workspaces.create(session, "Default", PERSON, time.time())
        await workspaces.set_default(session, default)
        other = await workspaces.create(session, "Other", PERSON, time.time())
        await installations.install(session, default, GUILD, time.time())
        await installations.install(session, other, OTHER_GUILD, time.time())


async def run(configured: Settings, *given: str) -> Sequence[str]:
    return await tokens.run(configured, command_line.parsed(["token", *given]), Mark.SANDBOX)


AS = ("create", "--name", "laptop", "--as", str(PERSON))
OPERATOR = ("create", "--name", "script", "--operator")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((*AS, "--scope", "everything"), "--scope: 'everything' is not a scope"),
        ((*AS, "--expires", "soon"), "--expires: 'soon' is not a duration; write for example 8h"),
        ((*AS, "--expires", "30"), "--expires: '30' is not a duration"),
        ((*AS, "--expires", "0d"), "--expires: '0d' is not between"),
        ((*AS, "--expires", "99999999999w"), "--expires: '99999999999w' is not between"),
        ((*AS, "--toolset", "mesages"), "--toolset: there is no toolset 'mesages'; there are "),
        ((*AS, "--guild", "12"), "--guild: 12 is not a Discord id"),
        ((*AS, "--guild", str(1 << 63)), "is not a Discord id"),
        (("create", "--name", "x", "--as", "12"), "--as: 12 is not a Discord id"),
        (("create", "--name", "x", "--as", "0"), "--as: 0 is not a Discord id"),
        ((*AS, "--guild", str(GUILD + 5)), f"--guild: {GUILD + 5} is not installed"),
        ((*AS, "--guild", str(GUILD), "--guild", str(OTHER_GUILD)), "belong to different workspaces"),
        ((*AS, "--workspace", "ws_none"), "--workspace: there is no workspace ws_none"),
        (OPERATOR, "--operator: name the guilds"),
        (("revoke", "mc_none"), "There is no active token mc_none"),
    ],
)
async def test_a_mistake_is_told_in_one_line_that_says_what_to_do(
    configured: Settings, given: tuple[str, ...], said: str
) -> None:
    await started(configured)
    with pytest.raises(CommandError) as raised:
        await run(configured, *given)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "no tokens" in (await run(configured, "list"))[0]


async def test_before_the_first_start_one_is_told_to_start(configured: Settings) -> None:
    with pytest.raises(CommandError, match="start `guildhall run` once"):
        await run(configured, *AS)


@pytest.mark.parametrize(
    "given",
    [
        ("create", "--as", str(PERSON)),
        ("create", "--name", "x"),
        (*AS, "--operator"),
        (*AS, "--guild", "general"),
        ("revoke",),
        (),
    ],
    ids=["no name", "nobody", "both", "guild name", "no client", "no action"],
)
async def test_an_incomplete_command_ends_with_2(configured: Settings, given: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        await run(configured, *given)
    assert ended.value.code == 2


async def test_a_token_is_shown_once_and_listed_without_itself(configured: Settings) -> None:
    await started(configured)
    created = await run(configured, *AS, "--expires", "30d", "--toolset", "messages", "--read-only")
    token = created[-1].removeprefix("Token (shown once): ")
    assert token.startswith("ghd_")
    [listed] = await run(configured, "list")
    assert listed == created[0]
    assert token not in listed
    for part in ("laptop", f"as {PERSON}", "[*:read]", "read-only", "toolsets messages", "until ", "active"):
        assert part in listed


async def test_an_operators_token_warns_and_ends_by_itself(configured: Settings) -> None:
    await started(configured)
    created = await run(configured, *OPERATOR, "--guild", str(GUILD))
    assert created[0].startswith("Warning: no person stands behind")
    assert "until " in created[1]
    assert f"guilds {GUILD}" in created[1]


async def test_a_token_belongs_to_the_workspace_of_its_guild(configured: Settings) -> None:
    await started(configured)
    default = (await run(configured, *AS))[0]
    same = (await run(configured, *AS, "--guild", str(GUILD)))[0]
    other = (await run(configured, *AS, "--guild", str(OTHER_GUILD)))[0]

    def workspace(line: str) -> str:
        return next(part for part in line.split() if part.startswith("ws_"))

    assert workspace(default) == workspace(same) != workspace(other)


async def test_a_revoked_token_is_listed_only_on_demand_and_revoked_once(configured: Settings) -> None:
    await started(configured)
    client_id = (await run(configured, *AS))[0].split()[0]
    [said] = await run(configured, "revoke", client_id)
    assert said.startswith(f"Revoked {client_id}.")
    assert "no tokens" in (await run(configured, "list"))[0]
    assert (await run(configured, "list", "--all"))[0].endswith("revoked")
    with pytest.raises(CommandError, match="no active token"):
        await run(configured, "revoke", client_id)
