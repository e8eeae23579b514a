"""Members of a simulated guild who use slash commands, and what the bot answers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.app import Place, until


@dataclass(frozen=True, slots=True)
class Told:
    """An answer as its member sees it; nobody else does."""

    raw: dict[str, Any]
    channel: str

    @property
    def message(self) -> dict[str, Any]:
        # The answer to a command is the response, that to a button may be a follow-up.
        message: dict[str, Any] = self.raw["message"]
        return message

    @property
    def text(self) -> str:
        content: str = self.message["content"]
        return content

    @property
    def all_text(self) -> str:
        """Content and embeds."""
        return self.text + "".join(str(embed) for embed in self.message["embeds"])

    @property
    def labels(self) -> list[str]:
        rows = self.message["components"]
        return [each.get("label", each.get("placeholder", "")) for row in rows for each in row["components"]]

    def custom_id(self, label: str) -> str:
        rows = self.message["components"]
        items = [each for row in rows for each in row["components"]]
        found = [each for each in items if each.get("label", each.get("placeholder")) == label]
        assert found, f"no {label} among {self.labels}"
        custom_id: str = found[0]["custom_id"]
        return custom_id


def _told(raw: dict[str, Any], channel: str) -> Told:
    assert raw["acknowledged"], raw
    assert raw["kind"] == "modal" or raw["ephemeral"] or raw["message"] is None or raw["message"]["ephemeral"], raw
    return Told(raw, channel)


async def uses(place: Place, who: str, command: str, at: str = "general", /, **options: Any) -> Told:
    """``command`` with its group: "role assign". Options are plain, or ``{"user": id}`` and the like."""
    where = place.guild["channels"].get(at, at)
    raw = await place.town.sandbox.control(
        "slash", user=int(place.member(who)), channel=int(where), name=command, options=options, wait=10
    )
    return _told(raw, where)


async def presses(
    place: Place, who: str, shown: Told, label: str, name: str | None = None, *, custom_id: str | None = None
) -> Told:
    """Presses a button of an answer, and types ``name`` into the modal that opens."""
    where = {"user": int(place.member(who)), "channel": int(shown.channel)}
    raw = await place.town.sandbox.control(
        "click", **where, message=int(shown.message["id"]), custom_id=custom_id or shown.custom_id(label), wait=10
    )
    if raw["kind"] == "modal" and name is not None:
        interaction = int(raw["interaction"])
        raw = await place.town.sandbox.control(
            "modal", **where, interaction=interaction, values={"name": name}, wait=10
        )
    if raw["kind"] == "deferred_update":
        return Told({**raw, "message": await _changed(place, shown)}, shown.channel)
    return _told(raw, shown.channel)


async def _changed(place: Place, shown: Told) -> dict[str, Any]:
    """The message whose button was pressed, once it shows something else."""
    found: list[dict[str, Any]] = []

    async def has_changed() -> bool:
        now = [each for each in await place.history(shown.channel) if each["id"] == shown.message["id"]]
        found[:] = now
        return any(now[0][part] != shown.message[part] for part in ("content", "components", "embeds"))

    await until(has_changed, "the answer changes")
    return found[0]


async def picks(place: Place, who: str, shown: Told, value: str, label: str) -> Told:
    """Chooses a value in a menu of an answer."""
    where = {"user": int(place.member(who)), "channel": int(shown.channel)}
    raw = await place.town.sandbox.control(
        "select", **where, message=int(shown.message["id"]), custom_id=shown.custom_id(label), values=[value], wait=10
    )
    return _told(raw, shown.channel)


async def offered(
    place: Place, who: str, command: str, option: str, value: str = "", at: str = "general", /, **options: Any
) -> list[str]:
    """What Discord offers while an option is filled in, as it is shown."""
    raw = await place.town.sandbox.control(
        "autocomplete",
        user=int(place.member(who)),
        channel=int(place.guild["channels"].get(at, at)),
        name=command,
        option=option,
        value=value,
        options=options,
        wait=10,
    )
    return [choice["name"] for choice in raw["choices"] or ()]


def user(place: Place, who: str) -> dict[str, int]:
    return {"user": int(place.member(who))}


def channel(place: Place, name: str) -> dict[str, int]:
    return {"channel": int(place.guild["channels"].get(name, name))}


def role(place: Place, name: str) -> dict[str, int]:
    return {"role": int(place.role(name))}
