"""Ten states of each write at each run of the tests; `make truth` has ten thousand.

In processes of their own: the worker's own bot is connected to another sandbox.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import orjson
import pytest

from operations.base import Model
from operations.refs import Ref
from tests.sandbox_process import REPOSITORY
from tests.truth.arguments import arguments_for
from tests.truth.derived import NoGenerator, derived
from tests.truth.scope import CHANGING, LEFT_OUT, SWEPT
from tests.truth.worlds import Said, Scene

STATES = 510
SEED = int(os.environ.get("TRUTH_SEED", "7"))
SECONDS = 300


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=SECONDS, check=False)


def test_previews_tell_the_truth_and_nobody_gains_more_than_the_requester_holds(tmp_path: Path) -> None:
    """Lines 10 and 18 of the attacks, and "would succeed"."""
    page = tmp_path / "truth.md"
    done = run("tests.truth", "--states", str(STATES), "--seed", str(SEED), "--page", str(page))
    assert done.returncode == 0, f"seed {SEED}\n{done.stdout[-8000:]}\n{done.stderr[-2000:]}"
    assert f"Seed {SEED}" in page.read_text()


def test_previews_that_lie_are_found_out() -> None:
    done = run("tests.truth.lies")
    kinds = orjson.loads(done.stdout.splitlines()[-1])
    assert kinds["message_send"]["false yes"] > 0, kinds
    assert kinds["channel_edit"]["unexplained no"] > 0, kinds
    assert kinds["channel_create"]["excess"] > 0, kinds
    assert kinds["chat_channel_allow"]["false yes"] > 0, kinds
    assert kinds["guild_pause"]["unexplained no"] > 0, kinds
    assert kinds["case_edit"]["excess"] > 0, kinds
    # What nobody has lied about stays true.
    for honest in ("channel_delete", "guild_resume"):
        assert set(kinds[honest]) <= {"true", "confirmed no", "explained no", "not addressable"}, kinds


SCENE = Scene(
    1,
    2,
    3,
    members=[2, 4],
    roles=[5],
    channels={kind: [number] for number, kind in enumerate(("text", "voice", "category", "announcement"), start=10)},
    threads=[20],
    said=[Said(10, 30, 3, own_of=4)],
    banned=[6],
    webhook_channels={40: 10},
)


@pytest.mark.parametrize("operation", SWEPT, ids=lambda each: each.name)
def test_arguments_of_every_write_can_be_drawn(operation: type[object]) -> None:
    for number in range(50):
        rng = random.Random(number)
        arguments_for(rng, SCENE, operation, 4)  # pyright: ignore[reportArgumentType] - a list of operations


def test_whatever_changes_anything_is_judged_or_its_omission_is_explained() -> None:
    swept = {operation.name for operation in SWEPT}
    assert swept | LEFT_OUT.keys() == {operation.name for operation in CHANGING}
    assert not swept & LEFT_OUT.keys()


class Strange(Model):
    thing: Annotated[str, Ref("galaxy")]


class Shapeless(Model):
    thing: dict[str, float]


@pytest.mark.parametrize(("model", "said"), [(Strange, "REFS"), (Shapeless, "FIELDS")])
def test_what_nobody_knows_how_to_draw_fails_loudly(model: type[Model], said: str) -> None:
    with pytest.raises(NoGenerator, match=f"nobody draws .*{said}"):
        derived(random.Random(1), SCENE, model, "stellar_move")
