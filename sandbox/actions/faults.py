"""What goes wrong, on demand: REST faults, limits, and the gateway's."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Literal

from pydantic import Field

from sandbox.control import Action, ActionBody
from sandbox.faults import Fault
from sandbox.gateway import Gateway
from sandbox.internals import PRIVILEGED_INTENTS
from sandbox.rest import Rest
from sandbox.world import World

PrivilegedIntent = Literal["members", "presences", "message_content"]


class SetFaults(ActionBody):
    """Replaces the faults in force; an empty list ends them."""

    faults: list[Fault]
    seed: int | None = None


class SetLimits(ActionBody):
    """Only what is given changes. A limit of 0 requests is off. Changing any of them starts new windows."""

    per_bucket: int | None = Field(default=None, ge=0)
    window_seconds: float | None = Field(default=None, gt=0)
    global_per_second: int | None = Field(default=None, ge=0)
    nonce_window_seconds: float | None = Field(default=None, ge=0)
    filesize_limit_bytes: int | None = Field(default=None, ge=1)


class GatewayFault(ActionBody):
    """For the sockets of one shard, or of all.

    `op` sends an opcode (7 reconnect, 9 invalid session with `d`), `close` closes with a code, `abort` resets the TCP
    connection, `pause` is a half-open socket: nothing delivered, nothing answered, until `resume` or `seconds` are
    over. `forget` makes sessions unresumable; `refuse_seconds` turns new connections away.
    """

    op: int | None = None
    d: Any = None
    close: int | None = Field(default=None, ge=1000, le=4999)
    abort: bool = False
    pause: bool = False
    resume: bool = False
    seconds: float | None = Field(default=None, gt=0, le=600)
    forget: bool = False
    refuse_seconds: float = Field(default=0, ge=0, le=600)
    shard: int | None = None


class SetIntents(ActionBody):
    """Which privileged intents the application has been approved for."""

    approved: list[PrivilegedIntent]


class Reset(ActionBody):
    """Ends every fault, limit, delay and refusal; guilds and messages stay."""


class FaultActions:
    def __init__(self, world: World, gateway: Gateway, rest: Rest) -> None:
        self._world = world
        self._gateway = gateway
        self._rest = rest

    def actions(self) -> list[Action]:
        return [
            Action("fault", SetFaults, self.fault),
            Action("limits", SetLimits, self.limits),
            Action("gateway", GatewayFault, self.gateway),
            Action("intents", SetIntents, self.intents),
            Action("reset", Reset, self.reset),
        ]

    async def fault(self, body: SetFaults) -> dict[str, Any]:
        self._rest.faults.set(body.faults, seed=body.seed)
        return {"faults": len(body.faults)}

    async def limits(self, body: SetLimits) -> dict[str, Any]:
        limits, nonces = self._rest.rate_limits, self._rest.nonces
        if body.per_bucket is not None:
            limits.per_bucket = body.per_bucket
        if body.window_seconds is not None:
            limits.window_seconds = body.window_seconds
        if body.global_per_second is not None:
            limits.global_per_second = body.global_per_second
        if body.nonce_window_seconds is not None:
            nonces.seconds = body.nonce_window_seconds
        if body.filesize_limit_bytes is not None:
            self._rest.filesize_limit_bytes = body.filesize_limit_bytes
        limits.forget()
        return {
            "per_bucket": limits.per_bucket,
            "window_seconds": limits.window_seconds,
            "global_per_second": limits.global_per_second,
            "nonce_window_seconds": nonces.seconds,
            "filesize_limit_bytes": self._rest.filesize_limit_bytes,
        }

    async def gateway(self, body: GatewayFault) -> dict[str, Any]:
        connections = self._gateway.connected(body.shard)
        if body.refuse_seconds:
            self._gateway.refused_until = time.monotonic() + body.refuse_seconds
        if body.forget:
            self._gateway.forget_sessions()
        for connection in connections:
            if body.resume:
                connection.resume()
            if body.op is not None:
                connection.send_op(body.op, body.d)
            if body.close is not None:
                connection.close(body.close)
            if body.abort:
                connection.abort()
            if body.pause:
                connection.pause()
                if body.seconds is not None:
                    asyncio.get_running_loop().call_later(body.seconds, connection.resume)
        return {"sockets": len(connections)}

    async def intents(self, body: SetIntents) -> dict[str, Any]:
        self._gateway.approved_intents = set(body.approved)
        return {"approved": sorted(body.approved)}

    async def reset(self, _body: Reset) -> dict[str, Any]:
        self._rest.faults.set([], seed=0)
        self._rest.reset_limits()
        self._gateway.approved_intents = set(PRIVILEGED_INTENTS)
        self._gateway.refused_until = 0.0
        for guild in list(self._gateway.guild_delays):
            self._gateway.delay_guild(guild, 0)
        for connection in self._gateway.connections:
            connection.resume()
        return {}
