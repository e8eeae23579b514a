"""Guilds that the bot joins, their set-up cards, and people who press them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.app import Town, until
from tests.sandbox_process import GuildIds

NEWCOMERS: dict[str, Any] = {
    "owner": "olive",
    "roles": [
        {"name": "Manager", "permissions": ["manage_guild"]},
        {"name": "Admin", "permissions": ["administrator"]},
        {"name": "Member"},
    ],
    "members": [
        {"name": "ada", "roles": ["Admin"]},
        {"name": "marlow", "roles": ["Manager"]},
        {"name": "nina", "roles": ["Member"]},
    ],
    "channels": [{"name": "general"}, {"name": "log"}],
}
STAFF: list[dict[str, Any]] = [
    {"role": "@everyone", "deny": ["view_channel"]},
    {"role": "Manager", "allow": ["view_channel"]},
    {"role": "Guildhall", "allow": ["view_channel"]},
]


@dataclass(frozen=True, slots=True)
class Told:
    """What a press came to: what the presser alone was told."""

    raw: dict[str, Any]

    @property
    def text(self) -> str:
        """Of the answer, and of what followed it."""
        messages = [self.raw["message"], *self.raw["followups"]]
        said = [f"{message['content']} {message['embeds']}" for message in messages if message and message["ephemeral"]]
        return "\n".join(said)


class NewGuild:
    """A guild that the bot has just joined."""

    def __init__(self, town: Town, ids: GuildIds) -> None:
        self.town = town
        self.ids = ids

    @property
    def id(self) -> int:
        return int(self.ids["id"])

    def member(self, name: str) -> int:
        return int(self.ids["owner_id"] if name == "olive" else self.ids["members"][name])

    def channel(self, name: str) -> int:
        return int(self.ids["channels"][name])

    @property
    def is_installed(self) -> bool:
        return self.id in self.town.core.facts.snapshot.installations

    # -------------------------------------------------------------------- cards
    async def cards(self) -> list[tuple[int, dict[str, Any]]]:
        """Every set-up card that stands in the guild, or in its owner's direct messages: where, and as it is now."""
        seen = await self.town.sandbox.control("world", guild=self.id)
        places = [int(each["id"]) for each in seen["guilds"][0]["channels"] if each["type"] in ("text", "announcement")]
        places += [int(each["id"]) for each in seen["direct_messages"]]
        found: list[tuple[int, dict[str, Any]]] = []
        for channel_id in places:
            history = await self.town.sandbox.control("history", channel=channel_id)
            found += [(channel_id, message) for message in history["messages"] if self._is_card(message)]
        return found

    def _is_card(self, message: dict[str, Any]) -> bool:
        ids = [each.get("custom_id", "") for row in message["components"] for each in row["components"]]
        return any(each.startswith("su:") and f":{self.id}:" in each for each in ids)

    async def card(self) -> tuple[int, dict[str, Any]]:
        """The newest card, once one stands there: that of an earlier stay may stand there as well."""
        found: list[tuple[int, dict[str, Any]]] = []

        async def stands() -> bool:
            found[:] = await self.cards()
            return bool(found)

        await until(stands, "the set-up card stands there")
        return max(found, key=lambda card: int(card[1]["id"]))

    # ------------------------------------------------------------------- people
    async def press(self, who: str, label: str, shown: tuple[int, dict[str, Any]] | None = None) -> Told:
        channel_id, message = shown or await self.card()
        raw = await self.town.sandbox.control(
            "click",
            user=self.member(who),
            channel=channel_id,
            message=int(message["id"]),
            label=label,
            wait=10,
            followups=1,
        )
        assert raw["acknowledged"], raw
        return Told(raw)

    async def choose(self, who: str, about: str, values: list[Any]) -> Told:
        """In the menu whose placeholder begins so."""
        channel_id, message = await self.card()
        (custom_id,) = [
            each["custom_id"]
            for row in message["components"]
            for each in row["components"]
            if each.get("placeholder", "").startswith(about)
        ]
        raw = await self.town.sandbox.control(
            "select",
            user=self.member(who),
            channel=channel_id,
            message=int(message["id"]),
            custom_id=custom_id,
            values=values,
            wait=10,
            followups=1,
        )
        assert raw["acknowledged"], raw
        return Told(raw)

    async def uses(self, who: str, command: str, at: str = "general", **options: Any) -> Told:
        raw = await self.town.sandbox.control(
            "slash", user=self.member(who), channel=self.channel(at), name=command, options=options, wait=10
        )
        assert raw["acknowledged"], raw
        return Told(raw)

    async def claimed(self, who: str = "ada") -> None:
        said = await self.press(who, "Claim")
        assert "Claimed" in said.text, said.text


async def joined(town: Town, name: str = "Newcomers", **spec: Any) -> NewGuild:
    """The bot is added to a guild while it runs."""
    ids = await town.sandbox.make_guild(name, **{**NEWCOMERS, **spec})
    await until(lambda: town.core.client.readiness.is_ready(int(ids["id"])), "the guild arrives")
    return NewGuild(town, ids)


def granted_by(message: dict[str, Any]) -> int:
    """The permissions that the card's link asks for."""
    urls: list[str] = [each["url"] for row in message["components"] for each in row["components"] if each.get("url")]
    (url,) = urls
    asked = parse_qs(urlsplit(url).query)
    assert asked["scope"] == ["bot applications.commands"]
    return int(asked["permissions"][0])


def text_of(message: dict[str, Any]) -> str:
    return str(message["embeds"])
