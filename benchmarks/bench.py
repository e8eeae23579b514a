"""One run: its plan, and the processes that measurements share."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Self

from benchmarks.child import Child, child
from benchmarks.plan import Plan
from benchmarks.town import Town, large_guild, many_guilds, settings
from tests.sandbox_process import GuildIds, SandboxProcess


class Bench:
    """``async with``. What is not asked for is not started."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        """``folder``: for databases."""
        self.plan = plan
        self.folder = folder
        self._stack = AsyncExitStack()
        self._town: tuple[SandboxProcess, Child, GuildIds] | None = None
        self._crowd: tuple[SandboxProcess, GuildIds] | None = None
        self._crowd_guilds = 1
        self._children: dict[tuple[str, str], Child] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._stack.aclose()

    async def town(self) -> Town:
        """Guildhall in one large guild, with a token of its own for each measurement: writes are limited by caller."""
        if self._town is None:
            sandbox = await self._stack.enter_async_context(SandboxProcess())
            guild = await large_guild(sandbox)
            product = await self._stack.enter_async_context(child("product", self.options(sandbox, "town")))
            await Town.of(sandbox, product, guild)
            # The one collection of everything at the end of the start belongs to no read.
            await product.ask("settled")
            self._town = (sandbox, product, guild)
        sandbox, product, guild = self._town
        return await Town.of(sandbox, product, guild)

    async def crowd(self, guilds: int) -> tuple[SandboxProcess, GuildIds]:
        """A sandbox with this many guilds, one of them large. Raises ValueError when there are more already."""
        if self._crowd is None:
            sandbox = await self._stack.enter_async_context(SandboxProcess())
            self._crowd = (sandbox, await large_guild(sandbox))
        if guilds < self._crowd_guilds:
            raise ValueError(f"{self._crowd_guilds} guilds don't become {guilds}")
        await many_guilds(self._crowd[0], guilds - self._crowd_guilds)
        self._crowd_guilds = guilds
        return self._crowd

    @asynccontextmanager
    async def started(self, module: str, sandbox: SandboxProcess, name: str) -> AsyncGenerator[Child]:
        """A child against this sandbox, started for this block alone (a tiny run starts one for all)."""
        options = self.options(sandbox, name)
        if not self.plan.reuses_children:
            async with child(module, options) as fresh:
                yield fresh
            return
        key = (module, sandbox.base_url)
        if key not in self._children:
            self._children[key] = await self._stack.enter_async_context(child(module, options))
        yield self._children[key]

    def options(self, sandbox: SandboxProcess, name: str) -> dict[str, Any]:
        """Of a child: settings with a database of this name."""
        return {
            "settings": settings(sandbox, self.folder / name),
            "quiet_seconds": self.plan.quiet_seconds,
            "identify_seconds": self.plan.identify_seconds,
        }
