"""A program that the stdio tests start: ``serve``, or ``proxy URL TOKEN``."""

from __future__ import annotations

import asyncio
import logging
import sys

from mcp_server.transports import proxy_stdio, serve_stdio
from tests.mcp_server.transports.small_server import Small


async def main() -> None:
    server = Small().server()
    # The worst a program can do to its wire: log to standard output.
    logging.basicConfig(stream=sys.stdout, level=logging.DEBUG)
    match sys.argv[1:]:
        case ["serve"]:
            await serve_stdio(server)
        case ["proxy", url, token]:
            await proxy_stdio(url, token)
        case _:
            sys.exit("serve | proxy URL TOKEN")
    print("done", file=sys.stderr)  # noqa: T201 - what the tests look for


if __name__ == "__main__":
    asyncio.run(main())
