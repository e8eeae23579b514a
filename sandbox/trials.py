"""What would happen: requests that are judged and answered as always, and a world that is afterwards as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from sandbox.internals import snapshot
from sandbox.world import World


class Trial:
    """A guild as it is now, to which trials come back. Nothing else may change it meanwhile."""

    def __init__(self, world: World, guild_id: int) -> None:
        self._world = world
        self._restore = snapshot(world.backend, guild_id)

    @contextlib.contextmanager
    def run(self, *, acting_as: int | None = None) -> Generator[None]:
        """Inside, what comes with the bot's token takes effect, done by the bot or by the user ``acting_as``: with
        their permissions, and logged as theirs. No event tells of it, and afterwards the guild is as it was.

        May span awaits: the whole world stands still for everybody else.
        """
        with self._world.on_trial(acting_as):
            try:
                yield
            finally:
                self._restore()
