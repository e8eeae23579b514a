"""When the SDK moves what the transports stand on, the import says so by name."""

from __future__ import annotations

import runpy
from pathlib import Path

import mcp.server.connection
import mcp.server.runner
import pytest

from mcp_server.transports import kernel


def load_kernel() -> None:
    assert kernel.__file__ is not None
    runpy.run_path(str(Path(kernel.__file__)))


def test_the_installed_sdk_fits() -> None:
    load_kernel()


def test_a_name_that_moved_is_named_with_the_pinned_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(mcp.server.runner, "ServerRunner")
    with pytest.raises(ImportError, match=r"ServerRunner.* checked against mcp 2\.3, installed is 2\.3.*mcp==2\.3\.\*"):
        load_kernel()


def test_a_parameter_that_went_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def for_loop(outbound: object) -> None:
        """The factory without its session id."""

    monkeypatch.setattr(mcp.server.connection.Connection, "for_loop", for_loop)
    with pytest.raises(ImportError, match=r"no longer takes .*for_loop\(session_id\)"):
        load_kernel()


def test_missing_parameters_are_listed() -> None:
    def takes(one: int, two: int) -> None:
        """Two parameters."""

    assert kernel.missing_parameters(((takes, ("one", "two")),)) == []
    assert [name[-7:] for name in kernel.missing_parameters(((takes, ("three",)),))] == ["(three)"]
