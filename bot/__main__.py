"""The command line: ``guildhall run | demo | stdio | doctor | migrate | token | guild | policy | audit | pause |
resume | reference``.

Each command imports what it needs when it runs. All of Guildhall takes seconds to import, and a client that starts
``guildhall stdio`` as a proxy waits for it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from bot import command_line
from bot.commands.failures import problems_of

if TYPE_CHECKING:
    from bot.settings import Settings
    from storage.instance import Mark


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0 done, 1 refused or failed, 2 a wrong command line."""
    arguments = command_line.parsed(argv)
    if arguments.command == "run" and arguments.reload:
        from bot.commands import reloading

        return reloading.run(["run"])
    try:
        return _run(_command(arguments))
    except Exception as error:
        problems = problems_of(error)
        if problems is None:
            raise
        return _fail(*problems)


async def _command(arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "demo":
            from bot.commands import demo

            await demo.run(arguments)
        case "run":
            settings = _settings()
            if settings.mcp_transport == "stdio":
                await _stdio(settings, command_line.parsed(["stdio"]))
            else:
                from bot.commands import serving

                await serving.run(settings, _mark(settings))
        case "stdio":
            from bot.commands import stdio_proxy

            if not await stdio_proxy.run_from_environment():
                await _stdio(_settings(), arguments)
        case "reference":
            from bot.commands import reference

            print(reference.run(arguments))
        case "doctor":
            return await _doctor()
        case "migrate":
            from bot.commands import migrating

            settings = _settings(needs_token=False)
            print(await migrating.run(settings, arguments, _mark(settings)))
        case "token":
            from bot.commands import tokens

            settings = _settings(needs_token=False)
            _print(await tokens.run(settings, arguments, _mark(settings)))
        case "guild":
            from bot.commands import guilds

            settings = _settings()
            _print(await guilds.run(settings, arguments, _mark(settings)))
        case "policy":
            from bot.commands import policies

            settings = _settings(needs_token=False)
            _print(await policies.run(settings, arguments, _mark(settings)))
        case "pause" | "resume":
            from bot.commands import pausing

            settings = _settings(needs_token=False)
            _print(await pausing.run(settings, arguments, _mark(settings)))
        case _:
            from bot.commands import audit

            settings = _settings(needs_token=False)
            lines, intact = await audit.run(settings, arguments, _mark(settings))
            _print(lines)
            return 0 if intact else 1
    return 0


async def _stdio(settings: Settings, arguments: argparse.Namespace) -> None:
    from bot.commands import stdio

    await stdio.run(settings, arguments, _mark(settings))


async def _doctor() -> int:
    from bot.commands import doctor

    settings = _settings(needs_token=False)
    fine = True
    async for finding in doctor.run(settings):
        print(finding, flush=True)
        fine = fine and finding.fine
    return 0 if fine else 1


def _settings(*, needs_token: bool = True) -> Settings:
    from bot import logs
    from bot import settings as settings_module

    settings = settings_module.load(needs_token=needs_token)
    logs.configure_from(settings)
    return settings


def _mark(settings: Settings) -> Mark:
    from bot.marked_database import mark_of

    return mark_of(settings)


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
