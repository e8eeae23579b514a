"""What the provider does wrong, in words: a turn always ends, and nothing that was shown is said twice."""

from __future__ import annotations

import asyncio

import pytest

from cogs.agent.engine import Limits
from cogs.agent.provider import Patience
from tests.app import Place, Town, until
from tests.evals.harness import Assistant, assistant_over, turn_rows
from tests.messages_api import Breaks, Calls, Fails, Raw, Says

pytestmark = pytest.mark.asyncio(loop_scope="session")
IMPATIENT = Patience(first_seconds=0.5, between_seconds=0.5, total_seconds=1.5)


@pytest.mark.parametrize(
    "failure",
    [
        Fails(529, "overloaded_error", headers={"retry-after": "0"}),
        Fails(429, "rate_limit_error", headers={"retry-after": "0"}),
        Fails(500, headers={"retry-after-ms": "10"}),
        Breaks("overloaded"),
        Breaks("truncated"),
        Breaks("malformed"),
        Breaks("reset"),
    ],
    ids=lambda failure: getattr(failure, "how", None) or str(failure.status),
)
async def test_what_passes_is_asked_again_where_nothing_was_shown(
    place: Place, assistant: Assistant, failure: Fails | Breaks
) -> None:
    assistant.api.script = [failure, Says("Here I am.")]
    assert await assistant.asked(place, "bela", "general", "hello") == ["Here I am."]
    assert len(assistant.api.received) == 2
    assert assistant.api.bodies[0] == assistant.api.bodies[1]


@pytest.mark.parametrize(("how", "said"), [("overloaded", "overloaded"), ("truncated", "broke off")])
async def test_what_breaks_off_is_not_asked_again_once_it_is_shown(
    place: Place, assistant: Assistant, how: str, said: str
) -> None:
    assistant.api.script = [Breaks("overloaded" if how == "overloaded" else "truncated", "Half an ans"), Says("Twice.")]
    (answer,) = await assistant.asked(place, "bela", "general", "hello")
    assert answer.startswith("Half an ans\n\n")
    assert said in answer
    assert len(assistant.api.received) == 1
    assert [row.status for row in await turn_rows(place, "bela")] == ["failed"]


@pytest.mark.parametrize(
    ("failure", "said", "requests"),
    [
        (Fails(529, "overloaded_error", headers={"retry-after": "0"}), "overloaded right now", 3),
        (Fails(429, "rate_limit_error", headers={"retry-after": "3600"}), "Try again in 60 min", 1),
        (Fails(401, "authentication_error"), "AGENT_API_KEY", 1),
        (Fails(402, "billing_error"), "no credit", 1),
        (Fails(404, "not_found_error", "model: nope"), "AGENT_MODEL", 1),
        (Fails(400, "invalid_request_error", "prompt is too long: 1 > 0"), "too much text", 1),
        (Fails(413, "request_too_large"), "too much text", 1),
        (Breaks("malformed"), "AGENT_BASE_URL", 3),
    ],
    ids=["529", "429", "401", "402", "404", "400", "413", "malformed"],
)
async def test_what_stays_wrong_is_said_in_words(
    place: Place, assistant: Assistant, failure: Fails | Breaks, said: str, requests: int
) -> None:
    assistant.api.model = lambda _: failure
    (answer,) = await assistant.asked(place, "bela", "general", "hello")
    assert said in answer
    assert "scripted" not in answer
    assert len(assistant.api.received) == requests


@pytest.mark.parametrize("how", ["hang", "pings", "silent"])
async def test_a_provider_that_hangs_ends_with_its_time(town: Town, place: Place, how: str) -> None:
    async with assistant_over(town, patience=IMPATIENT) as assistant:
        stands = Breaks("hang") if how == "hang" else Breaks("pings") if how == "pings" else Breaks("silent")
        assistant.api.script = [stands, Says("At last.")]
        assert await assistant.asked(place, "bela", "general", "hello") == ["At last."]
        await until(lambda: assistant.api.open == 0, "the request was hung up")


async def test_a_provider_out_of_reach_is_said(town: Town, place: Place) -> None:
    async with assistant_over(town) as assistant:
        assistant.api.model = lambda _: Raw(b"", "text/html")
        (answer,) = await assistant.asked(place, "bela", "general", "hello")
        assert "broke off" in answer


async def test_a_refusal_is_said(place: Place, assistant: Assistant) -> None:
    assistant.api.script = [Says("", "refusal")]
    assert await assistant.asked(place, "bela", "general", "something bad") == ["I can't help with that."]


async def test_a_cut_off_tool_call_is_not_run(place: Place, assistant: Assistant) -> None:
    assistant.api.script = [Calls([("channel_create", {"name": "never"})], stop_reason="max_tokens")]
    (answer,) = await assistant.asked(place, "ada", "general", "make a channel")
    assert "length limit" in answer
    assert "never" not in await place.channels()


