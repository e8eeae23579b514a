"""Requests are counted by guild and caller for a minute."""

from __future__ import annotations

from bot.request_usage import RequestUsage
from operations.ledger import Ledger


def test_requests_are_counted_by_guild_and_caller_and_forgotten_after_a_minute() -> None:
    now = [0.0]
    usage = RequestUsage(clock=lambda: now[0])
    mine = Ledger("read", "cl_1", "discord:1", 7)
    usage.count(mine)
    usage.count(mine)
    usage.count(None)
    now[0] = 30.0
    usage.count(mine)
    assert usage.last_minute() == {(7, "discord:1"): 3, (None, ""): 1}
    now[0] = 61.0
    assert usage.last_minute() == {(7, "discord:1"): 1}
    now[0] = 200.0
    assert usage.last_minute() == {}
