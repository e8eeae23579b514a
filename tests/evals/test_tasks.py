"""The runner of everyday requests, proved with a scripted model; the real one is asked by `make tasks`."""

from __future__ import annotations

import re

import pytest

from tests.app import Town
from tests.evals.mentions import Answering
from tests.messages_api import Calls, Says
from tests.tasks.__main__ import NO_KEY, main
from tests.tasks.everyday import TASKS, Task
from tests.tasks.running import Done, run, seen, total

pytestmark = pytest.mark.asyncio(loop_scope="session")


def task(name: str) -> Task:
    return next(each for each in TASKS if each.name == name)


async def test_a_channel_is_counted_with_its_calls_and_no_click(town: Town, answering: Answering) -> None:
    answering.api.script = [Calls([("channel_create", {"name": "harbour-talk"})]), Says("It is there.")]
    done = await run(town, task("channel"))
    assert (done.ok, done.calls, done.requests, done.tokens, done.clicks) == (True, 1, 2, 250, 0)
    assert done.cost_usd > 0


async def test_a_deletion_is_counted_with_the_click_on_its_card(town: Town, answering: Answering) -> None:
    def model(body: dict[str, object]) -> Calls | Says:
        told = str(body["messages"])
        if "DONE" in told:
            return Says("It is gone.")
        found = re.search(r"(\d{15,20})[^0-9]{1,40}news", told)
        return Calls([("channel_delete", {"channel": found[1]})] if found else [("channel_list", {})])

    answering.api.model = model
    done = await run(town, task("delete-channel"))
    assert (done.ok, done.within, done.clicks, done.ceiling) == (True, True, 1, 1)


async def test_what_was_not_done_is_a_failure_whatever_the_model_says(town: Town, answering: Answering) -> None:
    answering.api.script = [Says("Done, the channel harbour-talk is there!")]
    done = await run(town, task("channel"))
    assert not done.ok
    assert "FAILED" in done.line()
    assert total([done]).startswith("0 of 1 as asked for")


async def test_too_many_clicks_are_told() -> None:
    done = Done("ban", ok=True, clicks=2, ceiling=1)
    assert "TOO MANY CLICKS" in done.line()


async def test_without_a_key_it_refuses_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], {}) == 2
    assert capsys.readouterr().err == f"{NO_KEY}\n"


async def test_there_are_fifty_within_the_ceilings() -> None:
    assert len(TASKS) == 50
    assert len({each.name for each in TASKS}) == 50
    assert [task(name).clicks for name in ("announce", "ban", "channel")] == [0, 1, 0]


@pytest.mark.parametrize("at", range(0, 50, 10))
async def test_no_request_counts_as_done_before_it_was_made(town: Town, at: int) -> None:
    for each in TASKS[at : at + 10]:
        place = await town.place()
        if each.prepare is not None:
            await each.prepare(place)
        before = {message["id"] for message in await place.history(each.channel)}
        assert not each.check(await seen(place, each, before)), each.name
