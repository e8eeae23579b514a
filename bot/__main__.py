"""The command line: ``guildhall run | demo | stdio | doctor | migrate | token | audit | reference``."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Coroutine, Sequence
from typing import Any

from bot import settings as settings_module
from bot.client import ConnectionRefusedByDiscord
from bot.commands import audit, demo, doctor, reference, serving, stdio, tokens
from bot.commands.tokens import CommandError
from bot.core import opened_database
from bot.settings import Settings, SettingsError
from mcp_server.server import product_version
from migrations import runner
from storage.database import DatabaseUnavailable
from storage.instance import Mark, MarkMismatch


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0 done, 1 refused or failed, 2 a wrong command line."""
    arguments = _parser().parse_args(argv)
    if arguments.command == "run" and arguments.reload:
        return serving.run_reloading(["run"])
    try:
        return _run(_command(arguments))
    except SettingsError as error:
        return _fail(*error.problems)
    except (CommandError, ConnectionRefusedByDiscord, MarkMismatch, ValueError) as error:
        return _fail(str(error))
    except DatabaseUnavailable as error:
        return _fail(f"DATABASE_URL: the database does not answer ({error}); start it, or mend the URL.")
    except OSError as error:
        return _fail(f"{error.strerror or error}; choose another PORT or address, or mend the file.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="guildhall", description="A self-hosted control plane for Discord.")
    parser.add_argument("--version", action="version", version=f"guildhall {product_version()}")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run the bot and the MCP server")
    run.add_argument("--reload", action="store_true", help="start anew when the code changes")
    demo.add_parser(commands)
    stdio.add_parser(commands)
    commands.add_parser("doctor", help="check token, intents, database, Redis, clock and public URL")
    migrate = commands.add_parser("migrate", help="bring the database's schema up to date")
    migrate.add_argument(
        "--down", metavar="REVISION", help="go back to this revision instead (base: an empty database)"
    )
    tokens.add_parser(commands)
    audit.add_parser(commands)
    reference.add_parser(commands)
    return parser


async def _command(arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "demo":
            await demo.run(arguments)
        case "run":
            settings = _settings()
            if settings.mcp_transport == "stdio":
                await stdio.run(settings, _parser().parse_args(["stdio"]), _mark(settings))
            else:
                await serving.run(settings, _mark(settings))
        case "stdio":
            if not await stdio.run_proxy_from_environment():
                settings = _settings()
                await stdio.run(settings, arguments, _mark(settings))
        case "reference":
            print(reference.run(arguments))
        case "doctor":
            return await _doctor()
        case "migrate":
            settings = _settings(needs_token=False)
            if arguments.down is not None:
                await runner.downgrade(settings.database, arguments.down)
                print(f"The database is at {await runner.current(settings.database) or 'base'}.")
                return 0
            async with opened_database(settings, _mark(settings)):
                print("The database is up to date.")
        case "token":
            settings = _settings(needs_token=False)
            _print(await tokens.run(settings, arguments, _mark(settings)))
        case _:
            settings = _settings(needs_token=False)
            lines, intact = await audit.run(settings, arguments, _mark(settings))
            _print(lines)
            return 0 if intact else 1
    return 0


async def _doctor() -> int:
    settings = _settings(needs_token=False)
    fine = True
    async for finding in doctor.run(settings):
        print(finding, flush=True)
        fine = fine and finding.fine
    return 0 if fine else 1


def _settings(*, needs_token: bool = True) -> Settings:
    settings = settings_module.load(needs_token=needs_token)
    serving.configure_logs(settings)
    return settings


def _mark(settings: Settings) -> Mark:
    """What the database is for: a Discord on loopback is a sandbox, and its database never serves the real one."""
    return Mark.SANDBOX if settings.talks_to_loopback else Mark.PRODUCTION


def _run(command: Coroutine[Any, Any, int]) -> int:
    try:
        return asyncio.run(command)
    except KeyboardInterrupt:
        return 130


def _print(lines: Sequence[str]) -> None:
    for line in lines:
        print(line)


def _fail(*problems: str) -> int:
    for problem in problems:
        print(f"guildhall: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