async def test_an_answer_at_its_length_limit_goes_on(place: Place, assistant: Assistant) -> None:
    assistant.api.script = [Says("One, two,", "max_tokens"), Says(" three.")]
    assert await assistant.asked(place, "bela", "general", "count") == ["One, two, three."]


async def test_a_full_context_is_said(place: Place, assistant: Assistant) -> None:
    assistant.api.script = [Says("Half", "model_context_window_exceeded")]
    (answer,) = await assistant.asked(place, "bela", "general", "go on")
    assert answer.startswith("Half\n\n-# The conversation has become too long")


async def test_a_paused_turn_is_taken_up_as_it_stands(place: Place, assistant: Assistant) -> None:
    assistant.api.script = [Says("Searching.", "pause_turn"), Says("Found.")]
    assert await assistant.asked(place, "bela", "general", "search") == ["Searching.\n\nFound."]
    assert assistant.api.bodies[1]["messages"][-1] == {
        "role": "assistant",
        "content": [{"type": "text", "text": "Searching."}],
    }


async def test_a_turn_of_ten_requests_ends_in_words(place: Place, assistant: Assistant) -> None:
    assistant.api.model = lambda _: Calls([("role_list", {})])
    (answer,) = await assistant.asked(place, "bela", "general", "again and again")
    assert "more steps" in answer
    assert len(assistant.api.received) == 10
    assert assistant.api.bodies[-1]["tool_choice"] == {"type": "none"}
    assert "tool_choice" not in assistant.api.bodies[-2]


async def test_an_empty_answer_has_words_as_well(place: Place, assistant: Assistant) -> None:
    assistant.api.script = [Says("")]
    assert await assistant.asked(place, "bela", "general", "hm") == ["I have nothing to add."]


async def test_a_stop_ends_a_stream_and_hangs_up(place: Place, assistant: Assistant) -> None:
    assistant.api.script = [Says("I begin, and then I wait", hold=asyncio.Event())]
    await assistant.mention(place, "bela", "general", "a long story")
    channel_id = int(place.channel("general"))
    await until(lambda: assistant.api.open == 1, "the stream is open")
    assert not assistant.turns.stop(channel_id, int(place.member("nina")), may_manage=False)
    assert assistant.turns.stop(channel_id, int(place.member("bela")), may_manage=False)
    await assistant.over(place, "general")
    await until(lambda: assistant.api.open == 0, "the request was hung up")
    assert (await place.history("general"))[-1]["content"].endswith("-# Stopped.")
    assert [row.status for row in await turn_rows(place, "bela")] == ["stopped"]


async def test_a_follow_up_of_the_author_joins_the_turn(place: Place, assistant: Assistant) -> None:
    hold = asyncio.Event()
    assistant.api.script = [Says("First.", hold=hold), Says("Second.")]
    await assistant.mention(place, "bela", "general", "one")
    await until(lambda: assistant.api.open == 1, "the stream is open")
    await assistant.mention(place, "bela", "general", "and two")
    hold.set()
    await assistant.over(place, "general")
    assert len(await turn_rows(place, "bela")) == 1
    assert "and two" in str(assistant.api.bodies[1]["messages"][-1])


async def test_a_long_conversation_is_condensed_and_goes_on_from_the_summary(town: Town, place: Place) -> None:
    async with assistant_over(town, limits=Limits(1024, 400)) as assistant:
        assistant.api.model = lambda body: Says("They like boats." if "condense" in body["system"] else "Boats. " * 30)
        for n in range(4):
            await assistant.asked(place, "bela", "general", f"tell me of boat {n} " + "word " * 40)
        await until(lambda: any("condense" in body["system"] for body in assistant.api.bodies), "it is condensed")

        async def has_summary() -> bool:
            await assistant.asked(place, "bela", "general", "and now?")
            return "They like boats." in str(assistant.api.bodies)

        await until(has_summary, "the summary goes with a request")


async def test_a_long_answer_goes_on_in_further_messages(place: Place, assistant: Assistant) -> None:
    code = "```py\n" + "\n".join(f"print({n})" for n in range(400)) + "\n```"
    assistant.api.script = [Says(f"Look:\n\n{code}\n\nThat is all.")]
    said = await assistant.asked(place, "bela", "general", "a program")
    assert len(said) > 1
    assert all(len(each) <= 2000 for each in said)
    assert all(each.count("```") % 2 == 0 for each in said)
    joined = "\n".join(said).replace("\n```\n```py\n", "\n")
    assert [line for line in joined.splitlines() if line.startswith("print")] == [f"print({n})" for n in range(400)]
    assert said[-1].endswith("That is all.")
