"""The sandbox as one server: REST, gateway, CDN, OAuth2 pages, the control API and the preview on one loopback port."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from types import TracebackType
from typing import Any, Literal, Self, TypedDict

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.actions import all_actions
from sandbox.cdn import Cdn
from sandbox.control import Control, is_loopback_host
from sandbox.describe import GuildIds, guild_ids
from sandbox.gateway import Gateway
from sandbox.internals import set_cdn_base, trim
from sandbox.journal import Journal
from sandbox.oauth import OAuth
from sandbox.preview.actions import PreviewActions
from sandbox.preview.pages import PreviewPages
from sandbox.rest import Rest
from sandbox.uploads import MAX_BODY_BYTES
from sandbox.world import World

logger = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
WorldName = Literal["demo", "empty"]

TRIM_SECONDS = 60.0
MESSAGES_PER_CHANNEL = 5_000
AUDIT_ENTRIES_PER_GUILD = 5_000


class SandboxAddresses(TypedDict):
    """How to reach a running sandbox, and what is in it; ids are strings."""

    base_url: str
    api_base_url: str
    control_url: str
    control_token: str
    preview_url: str
    bot_token: str
    bot_id: str
    application_id: str
    oauth_client_secret: str
    guilds: list[GuildIds]


class Sandbox:
    """`async with Sandbox() as sandbox:` serves until the block ends. Port 0 takes a free one."""

    def __init__(self, *, port: int = 0, world: WorldName = "empty", bot_name: str = "Guildhall") -> None:
        self._port = port
        self._world_name: WorldName = world
        self._bot_name = bot_name
        self._closing = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            listener = stack.enter_context(socket.create_server((LOOPBACK, self._port), backlog=256))
            self._port = int(listener.getsockname()[1])
            set_cdn_base(f"{self.base_url}/cdn")
            self._build()
            runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.3)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.SockSite(runner, listener).start()
            trimming = asyncio.create_task(self._trim_forever())
            stack.push_async_callback(_cancel, trimming)
            stack.push_async_callback(self._close_gateway)
            self._closing = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._closing.aclose()

    @property
    def world(self) -> World:
        """For who runs it in the same process; others have the control API."""
        return self._world

    @property
    def journal(self) -> Journal:
        return self._journal

    @property
    def base_url(self) -> str:
        return f"http://{LOOPBACK}:{self._port}"

    def addresses(self) -> SandboxAddresses:
        backend = self._world.backend
        return {
            "base_url": self.base_url,
            "api_base_url": f"{self.base_url}/api/v10",
            "control_url": f"{self.base_url}/control",
            "control_token": self._control.token,
            "preview_url": self._preview.url(self.base_url),
            "bot_token": self._world.bot_token,
            "bot_id": str(self._world.bot_id),
            "application_id": str(self._world.application_id),
            "oauth_client_secret": self._oauth.client_secret,
            "guilds": [guild_ids(backend, guild) for guild in backend.guilds.values()],
        }

    def _build(self) -> None:
        self._world = World(bot_name=self._bot_name)
        if self._world_name == "demo":
            from sandbox.demo_world import seed

            seed(self._world)
        self._journal = journal = Journal()
        self._gateway = Gateway(self._world)
        self._gateway.url = f"ws://{LOOPBACK}:{self._port}/gateway"
        self._oauth = OAuth(self._world)
        self._rest = Rest(self._world, self._gateway, self._oauth, journal)
        self._cdn = Cdn(self._world, self.base_url)
        self._control = Control(all_actions(self._world, self._gateway, self._rest, journal), self._port)
        self._preview = PreviewPages(Control(PreviewActions(self._world).actions(), self._port))

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[self._host_check])
        router = application.router
        router.add_get("/gateway", self._gateway.handle)
        router.add_get("/gateway/", self._gateway.handle)
        router.add_get("/oauth2/authorize", self._oauth.authorize)
        router.add_get("/cdn/{path:.*}", self._cdn.handle)
        self._preview.add_to(router)
        router.add_route("*", "/control/{action}", self._control.handle)
        router.add_route("*", r"/api/{version:v\d+}/{path:.*}", self._rest.handle)
        return application

    @web.middleware
    async def _host_check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        # A name that was rebound to 127.0.0.1 reaches nothing here.
        if not is_loopback_host(request.headers.get("Host"), self._port):
            return web.Response(status=403, text="The Host header has to name this machine and port.")
        return await handler(request)

    async def _trim_forever(self) -> None:
        while True:
            await asyncio.sleep(TRIM_SECONDS)
            trim(
                self._world.backend,
                messages_per_channel=MESSAGES_PER_CHANNEL,
                audit_entries=AUDIT_ENTRIES_PER_GUILD,
                expired_before=self._world.backend.now_iso(),
            )

    async def _close_gateway(self) -> None:
        self._gateway.close()


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
