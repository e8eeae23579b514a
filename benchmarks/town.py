"""Guildhall against a sandbox, each in a process of its own, for measurements to ask."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.calls import Calls
from benchmarks.child import Child, child
from tests.sandbox_process import GuildIds, SandboxProcess

CHANNELS, CATEGORIES, ROLES = 190, 10, 20
MANY_GUILDS_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Town:
    """``guild``: one of 200 channels; ``token`` is of its member."""

    sandbox: SandboxProcess
    product: Child
    guild: GuildIds
    token: str

    @classmethod
    async def of(cls, sandbox: SandboxProcess, product: Child, guild: GuildIds) -> Town:
        """With a new token; waits until the guild is there."""
        made = await product.ask("token", guild_id=guild["id"], user_id=guild["members"]["ana"])
        return cls(sandbox, product, guild, made["token"])

    @property
    def port(self) -> int:
        port: int = self.product.ready["port"]
        return port


def settings(sandbox: SandboxProcess, folder: Path) -> dict[str, str]:
    return {
        "DISCORD_BOT_TOKEN": sandbox.bot_token,
        "DISCORD_API_BASE_URL": sandbox.api_base_url,
        "ALLOW_INSECURE_DISCORD_API": "true",
        "DATA_DIR": str(folder),
        "SECRET_KEYS": "a key for benchmarks that nobody must use elsewhere",
        "LOG_LEVEL": "ERROR",
    }


async def large_guild(sandbox: SandboxProcess) -> GuildIds:
    categories = [{"name": f"Category {number}", "type": "category"} for number in range(CATEGORIES)]
    channels = [
        {"name": f"channel-{number}", "category": f"Category {number % CATEGORIES}"} for number in range(CHANNELS)
    ]
    return await sandbox.make_guild(
        "Large",
        roles=[{"name": f"Role {number}"} for number in range(ROLES)],
        members=[{"name": "ana", "roles": ["Role 1", "Role 2", "Role 3"]}],
        channels=[*categories, *channels],
    )


async def many_guilds(sandbox: SandboxProcess, count: int) -> None:
    for number in range(count):
        await sandbox.make_guild(
            f"Guild {number}",
            roles=[{"name": f"Role {role}"} for role in range(5)],
            members=[{"name": f"member{number}", "roles": ["Role 1"]}],
            channels=[{"name": f"channel-{channel}"} for channel in range(10)],
        )


@asynccontextmanager
async def floor_of(calls: Calls) -> AsyncGenerator[tuple[Child, Calls]]:
    """A raw aiohttp handler that returns the very bytes that these calls are answered with."""
    async with child("floor", {}) as floor:
        await floor.ask("returns", body=await calls.answer_text())
        yield floor, Calls(floor.ready["port"], calls.headers, calls.bodies)


async def load(calls: Calls, seconds: float, *, per_second: float = 0.0) -> dict[str, Any]:
    """Asks these calls for so long, from another process: ``latencies``, ``seconds`` and how many ``calls``."""
    options = {
        "port": calls.port,
        "headers": calls.headers,
        "bodies": calls.bodies,
        "seconds": seconds,
        "per_second": per_second,
    }
    async with child("load", options) as loading:
        return loading.ready
