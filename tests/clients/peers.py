"""Other people's clients, each with the same two things to do: list the tools, call one."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

Transport: TypeAlias = Literal["http", "sse"]
PATIENCE_SECONDS = 60.0
"""For one answer of a client, on a machine that is busy with other tests."""


class ClientFailed(Exception):
    """A client's own error. ``kind``: the name that the client gives it; ``status``: of the HTTP answer behind it."""

    def __init__(self, kind: str, status: int | None, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.status = status


@dataclass(frozen=True, slots=True)
class Address:
    """What a client connects to, and the token that it shows there."""

    url: str
    token: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a tool call as the client passes it on."""

    text: str
    data: dict[str, Any]
    is_error: bool

    @classmethod
    def of(cls, result: dict[str, Any]) -> Answer:
        first, *others = result["content"]
        assert not others
        assert first["type"] == "text"
        return cls(first["text"], result["structuredContent"], result["isError"])


class Session(Protocol):
    """A client that has connected. Its methods raise ClientFailed."""

    async def list_tools(self) -> list[dict[str, Any]]: ...

    async def call(self, name: str, /, **arguments: Any) -> Answer: ...


class Peer(Protocol):
    """A client, with the way that it takes."""

    @property
    def transport(self) -> Transport: ...

    @property
    def calls_unlisted(self) -> bool:
        """Whether it sends a call of a tool that it was not shown."""
        ...

    def connected(self, programs: Programs, address: Address) -> AbstractAsyncContextManager[Session]:
        """Raises ClientFailed when the client can't connect."""
        ...


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the clients are. ``packages``: the folder with their node_modules; ``home``: for what they keep."""

    node: Path
    packages: Path
    home: Path
