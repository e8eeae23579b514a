"""What /health says of requests that are kept from leaving: who, by guild ids alone."""

from __future__ import annotations

import pytest

from bot.edge_ban import EdgeBan
from bot.probes import edge_alarm
from operations.ledger import Ledger

VIA = {"Via": "1.1 google"}


def refused(*askers: tuple[str, int | None], limit: int = 20) -> EdgeBan:
    """An edge ban of which a guild has two answers, and a caller one."""
    ban = EdgeBan(limit=limit, clock=lambda: 1000.0)
    for caller_id, guild_id in askers:
        ban.record(403, VIA, Ledger("read", "cl_1", caller_id, guild_id))
    return ban


def test_nothing_is_said_while_all_may_leave() -> None:
    assert edge_alarm(refused()) is None
    assert edge_alarm(refused(("", 7))) is None


@pytest.mark.parametrize(
    ("askers", "who"),
    [
        ([("", 7), ("", 7)], "guild 7"),
        ([("", 8), ("", 8), ("", 7), ("", 7)], "guilds 7, 8"),
        ([("mc_secret", None)], "1 caller"),
        ([("mc_secret", 7), ("mc_other", 7)], "guild 7 and 2 callers"),
    ],
)
def test_guilds_are_named_by_their_ids_and_callers_are_counted(askers: list[tuple[str, int | None]], who: str) -> None:
    said = edge_alarm(refused(*askers))
    assert said == f"Too many requests were refused by Discord: for now, calls are stopped for {who}."


def test_that_all_are_stopped_goes_before_who_is() -> None:
    said = edge_alarm(refused(("ada", 7), ("ada", 7), limit=2))
    assert said == "Calls to Discord are stopped for 600 s, lest its edge bans this address."
