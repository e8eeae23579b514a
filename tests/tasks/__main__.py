"""``python -m tests.tasks [--only NAME] [--json FILE]``: needs AGENT_API_KEY; AGENT_BASE_URL and AGENT_MODEL as usual.

It costs money with a provider that does: some cents a request. 0 where all came to what was asked for within its
ceilings, 1 where not, 2 without a key.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.app import running_town
from tests.tasks.everyday import TASKS, Task
from tests.tasks.running import Done, run, total

NO_KEY = (
    "AGENT_API_KEY: missing; `make tasks` asks a real model. Set it, and AGENT_BASE_URL and AGENT_MODEL if need be."
)
PASSED_ON = ("AGENT_API_KEY", "AGENT_BASE_URL", "AGENT_MODEL", "AGENT_INPUT_PRICE", "AGENT_OUTPUT_PRICE")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(argv: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tasks", description=__doc__)
    parser.add_argument("--only", action="append", choices=[task.name for task in TASKS], help="repeatable")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    arguments = parser.parse_args(argv)
    if not environment.get("AGENT_API_KEY"):
        sys.stderr.write(f"{NO_KEY}\n")
        return 2
    chosen = [task for task in TASKS if arguments.only is None or task.name in arguments.only]
    found = asyncio.run(_all(chosen, {name: environment[name] for name in PASSED_ON if environment.get(name)}))
    say(total(found))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps([asdict(each) for each in found], indent=2) + "\n")
    return 0 if all(each.ok and each.within for each in found) else 1


async def _all(tasks: Sequence[Task], agent: Mapping[str, str]) -> list[Done]:
    found: list[Done] = []
    with tempfile.TemporaryDirectory(prefix="guildhall-tasks-") as folder:
        given = {**agent, "AGENT_ENABLED": "true", "LOG_LEVEL": "ERROR"}
        async with running_town(Path(folder), given) as town:
            for task in tasks:
                await town.serving()
                found.append(await run(town, task))
                say(found[-1].line())
    return found


if __name__ == "__main__":
    sys.exit(main())
