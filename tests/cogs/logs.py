"""What a log channel was told, as it stands in Discord."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.app import Place, until
from tests.cogs.slashing import Told


@dataclass(frozen=True, slots=True)
class Logged:
    """One embed of the log, on its message."""

    embed: dict[str, Any]
    message: dict[str, Any]
    channel: str

    @property
    def title(self) -> str:
        title: str = self.embed["title"]
        return title

    @property
    def lines(self) -> list[str]:
        text: str = self.embed["description"]
        return text.splitlines()

    @property
    def call_id(self) -> str:
        call_id: str = self.embed["footer"]["text"]
        return call_id

    def custom_id(self, press: str) -> str | None:
        ids = [each["custom_id"] for row in self.message["components"] for each in row["components"]]
        return next((custom_id for custom_id in ids if custom_id.startswith(f"gl:{press}:{self.call_id}:")), None)


async def keeps_log(place: Place, channel: str = "mod-room", **rules: Any) -> None:
    await place.set_rules(log_channel_id=int(place.channel(channel)), **rules)


async def messages(place: Place, channel: str = "mod-room") -> list[dict[str, Any]]:
    """The log's own, oldest first."""
    found = [each for each in await place.history(channel) if each["embeds"] and "footer" in each["embeds"][0]]
    return sorted(found, key=lambda each: int(each["id"]))


async def logged(place: Place, channel: str = "mod-room") -> list[Logged]:
    """Everything that it was told, oldest first."""
    where = place.guild["channels"].get(channel, channel)
    return [Logged(embed, message, where) for message in await messages(place, channel) for embed in message["embeds"]]


async def told_of(place: Place, title: str, channel: str = "mod-room") -> Logged:
    """The newest entry whose title contains this, once it is there."""
    found: list[Logged] = []

    async def stands() -> bool:
        found[:] = [each for each in await logged(place, channel) if title in each.title]
        return bool(found)

    await until(stands, f"the log tells of {title!r}")
    return found[-1]


async def up_to_date(place: Place) -> None:
    """Once the log has been told of everything that was entered by now."""
    from storage import notices

    core = place.town.core
    await core.chain.catch_up()
    async with core.database.read() as session:
        head = (await notices.heads(session))[place.workspace_id]

    async def is_told() -> bool:
        looked_to = core.log_channels.looked_to(place.installation_id)
        return looked_to >= head

    await until(is_told, "the log is up to date", 20)


async def presses_log(
    place: Place,
    who: str,
    entry: Logged,
    press: str,
    *,
    message: str = "",
    channel: str = "",
    custom_id: str = "",
) -> Told:
    """Presses *Details* ("see") or *Undo* ("undo")."""
    where = channel or entry.channel
    raw = await place.town.sandbox.control(
        "click",
        user=int(place.member(who)),
        channel=int(where),
        message=int(message or entry.message["id"]),
        custom_id=custom_id or entry.custom_id(press),
        wait=10,
    )
    assert raw["ephemeral"] or raw["message"]["ephemeral"], raw
    return Told(raw, where)
