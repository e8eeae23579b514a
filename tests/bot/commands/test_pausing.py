"""Pausing from the command line: a running instance writes nothing within a second, and says so."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import pytest
import pytest_asyncio

from bot import command_line, settings
from bot.commands import pausing
from bot.commands.failures import CommandError
from bot.probes import probes
from mcp_server.health import State
from storage.instance import Mark
from tests.app import Place, until
from tests.cogs.approving import asked

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def run(place: Place, *given: str) -> Sequence[str]:
    configured = settings.load(place.town.environment, env_file=None)
    return await pausing.run(configured, command_line.parsed(given), Mark.SANDBOX)


@pytest_asyncio.fixture(loop_scope="session")
async def resumed(place: Place) -> AsyncGenerator[Place]:
    """The whole instance is shared with other tests: it is not left paused."""
    yield place
    await run(place, "resume")
    await until(lambda: place.town.core.facts.snapshot.pauses.get("") is None, "the instance is resumed")


async def writing(place: Place) -> str | None:
    answer = await place.call("message_send", channel=place.channel("general"), content="hello", dry_run=False)
    return answer.code


async def test_the_whole_instance_is_held_within_a_second_and_says_so(resumed: Place, elsewhere: Place) -> None:
    place = resumed
    plan_id = await asked(place, "channel_delete", channel=place.channel("news"))
    said = await run(place, "pause")
    assert said[0] == "Paused everywhere until `guildhall resume`; a running instance follows within a second."
    assert said[1].startswith("Plans cancelled: ")
    assert said[1] != "Plans cancelled: 0."
    await until(lambda: "" in place.town.core.facts.snapshot.pauses, "the instance hears of it", 2)

    for each in (place, elsewhere):
        assert await writing(each) == "paused"
        assert await each.audited(operation="process_pause", status="done")
    assert not (await place.call("channel_list", guild=place.id)).is_error
    plan = await place.call("plan_get", plan_id=plan_id)
    assert plan.data["state"] == "cancelled"
    reading = await probes(place.town.core)["writes"]()
    assert (reading.state, reading.detail[:34]) == (State.DEGRADED, "Guildhall is paused everywhere: no")

    assert await run(place, "resume") == ["Resumed everywhere."]
    await until(lambda: "" not in place.town.core.facts.snapshot.pauses, "the instance hears of it", 2)
    assert await writing(place) is None
    assert (await probes(place.town.core)["writes"]()).state is State.UP
    assert await run(place, "resume") == ["Nothing was paused."]


async def test_one_guild_alone(place: Place, elsewhere: Place) -> None:
    said = await run(place, "pause", "--guild", place.id, "--minutes", "5")
    assert said[0].startswith(f"Paused in guild {place.id} for 5 min")
    await until(lambda: place.installation_id in place.town.core.facts.snapshot.pauses, "the instance hears of it", 2)
    assert await writing(place) == "paused"
    assert await writing(elsewhere) is None
    assert await run(place, "resume", "--guild", place.id) == [f"Resumed in guild {place.id}."]


@pytest.mark.parametrize(
    ("given", "words"),
    [(("--minutes", "0"), "--minutes"), (("--minutes", "99999999"), "--minutes"), (("--guild", "5"), "--guild")],
)
async def test_what_cannot_be_meant_is_refused(place: Place, given: tuple[str, ...], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        await run(place, "pause", *given)
