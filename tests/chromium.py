"""A headless Chromium, driven by its own protocol: https://chromedevtools.github.io/devtools-protocol/"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

WAIT_SECONDS = 30.0
_KEYS = {"Enter": (13, "\r"), "Escape": (27, ""), "Tab": (9, "")}


class BrowserPage:
    """One tab. What its scripts threw or complained of is in `complaints`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.complaints: list[str] = []

    async def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                answer: dict[str, Any] = await self._socket.receive_json()
                if answer.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                    self.complaints.append(json.dumps(answer["params"]))
                if answer.get("id") == number:
                    assert "error" not in answer, answer
                    result: dict[str, Any] = answer["result"]
                    return result

    async def open(self, url: str) -> None:
        for domain in ("Page", "Runtime", "Log"):
            await self.command(f"{domain}.enable")
        await self.command("Page.navigate", url=url)
        await self.until("document.readyState === 'complete'")

    async def value(self, script: str) -> Any:
        """What the expression is. Raises AssertionError where it throws."""
        found = await self.command("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, script: str) -> None:
        """Until the expression is true."""
        # In the page, so that its own changes are what is waited for.
        waiting = f"""new Promise((resolve) => {{
            const look = () => ({script}) ? resolve(true) : requestAnimationFrame(look);
            setTimeout(() => resolve(false), {WAIT_SECONDS * 900});
            look();
        }})"""
        if not await self.value(waiting):
            shown = await self.value("document.body.innerText")
            raise AssertionError(f"never true: {script}\n{self.complaints}\n{shown}")

    async def type(self, text: str) -> None:
        """Into what has the focus."""
        await self.command("Input.insertText", text=text)

    async def press(self, key: str) -> None:
        code, text = _KEYS[key]
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        await self.command("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        await self.command("Input.dispatchKeyEvent", type="keyUp", **common)

    async def click(self, element: str) -> None:
        """In the middle of the element that the expression finds, once it is there."""
        await self.until(element)
        x, y = await self.value(f"""(() => {{
            const element = {element};
            element.scrollIntoView({{ block: "center" }});
            const box = element.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            await self.command("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


@asynccontextmanager
async def browser_page(profile: Path) -> AsyncGenerator[BrowserPage]:
    """Skips the test where there is no Chromium; fails it where everything must be there."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is not installed, and this test needs it.")
        pytest.skip("Chromium is not installed, and this test needs it.")
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    arguments += ["--remote-debugging-port=0", f"--user-data-dir={profile}", "--window-size=1280,860", "about:blank"]
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    draining: asyncio.Task[bytes] | None = None
    try:
        assert process.stderr is not None
        address = await _address(process.stderr)
        draining = asyncio.ensure_future(process.stderr.read())
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{address}/json") as response:
                (tab,) = [each for each in await response.json(content_type=None) if each["type"] == "page"]
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield BrowserPage(socket)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        if draining is not None:
            await draining


async def _address(errors: asyncio.StreamReader) -> str:
    """It says there where it listens."""
    async with asyncio.timeout(WAIT_SECONDS):
        while line := await errors.readline():
            _, found, address = line.decode(errors="replace").partition("DevTools listening on ws://")
            if found:
                return "http://" + address.split("/")[0]
    raise AssertionError("Chromium ended at its start")
