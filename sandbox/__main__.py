"""Command line: `python -m sandbox --port 0 --json [--world demo|empty] [--stdin-lifeline]`."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence

from sandbox.server import Sandbox


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A simulated Discord on loopback.")
    parser.add_argument("--port", type=int, default=0, help="the port; 0 (the default) takes a free one")
    parser.add_argument("--world", choices=("demo", "empty"), default="empty", help="what is in it at the start")
    parser.add_argument("--json", action="store_true", help="print one line of JSON with addresses, tokens and ids")
    parser.add_argument("--stdin-lifeline", action="store_true", help="end when standard input ends")
    return parser.parse_args(argv)


def _watch_stdin(stop: asyncio.Event) -> None:
    """End with the parent: its end of the pipe closes, however it dies."""
    loop = asyncio.get_running_loop()

    def read() -> None:
        # Read by descriptor: a daemon thread must not hold the lock of a buffered reader when Python ends.
        while os.read(0, 65_536):
            pass
        try:
            loop.call_soon_threadsafe(stop.set)
        except RuntimeError:  # the loop has ended for another reason
            return

    threading.Thread(target=read, name="stdin-lifeline", daemon=True).start()


async def _serve(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if arguments.stdin_lifeline:
        _watch_stdin(stop)
    async with Sandbox(port=arguments.port, world=arguments.world) as sandbox:
        addresses = sandbox.addresses()
        if arguments.json:
            print(json.dumps(addresses), flush=True)
        else:
            print(f"Sandbox on {addresses['base_url']}; bot token {addresses['bot_token']}", flush=True)
        await stop.wait()


def main(argv: Sequence[str] | None = None) -> int:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    asyncio.run(_serve(_arguments(argv)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
