"""What a caller hears of a request that was kept from leaving."""

from __future__ import annotations

import aiohttp
import pytest

from operations.failures import refusal_of
from operations.ledger import SendRefused
from policy.model import Step


def test_a_share_that_is_used_up_says_when_to_come_back() -> None:
    refusal = refusal_of(SendRefused("Too many requests are waiting; try again in 31 seconds.", 31.0))
    assert (refusal.step, refusal.code, refusal.retry_after_seconds) == (Step.RATE, "discord_limits", 31.0)
    assert "31 seconds" in refusal.reason
    assert "Nothing was sent" in refusal.remedy


def test_so_does_one_that_the_http_client_wrapped() -> None:
    wrapped = aiohttp.ClientConnectionError("closing")
    wrapped.__cause__ = SendRefused("Wait; try again in 5 seconds.", 5.0)
    assert refusal_of(wrapped).retry_after_seconds == 5.0


@pytest.mark.parametrize("error", [SendRefused("This may never leave."), aiohttp.ClientConnectionError("no route")])
def test_what_time_does_not_mend_is_no_matter_of_limits(error: Exception) -> None:
    assert refusal_of(error).code == "discord_unreachable"
