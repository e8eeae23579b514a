"""One attempt at an effect, and what becomes of a lost answer; with operations of the tests that send nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest

from operations import settlement as settlement_module
from operations.base import Context, Empty, Model, Preview, Reconcile, WriteOperation
from operations.errors import Refused
from operations.guild_state import GuildVanished, GuildView
from operations.ledger import LEDGER, OutcomeUnknown, SendRefused
from operations.settlement import NONCE_WINDOW_SECONDS, Settlement
from policy.model import Need, Refuse, Step
from storage.calls import CallState
from tests.operations.callers import caller

NO_STATE: Any = None
NO_SERVICES: Any = None
NOW = 1_000.0


class Effect(Model):
    number: int = 1


class Result(Model):
    number: int


Behaviour = Callable[[int], Any]


class Scripted(WriteOperation[Empty, Effect, Result]):
    """Does what a test says."""

    name = "scripted_try"
    toolset = "scripted"
    scope = "scripted:write"
    open_to_members = "a test asks"
    reconcile = Reconcile.NONCE
    as_it_is: Result | None = None

    def __init__(self, *behaviours: Behaviour) -> None:
        self.behaviours = list(behaviours)
        self.attempts = 0

    async def preview(self, ctx: Context, arguments: Empty) -> Preview[Effect]:
        return Preview("", Effect())

    def needs_of(self, ctx: Context, effect: Effect) -> tuple[Need, ...]:
        return ()

    async def execute(self, ctx: Context, effect: Effect) -> Result:
        behaviour = self.behaviours[min(self.attempts, len(self.behaviours) - 1)]
        self.attempts += 1
        result = behaviour(effect.number)
        return await result if asyncio.iscoroutine(result) else result


class ReadBack(Scripted):
    """Looks whether it is so."""

    name = "scripted_look"
    reconcile = Reconcile.READ_BACK

    async def read_back(self, ctx: Context, effect: Effect) -> Result | None:
        ledger = LEDGER.get()
        assert ledger is not None
        assert not ledger.may_write
        return self.as_it_is


class Blind(Scripted):
    """Cannot look."""

    name = "scripted_blind"
    reconcile = Reconcile.NONE


def http_error(status: int, code: int = 0) -> discord.HTTPException:
    response: Any = SimpleNamespace(status=status, reason="", headers={})
    kinds = {403: discord.Forbidden, 404: discord.NotFound}
    kind = discord.DiscordServerError if status >= 500 else kinds.get(status, discord.HTTPException)
    return kind(response, {"code": code, "message": "no"})


def sends(then: BaseException | None = None) -> Behaviour:
    """A request leaves; then the answer is the result, or this."""

    def behave(number: int) -> Result:
        ledger = LEDGER.get()
        assert ledger is not None
        assert ledger.may_write
        ledger.sent += 1
        if then is not None:
            raise then
        return Result(number=number)

    return behave


def fails(error: BaseException) -> Behaviour:
    """Nothing leaves."""

    def behave(number: int) -> Result:
        raise error

    return behave


def context() -> Context:
    return Context("cl_aaaaaaaaaaaaaaaaa", caller(), NOW, NO_SERVICES, GuildView(NO_STATE, 1, None, 0.0))


def settlement(now: float = NOW) -> Settlement:
    return Settlement(lambda call_id: "0" * 16, now=lambda: now, audit_log_pauses_seconds=(0.0, 0.0, 0.0))


async def settle(operation: Scripted, now: float = NOW) -> tuple[CallState, str]:
    settled = await settlement(now).execute(operation, context(), Effect(), NOW)
    return settled.state, settled.detail


async def test_what_is_answered_is_done_after_one_attempt() -> None:
    operation = Scripted(sends())
    settled = await settlement().execute(operation, context(), Effect(number=7), NOW)
    assert settled.state is CallState.DONE
    assert settled.result == Result(number=7)
    assert operation.attempts == 1


@pytest.mark.parametrize(
    "error",
    [
        Refused(Refuse(Step.EXECUTE, "file_changed", "The file changed.", "Ask again.")),
        http_error(400, 50035),
        http_error(403, 50013),
        http_error(404, 10003),
        http_error(503),
        discord.RateLimited(3.0),
        GuildVanished(),
        aiohttp.ClientConnectionError(),
        SendRefused("Discord's edge has banned this address."),
        TimeoutError(),
        ConnectionResetError(),
        ZeroDivisionError(),
    ],
    ids=lambda error: type(error).__name__ + str(getattr(error, "status", "")),
)
async def test_where_nothing_left_nothing_took_effect_and_it_is_not_tried_again(error: BaseException) -> None:
    operation = Scripted(fails(error))
    state, detail = await settle(operation)
    assert state is CallState.FAILED
    assert detail
    assert operation.attempts == 1


@pytest.mark.parametrize("error", [http_error(400, 50035), http_error(403, 50013), discord.RateLimited(3.0)])
async def test_a_refusal_of_discords_is_an_answer(error: Exception) -> None:
    operation = Scripted(sends(error))
    assert (await settle(operation))[0] is CallState.FAILED
    assert operation.attempts == 1


LOST: list[BaseException] = [
    http_error(502),
    aiohttp.ServerDisconnectedError(),
    ConnectionResetError(),
    TimeoutError(),
    OutcomeUnknown("lost"),
    GuildVanished(),
    ZeroDivisionError(),
    Refused(Refuse(Step.EXECUTE, "later", "A later part was refused.")),
]


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
async def test_a_message_whose_answer_is_lost_is_sent_again_with_its_nonce(error: BaseException) -> None:
    operation = Scripted(sends(error), sends())
    assert (await settle(operation))[0] is CallState.DONE
    assert operation.attempts == 2


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
async def test_what_cannot_be_looked_for_is_unknown_and_not_tried_again(error: BaseException) -> None:
    operation = Blind(sends(error), sends())
    assert (await settle(operation))[0] is CallState.UNKNOWN
    assert operation.attempts == 1


@pytest.mark.parametrize(
    "second",
    [
        fails(Refused(Refuse(Step.EXECUTE, "file_gone", "The file is gone."))),
        fails(GuildVanished()),
        fails(discord.RateLimited(3.0)),
        sends(http_error(403, 50013)),
        sends(http_error(404, 10003)),
    ],
    ids=["refused", "vanished", "limited", "forbidden", "not found"],
)
async def test_a_second_attempt_that_fails_tells_nothing_of_the_first(second: Behaviour) -> None:
    operation = Scripted(sends(ConnectionResetError()), second, sends())
    state, detail = await settle(operation)
    assert state is CallState.UNKNOWN
    assert "answer was lost" in detail
    assert operation.attempts == 2


async def test_a_message_is_not_sent_again_once_discord_may_have_forgotten_its_nonce() -> None:
    operation = Scripted(sends(ConnectionResetError()), sends())
    assert (await settle(operation, NOW + NONCE_WINDOW_SECONDS + 1))[0] is CallState.UNKNOWN
    assert operation.attempts == 1


async def test_answers_that_stay_lost_are_unknown_after_a_few_attempts() -> None:
    operation = Scripted(sends(http_error(502)))
    assert (await settle(operation))[0] is CallState.UNKNOWN
    assert operation.attempts == 4


async def test_an_object_that_is_as_the_effect_leaves_it_is_the_effects() -> None:
    operation = ReadBack(sends(http_error(502)))
    operation.as_it_is = Result(number=1)
    assert (await settle(operation))[0] is CallState.DONE
    assert operation.attempts == 1


async def test_an_object_that_is_otherwise_leaves_the_outcome_unknown() -> None:
    operation = ReadBack(sends(http_error(502)))
    assert (await settle(operation))[0] is CallState.UNKNOWN


async def test_an_effect_that_takes_too_long_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlement_module, "EXECUTE_TIMEOUT_SECONDS", 0.01)

    async def hang() -> Result:
        await asyncio.Event().wait()
        return Result(number=0)

    def behave(number: int) -> Any:
        ledger = LEDGER.get()
        assert ledger is not None
        ledger.sent += 1
        return hang()

    assert (await settle(Blind(behave)))[0] is CallState.UNKNOWN


async def test_nothing_may_be_written_after_the_effect() -> None:
    seen: list[Any] = []

    def behave(number: int) -> Result:
        seen.append(LEDGER.get())
        return Result(number=number)

    await settle(Scripted(behave))
    assert not seen[0].may_write
    assert LEDGER.get() is None


async def test_a_caller_who_is_cancelled_cancels_the_attempt_alone() -> None:
    started = asyncio.Event()

    async def hang() -> Result:
        started.set()
        await asyncio.Event().wait()
        return Result(number=0)

    task = asyncio.create_task(settlement().execute(Scripted(lambda number: hang()), context(), Effect(), NOW))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
