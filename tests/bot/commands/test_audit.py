"""The audit from the command line: a copy of it that can be verified elsewhere."""

from __future__ import annotations

import json
import stat
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot import command_line, settings
from bot.commands import audit as command
from bot.commands.failures import CommandError
from bot.marked_database import opened_database
from bot.settings import Settings
from storage import audit
from storage.audit_chain import Chain
from storage.instance import Mark
from tests.storage.rows import NOW, entry

KEYS = "a key for tests that nobody must use elsewhere"


def configured(folder: Path, **more: str) -> Settings:
    return settings.load({"DATA_DIR": str(folder), "SECRET_KEYS": KEYS} | more, env_file=None, needs_token=False)


async def run(given: Settings, *arguments: str) -> tuple[Sequence[str], bool]:
    return await command.run(given, command_line.parsed(["audit", *arguments]), Mark.SANDBOX)


async def fill(given: Settings, workspace_id: str, count: int) -> None:
    async with opened_database(given, Mark.SANDBOX) as database:
        async with database.unit_of_work() as session:
            for number in range(count):
                made = entry(workspace_id, f"{workspace_id}-{number}", at=NOW + number, reason="“quoted”\nline")
                await audit.append(session, made)
        await Chain(database).catch_up()


async def exported(folder: Path, *arguments: str) -> Path:
    given = configured(folder)
    await fill(given, "ws_1", 5)
    await fill(given, "ws_2", 3)
    path = folder / "audit.jsonl"
    said, fine = await run(given, "export", "--output", str(path), *arguments)
    assert fine
    assert str(path) in said[0]
    return path


async def test_an_export_is_verified_without_the_database(tmp_path: Path) -> None:
    path = await exported(tmp_path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    heads = [line["head"] for line in lines if "audit" in line]
    assert [(head["workspace_id"], head["seq"]) for head in heads] == [("ws_1", 5), ("ws_2", 3)]
    assert [line["seq"] for line in lines if "seq" in line] == [1, 2, 3, 4, 5, 1, 2, 3]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    said, fine = await run(configured(tmp_path / "elsewhere"), "verify", "--file", str(path))
    assert fine, said
    assert "checked=8" in said[0]
    assert not (tmp_path / "elsewhere").exists()


async def test_one_workspace_can_be_exported_alone(tmp_path: Path) -> None:
    path = await exported(tmp_path, "--workspace", "ws_2")
    assert "ws_1" not in path.read_text()
    assert (await run(configured(tmp_path), "verify", "--file", str(path)))[1]


@pytest.mark.parametrize(
    ("line", "becomes", "fault"),
    [
        (2, ("member_ban", "member_get"), "altered"),
        (2, None, "deleted"),
        (5, None, "truncated"),
        (0, ('"seq":5', '"seq":4'), "head_altered"),
    ],
    ids=["an entry is altered", "an entry is left out", "the last one is cut off", "the head is altered"],
)
async def test_an_export_that_was_changed_is_told_so(
    tmp_path: Path, line: int, becomes: tuple[str, str] | None, fault: str
) -> None:
    path = await exported(tmp_path)
    lines = path.read_text().splitlines(keepends=True)
    changed = "" if becomes is None else lines[line].replace(*becomes)
    assert changed != lines[line]
    path.write_text("".join([*lines[:line], changed, *lines[line + 1 :]]))
    said, fine = await run(configured(tmp_path), "verify", "--file", str(path))
    assert not fine
    assert fault in said[0]


async def test_other_keys_verify_nothing(tmp_path: Path) -> None:
    path = await exported(tmp_path)
    other = configured(tmp_path, SECRET_KEYS="another key for tests that nobody must use elsewhere")
    assert not (await run(other, "verify", "--file", str(path)))[1]


@pytest.mark.parametrize("text", ["no JSON\n", '{"seq": 1}\n', '{"audit": 2}\n', '{"audit": 1}\n', "[]\n", "1\n"])
async def test_what_is_no_export_is_told_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "some.jsonl"
    path.write_text(text)
    said, fine = await run(configured(tmp_path), "verify", "--file", str(path))
    assert not fine
    assert "Line 1" in said[0]


async def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    given = configured(tmp_path)
    await fill(given, "ws_1", 1)
    path = tmp_path / "there"
    path.write_text("mine")
    with pytest.raises(CommandError, match="name a new file"):
        await run(given, "export", "--output", str(path))
    assert path.read_text() == "mine"
    with pytest.raises(CommandError, match="audit export"):
        await run(given, "verify", "--file", str(tmp_path / "nowhere"))


async def test_a_long_audit_is_exported_in_little_memory(tmp_path: Path) -> None:
    given = configured(tmp_path)
    for part in range(6):
        async with opened_database(given, Mark.SANDBOX) as database, database.unit_of_work() as session:
            for number in range(1_000):
                arguments = json.dumps({"content": "x" * 2_000})
                await audit.append(session, entry("ws_1", f"{part}-{number}", arguments=arguments))
    async with opened_database(given, Mark.SANDBOX) as database:
        await Chain(database).catch_up()
    path = tmp_path / "audit.jsonl"
    tracemalloc.start()
    try:
        await run(given, "export", "--output", str(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 12_000_000
    assert peak < 10_000_000, peak
