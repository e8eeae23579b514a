"""A write under way in an instance, held at a point of its road where the process is then killed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.app import until
from tests.faults.effects import WRITES, LastStep, Write
from tests.faults.instance import Instance
from tests.faults.locked_database import writes_blocked
from tests.faults.planned import PLANNED
from tests.sandbox_process import GuildIds, SandboxProcess

FOREVER = 300.0
ANSWERS_AFTER_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Scene:
    """An instance in which one write is about to be carried out by its last step. ``earlier``: calls of before."""

    instance: Instance
    write: Write
    token: str
    database_url: str
    last_step: LastStep
    earlier: frozenset[str]

    @classmethod
    async def of(cls, instance: Instance, write: Write, token: str, database_url: str) -> Scene:
        earlier = frozenset(await instance.calls())
        return cls(instance, write, token, database_url, await write.prepared(instance, token), earlier)

    def begin(self) -> asyncio.Task[Any]:
        return asyncio.ensure_future(self.last_step())

    async def has_arrived(self) -> bool:
        return bool(await self.write.requests())

    async def has_effect(self) -> bool:
        return await self.write.effects() == 1

    async def calls(self) -> dict[str, str]:
        """The states of its calls by call_id, oldest first; the last one is the write's own."""
        return {call: state for call, state in (await self.instance.calls()).items() if call not in self.earlier}

    async def states(self) -> list[str]:
        return list((await self.calls()).values())

    async def is_done(self) -> bool:
        return (await self.states())[-1:] == ["done"]


Point = Callable[[Scene], Awaitable[asyncio.Task[Any]]]


async def intent_is_written(scene: Scene) -> asyncio.Task[Any]:
    """Committed, and not sent: Discord's rate limit of the route is used up, so that the request waits its turn."""
    # Who asks is known from now on: to ask Discord for him would be held back as well.
    assert not (await scene.instance.call(scene.token, "channel_list", guild=scene.write.guild["id"])).is_error
    await scene.write.sandbox.control("limits", per_bucket=1, window_seconds=25)
    first = WRITES[scene.write.operation](scene.write.sandbox, scene.write.guild, f"before {scene.write.text}")
    # discord.py holds back the answer to the last request that a limit lets through.
    used_up = asyncio.create_task(first.by(scene.instance, scene.token))

    async def first_is_there() -> bool:
        return bool(await first.requests())

    await until(first_is_there, "the first is sent")
    call = scene.begin()

    async def both_execute() -> bool:
        return (await scene.states())[-2:] == ["executing", "executing"]

    await until(both_execute, "the intent is written")
    assert len(await scene.write.requests()) == 1
    await scene.instance.kill()
    await asyncio.gather(used_up, return_exceptions=True)
    return call


async def claim_is_written(scene: Scene) -> asyncio.Task[Any]:
    """Confirmed and claimed, and not sent: Discord takes its time to tell who the requester is now."""
    everyone = f"/guilds/{scene.write.guild['id']}/*"
    await scene.write.sandbox.control("fault", faults=[{"method": "GET", "path": everyone, "latency": 0.5}])
    call = scene.begin()

    async def is_claimed() -> bool:
        return (await scene.states())[-1:] == ["executing"]

    await until(is_claimed, "the claim is written")
    await scene.instance.kill()
    assert await scene.write.requests() == []
    return call


async def request_is_lost(scene: Scene) -> asyncio.Task[Any]:
    """Sent, and it never takes effect."""
    await scene.write.suffers({"hang": FOREVER})
    call = scene.begin()
    await until(scene.has_arrived, "the request arrives")
    return call


async def effect_is_late(scene: Scene) -> asyncio.Task[Any]:
    """Sent, and it takes effect when the process is dead already."""
    await scene.write.suffers({"latency": 1.0})
    call = scene.begin()
    await until(scene.has_arrived, "the request arrives")
    await scene.instance.kill()
    await until(scene.has_effect, "it takes effect")
    return call


async def answer_is_lost(scene: Scene) -> asyncio.Task[Any]:
    """It took effect, and the answer never comes."""
    await scene.write.suffers({"hang": FOREVER, "when": "after"})
    call = scene.begin()
    await until(scene.has_effect, "it takes effect")
    return call


async def outcome_is_not_written(scene: Scene) -> asyncio.Task[Any]:
    """Answered, and the database takes no outcome."""
    await scene.write.suffers({"latency": ANSWERS_AFTER_SECONDS, "when": "after"})
    call = scene.begin()
    await until(scene.has_effect, "it takes effect")
    async with writes_blocked(scene.database_url):

        async def is_answered() -> bool:
            return (await scene.write.requests())[-1]["status"] is not None

        await until(is_answered, "the answer is sent")
        await scene.instance.kill()
    return call


async def outcome_is_written(scene: Scene) -> asyncio.Task[Any]:
    """All is done; the caller may or may not have heard of it."""
    call = scene.begin()
    await until(scene.is_done, "the outcome is written")
    return call


FOUND = ("done", 1)
NOT_FOUND = ("unknown", 0)
_SENDING: list[tuple[Point, tuple[str, int], tuple[str, int]]] = [
    (request_is_lost, FOUND, NOT_FOUND),
    (effect_is_late, FOUND, FOUND),
    (answer_is_lost, FOUND, FOUND),
    (outcome_is_not_written, FOUND, FOUND),
    (outcome_is_written, FOUND, FOUND),
]
# Where the process dies; then the outcome and the effects of what has a nonce, and of what has none.
POINTS = [(intent_is_written, FOUND, NOT_FOUND), *_SENDING]
POINTS_OF_PLANS = [(claim_is_written, FOUND, NOT_FOUND), *_SENDING]
NONCE = ("message_send", "a loud message_send")


def points_of(name: str) -> list[tuple[Point, tuple[str, int]]]:
    """Where a write of WRITES or PLANNED can be killed, with its outcome and its effects."""
    points = POINTS_OF_PLANS if name in PLANNED else POINTS
    return [(point, with_nonce if name in NONCE else without) for point, with_nonce, without in points]


async def write_of(name: str, sandbox: SandboxProcess, guild: GuildIds, text: str) -> Write:
    return WRITES[name](sandbox, guild, text) if name in WRITES else await PLANNED[name](sandbox, guild, text)
