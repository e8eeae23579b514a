"""``make demo`` as a newcomer meets it: in a terminal, with everything that it prints tried as it is printed."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from tests.app import answer_of
from tests.clients.demo_process import START_SECONDS, STOP_SECONDS, Demo
from tests.clients.inspector_peer import InspectorSession
from tests.clients.listing import listed_tools
from tests.clients.peers import Programs
from tests.clients.terminal import CTRL_C, Terminal, in_terminal, living
from tests.sandbox_process import REPOSITORY
from tests.served_process import command, free_port

READY = "Ctrl-C ends it."
TITLED_JSON = re.compile(r"^(?P<title>\S[^\n]*):\n(?P<json>\{\n.*?^\})", re.MULTILINE | re.DOTALL)


class Printed:
    """What a demo printed, by the words in front of it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.configurations: dict[str, dict[str, Any]] = {
            found["title"]: json.loads(found["json"]) for found in TITLED_JSON.finditer(text)
        }

    def after(self, label: str) -> str:
        """The first word behind it."""
        found = re.search(rf"{re.escape(label)}\s+(\S+)", self.text)
        assert found, f"nothing is called {label!r}:\n{self.text}"
        return found[1]

    def configuration(self, of: str) -> dict[str, Any]:
        (found,) = [each for title, each in self.configurations.items() if of in title]
        return found

    def command_line(self, program: str, with_: str = "") -> str:
        """With the lines that it goes on in."""
        found = re.search(rf"^ +({program} .*?{with_}(?:.*\\\n)*.*)$", self.text, re.MULTILINE)
        assert found, f"there is no example of {program}:\n{self.text}"
        return found[1]


@contextmanager
def make_demo(port: int) -> Generator[Terminal]:
    with in_terminal(["make", "demo", f"ARGS=--port {port}"], REPOSITORY) as terminal:
        yield terminal


async def ends_at_ctrl_c(terminal: Terminal) -> None:
    """With every process that it started, in the time that people are told."""
    started = terminal.processes()
    assert len(started) > 1, "make is all that runs"
    terminal.press(CTRL_C)
    deadline = time.monotonic() + STOP_SECONDS
    while left := living(started):
        assert time.monotonic() < deadline, f"{left} are still there:\n{terminal.shown()}"
        await asyncio.sleep(0.05)
    assert "Traceback" not in terminal.shown()


async def test_what_the_demo_prints_works_as_it_is_printed_and_ctrl_c_ends_it(
    demo: Demo, programs: Programs, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    port = free_port()
    with make_demo(port) as terminal:
        terminal.until("Starting Guildhall", START_SECONDS)
        with subtests.test("Ctrl-C while it starts"):
            await ends_at_ctrl_c(terminal)

    with make_demo(port) as terminal:
        printed = Printed(terminal.until(READY, START_SECONDS))
        url, token = printed.after("MCP (Streamable HTTP)"), printed.after("Token")
        assert url == f"http://127.0.0.1:{port}/mcp"
        with subtests.test("two demos at once, and a second run on the port of the first"):
            assert await listed_tools(url, token) == await listed_tools(demo.mcp_url, demo.token)
        with subtests.test("addresses and tokens"):
            await the_addresses_answer(printed)
        with subtests.test("mcpServers"):
            session = configured(programs, tmp_path / "http.json", printed.configuration("mcpServers"))
            sent = await session.call("message_send", channel="general", content="hello", dry_run=False)
            assert sent.data["status"] == "done", sent
        with subtests.test("a program to start"):
            session = configured(programs, tmp_path / "stdio.json", printed.configuration("start a program"))
            assert "hello" in (await session.call("message_list_recent", channel="general")).text
        with subtests.test("VS Code"):
            await connects(printed.configuration("VS Code")["servers"]["guildhall"], {"type": "http"})
        with subtests.test("Cursor"):
            await connects(printed.configuration("Cursor")["mcpServers"]["guildhall"], {})
        with subtests.test("the command line of Claude Code"):
            header = f"Authorization: Bearer {token}"
            expected = ["claude", "mcp", "add", "--transport", "http", "guildhall", url, "--header", header]
            assert shlex.split(printed.command_line("claude")) == expected
        with subtests.test("curl"):
            if shutil.which("curl") is None:
                pytest.skip("curl is not installed, so the printed example was not tried")
            result = json.loads(await asyncio.to_thread(run_in_shell, printed.command_line("curl")))["result"]
            assert not result["isError"]
            assert len(result["structuredContent"]["messages"]) == 5
        with subtests.test("a ban by one request and one press of the printed button"):
            if shutil.which("curl") is None:
                pytest.skip("curl is not installed, so the printed button was not pressed")
            session = configured(programs, tmp_path / "http.json", printed.configuration("mcpServers"))
            asked = await session.call("member_ban", member=printed.after("to ban").strip(".@"), dry_run=False)
            press = printed.command_line("curl", with_="/click")
            press = press.replace("MESSAGE", asked.data["approve_url"].rpartition("/")[2])
            said = json.loads(await asyncio.to_thread(run_in_shell, press))
            assert said["message"]["content"] == "Done."
        await ends_at_ctrl_c(terminal)


async def the_addresses_answer(printed: Printed) -> None:
    control = printed.after("Play its people        POST").replace("<action>,", "world")
    as_tester = {"Authorization": f"Bearer {printed.after('<action>, Authorization: Bearer')}"}
    as_ada = {"Authorization": f"Bearer {printed.after('Token')}"}
    page, _, key = printed.after("Open").partition("#")
    async with aiohttp.ClientSession() as session:
        async with session.get(page) as response:
            assert response.content_type == "text/html"
        as_page = {"Authorization": f"Bearer {key}"}
        async with session.post(f"{page}act/see", json={}, headers=as_page) as response:
            assert "ada" in {person["name"] for person in (await response.json())["people"]}
        async with session.get(printed.after("Health")) as response:
            assert response.status == 200
        async with session.get(printed.after("MCP (legacy SSE)"), headers=as_ada) as response:
            assert response.content_type == "text/event-stream"
        async with session.post(control, json={}, headers=as_tester) as response:
            assert len((await response.json())["guilds"]) == 2
    viewer = await listed_tools(printed.after("MCP (Streamable HTTP)"), printed.after("Read-only token"))
    assert "message_list_recent" in viewer
    assert "message_send" not in viewer


def configured(programs: Programs, path: Path, configuration: dict[str, Any]) -> InspectorSession:
    """A client that reads the printed configuration from a file."""
    path.write_text(json.dumps(configuration))
    return InspectorSession(programs, "--config", str(path), "--server", "guildhall")


def run_in_shell(line: str) -> str:
    return subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True, timeout=30).stdout


async def connects(entry: dict[str, Any], more: dict[str, str]) -> None:
    """By nothing but what the entry holds: a URL, headers, and ``more`` where that product wants it."""
    assert entry.keys() == {"url", "headers", *more}
    assert {key: entry[key] for key in more} == more
    async with (
        create_mcp_http_client(headers=entry["headers"]) as http,
        Client(streamable_http_client(entry["url"], http_client=http)) as client,
    ):
        assert not answer_of(await client.call_tool("guild_list", {})).is_error


async def test_a_taken_port_is_one_line_that_says_what_helps(demo: Demo, tmp_path: Path) -> None:
    port = demo.mcp_url.removesuffix("/mcp").rpartition(":")[2]
    refused = await command({}, tmp_path, "demo", "--port", port)
    assert refused.code == 1
    assert refused.output == ""
    (line,) = refused.errors.splitlines()
    assert f"127.0.0.1:{port}" in line
    assert "Choose another" in line
