"""Somebody with a client at the demo, who calls its first guild by name."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tests.clients.demo_process import Demo
from tests.clients.listing import Tools, check_result, listed_tools
from tests.clients.peers import Address, Answer, Peer, Programs, Session


class Newcomer:
    """``tools``: as the server lists them; every answer is checked against them."""

    def __init__(self, session: Session, guild: str, tools: Tools) -> None:
        self._session = session
        self._guild = guild
        self.tools = tools

    async def list_tools(self) -> Tools:
        """As the client shows them."""
        return {tool["name"]: tool for tool in await self._session.list_tools()}

    async def call(self, name: str, /, **arguments: object) -> Answer:
        answer = await self._session.call(name, guild=self._guild, **arguments)
        check_result(self.tools[name], answer)
        return answer

    async def take_back(self, plan_id: str) -> Answer:
        """A plan of his own; it knows of no guild."""
        return await self._session.call("plan_cancel", plan_id=plan_id)

    async def send(self, channel: str, content: str, *, dry_run: bool = False) -> Answer:
        return await self.call("message_send", channel=channel, content=content, dry_run=dry_run)


@asynccontextmanager
async def newcomer(demo: Demo, programs: Programs, peer: Peer, token: str | None = None) -> AsyncGenerator[Newcomer]:
    async with peer.connected(programs, address(demo, peer, token)) as session:
        yield Newcomer(session, demo.guild["name"], await listed_tools(demo.mcp_url, demo.token))


def address(demo: Demo, peer: Peer, token: str | None = None) -> Address:
    return Address(demo.sse_url if peer.transport == "sse" else demo.mcp_url, token or demo.token)
