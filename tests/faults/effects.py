"""What a write left behind in the simulated Discord."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from tests.app import Answer
from tests.faults.instance import Instance
from tests.sandbox_process import GuildIds, SandboxProcess

LastStep = Callable[[], Coroutine[Any, Any, Any]]


@dataclass(frozen=True)
class Write:
    """A write that an instance can be asked for, and how its effect is counted."""

    operation: str
    route: str
    arguments: dict[str, Any]
    sandbox: SandboxProcess
    guild: GuildIds
    text: str

    async def effects(self) -> int:
        """How often it took effect, by looking at the world itself."""
        if self.operation == "channel_create":
            seen = await self.sandbox.control("world", guild=int(self.guild["id"]))
            return sum(channel["name"] == self.text for channel in seen["guilds"][0]["channels"])
        channel = int(self.guild["channels"]["general"])
        found = await self.sandbox.control("history", channel=channel)
        return sum(message["content"] == self.text for message in found["messages"])

    async def requests(self) -> list[dict[str, Any]]:
        """The requests of its route that have arrived at Discord."""
        log = await self.sandbox.control("requests")
        found: list[dict[str, Any]] = log["requests"]
        method, path = self.route.split()
        return [each for each in found if each["method"] == method and each["path"] == path]

    async def suffers(self, *faults: dict[str, Any]) -> None:
        """These faults strike its route alone."""
        method, path = self.route.split()
        await self.sandbox.control("fault", faults=[{"method": method, "path": path, **each} for each in faults])

    async def prepared(self, instance: Instance, token: str) -> LastStep:
        """Asks for what has to be asked for first; what then has the effect is left to be called, once or more."""
        return lambda: self.by(instance, token)

    def by(self, instance: Instance, token: str, **more: Any) -> Coroutine[Any, Any, Answer]:
        """The call, to be awaited."""
        return instance.call(token, self.operation, **self.arguments, **more, dry_run=False)


def message_send(sandbox: SandboxProcess, guild: GuildIds, text: str = "once, and no more") -> Write:
    channel = guild["channels"]["general"]
    return Write(
        "message_send",
        f"POST /channels/{channel}/messages",
        {"channel": channel, "content": text},
        sandbox,
        guild,
        text,
    )


def channel_create(sandbox: SandboxProcess, guild: GuildIds, name: str = "only-one") -> Write:
    return Write(
        "channel_create",
        f"POST /guilds/{guild['id']}/channels",
        {"guild": guild["id"], "name": name},
        sandbox,
        guild,
        name,
    )


def listed_channels(answer: Answer) -> set[str]:
    """The names of the channels in an answer of channel_list, outside and inside of categories."""
    groups: list[dict[str, Any]] = [answer.data, *answer.data["categories"]]
    return {channel["name"] for group in groups for channel in group["channels"]}


WRITES = {"message_send": message_send, "channel_create": channel_create}
