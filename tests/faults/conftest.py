from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from tests import databases
from tests.app import HARBOR
from tests.faults import kills
from tests.faults.instance import Instance
from tests.sandbox_process import ControlError, GuildIds, SandboxProcess


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sandbox_for_session() -> AsyncGenerator[SandboxProcess]:
    """One sandbox a worker. The instances that connect to it are a test's own."""
    async with SandboxProcess() as sandbox:
        await sandbox.make_guild("Anchor", owner="olive")
        yield sandbox


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def steady_sandbox() -> AsyncGenerator[SandboxProcess]:
    """That of ``steady_instance`` alone: two bots of one application would answer each other's interactions."""
    async with SandboxProcess() as sandbox:
        await sandbox.make_guild("Anchor", owner="olive")
        yield sandbox


@pytest_asyncio.fixture
async def sandbox(
    request: pytest.FixtureRequest, sandbox_for_session: SandboxProcess, steady_sandbox: SandboxProcess
) -> AsyncGenerator[SandboxProcess]:
    """The worker's sandbox; faults, limits and delays end with the test."""
    chosen = steady_sandbox if "steady_instance" in request.fixturenames else sandbox_for_session
    yield chosen
    await chosen.control("reset")


@pytest_asyncio.fixture
async def guild(sandbox: SandboxProcess) -> AsyncGenerator[GuildIds]:
    """A guild of the test's own: ada administers, nina is a member."""
    made = await sandbox.make_guild("Harbor", **HARBOR)
    yield made
    await sandbox.control("reset")
    with contextlib.suppress(ControlError):  # the test itself may have removed it
        await sandbox.control("remove_guild", guild=made["id"])


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'guildhall.db'}"


@pytest_asyncio.fixture(params=databases.DIALECTS)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[str]:
    """The test runs once on each dialect."""
    async with databases.fresh_database_url(request.param, tmp_path) as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def steady_instance(
    steady_sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Instance]:
    """An instance that several tests share: none of them ends it. What would take long there is short."""
    folder = tmp_path_factory.mktemp("steady")
    constants = {"operations.settlement.EXECUTE_TIMEOUT_SECONDS": 1.0}
    async with Instance(
        steady_sandbox, folder, f"sqlite:///{folder / 'guildhall.db'}", constants=constants
    ) as instance:
        yield instance


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What became of the processes that were killed (test_kill_storms)."""
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        if isinstance(report, pytest.TestReport)
    ]
    rows = kills.table([kills.Kill(*found) for report in reports for found in kills.recorded(report.user_properties)])
    if rows:
        terminalreporter.section("kills")
        for row in rows:
            terminalreporter.write_line(row)
