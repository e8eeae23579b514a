"""Many states: each follows from the seed, its guild's number and its own."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import orjson
from pydantic import ValidationError

from operations.base import Operation
from tests.app import until
from tests.truth.arguments import arguments_for, parsed
from tests.truth.judge import Finding, Judge
from tests.truth.own import furnish
from tests.truth.scope import SWEPT
from tests.truth.stage import Stage
from tests.truth.verdicts import Write
from tests.truth.worlds import Scene, build, names, remember

STATES_PER_GUILD = 40


@dataclass(frozen=True, slots=True)
class State:
    """``name``: SEED:GUILD:STATE, by which it is made again. ``called``: what ids in it are called."""

    name: str
    operation: type[Operation]
    requester: int
    given: dict[str, Any]
    called: Mapping[int, str]

    def __str__(self) -> str:
        given = self.readable(orjson.dumps(self.given).decode())
        given = given if len(given) <= 600 else f"{given[:600]}… ({len(given):,} characters)"
        return f"{self.name}: {self.operation.name} {given}, asked by {self.called.get(self.requester, self.requester)}"

    def readable(self, text: str) -> str:
        """With names for ids, which are others each time."""
        return re.sub(r"\d{15,20}", lambda found: f"<{self.called.get(int(found[0]), found[0])}>", text)


def states(
    seed: int, guild_number: int, scene: Scene, called: Mapping[int, str], operations: Sequence[type[Operation]]
) -> Generator[State]:
    """Endless; each from a generator of its own, so that one can be made without the others."""
    number = 0
    while True:
        name = f"{seed}:{guild_number}:{number}"
        rng = random.Random(name)
        operation = operations[(guild_number * STATES_PER_GUILD + number) % len(operations)]
        requester = rng.choice([*[scene.owner_id] * 3, *scene.members, *scene.members])
        yield State(name, operation, requester, arguments_for(rng, scene, operation, requester), called)
        number += 1


async def shrunk(judge: Judge, operation: Write, state: State, finding: Finding) -> tuple[State, Finding]:
    """The same mistake with fewer arguments: each that it does not need is left out."""
    for name in list(state.given):
        given = {key: value for key, value in state.given.items() if key != name}
        try:
            parsed(type(operation), given)
        except ValidationError:
            continue
        smaller = await judge.judge(operation, given, state.requester)
        # Not another mistake, for which something is missing.
        if smaller.kind == finding.kind and smaller.reason.partition(":")[0] == finding.reason.partition(":")[0]:
            state, finding = replace(state, given=given), smaller
    return state, finding


async def guild_of(stage: Stage, seed: int, guild_number: int) -> Scene:
    """The guild of this number, installed and known to the bot."""
    world = stage.sandbox.world
    scene = build(world, random.Random(f"{seed}:{guild_number}"))
    last = remember(world, scene)

    def arrived() -> bool:
        guild = stage.core.state.source.cached(scene.guild_id)
        return guild is not None and guild.get_channel(last) is not None

    await until(arrived, "the guild arrives")
    await stage.install(scene.guild_id, scene.owner_id, scene.sent)
    await furnish(stage, scene, random.Random(f"{seed}:{guild_number}:own"))
    return scene


async def sweep(
    stage: Stage,
    seed: int,
    guilds: Iterable[int],
    *,
    states_per_guild: int = STATES_PER_GUILD,
    only: int | None = None,
    operations: Sequence[type[Operation]] = SWEPT,
) -> AsyncGenerator[tuple[State, Finding]]:
    """Every state of these guilds; ``only``: of each guild, the one of this number."""
    for guild_number in guilds:
        scene = await guild_of(stage, seed, guild_number)
        judge = Judge(stage, scene)
        judge.look()
        made = states(seed, guild_number, scene, names(stage.sandbox.world, scene), operations)
        for number in range(states_per_guild):
            state = next(made)
            if only is not None and number != only:
                continue
            operation = cast("Write", stage.services.registry.get(state.operation.name))
            finding = await judge.judge(operation, state.given, state.requester)
            if finding.is_wrong:
                state, finding = await shrunk(judge, operation, state, finding)
            yield state, finding
        await stage.remove(scene.guild_id)
