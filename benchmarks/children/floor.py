"""The floor: a raw aiohttp handler that reads a request and returns ready bytes."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from benchmarks.children.answering import Line, run, usage


async def main() -> None:
    line = Line()
    body = b"{}"

    async def post(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=body, content_type="application/json")

    async def returns(asked: dict[str, Any]) -> dict[str, Any]:
        nonlocal body
        body = asked["body"].encode()
        return {}

    app = web.Application()
    app.router.add_post("/mcp", post)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    line.say(port=runner.addresses[0][1])
    try:
        await line.answer({"usage": usage, "returns": returns})
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    run(main())
