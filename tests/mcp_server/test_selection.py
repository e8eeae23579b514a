from __future__ import annotations

import pytest

from mcp_server.selection import UnknownToolset, parse
from policy.model import Caller, CallerKind, Face
from policy.presets import PRESETS, READ_ONLY

TOOLSETS = ("guilds", "messages", "roles")
CALLER = Caller(CallerKind.TOKEN, Face.MCP, "mc_1", "ws_1", 1)


@pytest.mark.parametrize("text", ["", " ", ",", " , ,"])
def test_no_name_is_no_selection(text: str) -> None:
    assert parse(text, TOOLSETS) is None


@pytest.mark.parametrize("text", ["massages", "messages,nothing", "admin", "MESSAGES", "messages;roles"])
def test_an_unknown_name_is_refused_with_those_that_exist(text: str) -> None:
    with pytest.raises(UnknownToolset, match="guilds, messages, roles, everyday"):
        parse(text, TOOLSETS)


def test_toolsets_bound_what_may_be_called() -> None:
    selection = parse("messages, roles", TOOLSETS)
    assert selection is not None
    assert selection.narrow(CALLER).toolsets == {"messages", "roles", "meta"}


def test_a_narrower_client_stays_narrower() -> None:
    selection = parse("messages,roles", TOOLSETS)
    assert selection is not None
    narrow = Caller(CallerKind.TOKEN, Face.MCP, "mc_1", "ws_1", 1, toolsets=frozenset({"roles"}), read_only=True)
    assert selection.narrow(narrow).toolsets == {"roles"}
    assert selection.narrow(narrow).read_only


@pytest.mark.parametrize("preset", sorted(PRESETS.keys() - {READ_ONLY}))
def test_a_preset_bounds_nothing(preset: str) -> None:
    selection = parse(preset, TOOLSETS)
    assert selection is not None
    assert selection.narrow(CALLER) == CALLER


def test_read_only_forbids_writes_and_goes_with_toolsets() -> None:
    selection = parse("read_only,roles", TOOLSETS)
    assert selection is not None
    narrowed = selection.narrow(CALLER)
    assert narrowed.read_only
    assert narrowed.toolsets == {"roles", "meta"}
