"""A guild before and after it is filled with what a person can't see, and every read of the catalogue on it.

One guild at two times rather than two guilds: every id that may be named is the same in both worlds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast, get_args

from mcp.client import Client

from operations.base import Operation
from policy.model import Kind
from tests import samples
from tests.app import Place, answer_of, until
from tests.samples import UNKNOWN_ID, Things, id_fields, replaced, sample

VIEW_CHANNEL = 1 << 10
MAX_PAGES = 20
READS = [operation for operation in samples.OPERATIONS if operation.kind is Kind.READ]
CURTAINED: dict[str, Any] = {
    "roles": [
        {"name": "Admin", "permissions": ["administrator"]},
        {"name": "Moderator", "permissions": ["manage_channels", "manage_messages", "manage_webhooks", "manage_roles"]},
        {"name": "Member"},
    ],
    "channels": [
        {"name": "Talk", "type": "category"},
        {"name": "general", "category": "Talk", "topic": "see <#9>"},
        {"name": "news", "category": "Talk"},
        {"name": "open", "category": "Talk"},
        {"name": "mod-room"},
        {"name": "help"},
        {"name": "lounge", "type": "voice"},
    ],
}
"""Nobody but ada may read Discord's audit log (which Discord shows whole to who may), may ban, or sees what ``hide``
makes."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """Ids of what only administrators see, by kind; ``names``: what it is called."""

    ids: dict[str, list[str]]
    names: tuple[str, ...]


async def hide(place: Place) -> Hidden:
    """Fills the guild with hidden channels, threads, messages, webhooks, invites, overwrites, bans, and what was done
    about them through Guildhall and by hand.
    """
    guild = place.town.core.state.source.cached(place.guild_id)
    assert guild is not None
    curtain = [
        {"id": place.id, "type": 0, "deny": str(VIEW_CHANNEL)},
        {"id": place.role("Guildhall"), "type": 0, "allow": str(VIEW_CHANNEL)},
        {"id": place.role("Moderator"), "type": 0, "deny": str(1 << 11)},
        {"id": place.member("nina"), "type": 1, "deny": str(1 << 11)},
    ]

    async def make(name: str, **fields: Any) -> str:
        body = {"name": name, "permission_overwrites": curtain, **fields}
        made = await place.by_hand("ada", "POST", f"/guilds/{place.id}/channels", body)
        await until(lambda: guild.get_channel(int(made["id"])), "the channel arrives")
        place.guild["channels"][name] = made["id"]
        return str(made["id"])

    cellar = await make("Cellar", type=4)
    vault = await make("vault", parent_id=cellar, topic="a secret topic")
    under = await make("under-talk", parent_id=place.channel("Talk"))
    booth = await make("booth", type=2)
    public = await place.thread("ada", "vault", "whispers")
    # The simulation announces private threads in their channel, as Discord does public ones; nobody reads #open here.
    private = await place.thread("ada", "open", "hush", private=True)
    said = [await place.says("ada", name, f"<@{place.member('nina')}> in {name}") for name in ("vault", "under-talk")]
    sent = await place.sent("ada", "vault", content="through Guildhall")
    await place.done("message_edit", "ada", channel=vault, message=sent, content="again", dry_run=False)
    await place.done("channel_edit", "ada", channel=vault, topic="another secret", dry_run=False)
    await place.call("channel_delete", "ada", channel=vault, dry_run=False)
    assert (await place.call("message_send", "ada", channel=vault, content="x" * 3000, dry_run=False)).is_error
    await place.by_hand("ada", "PUT", f"/channels/{vault}/messages/pins/{said[0]}")
    webhook = await place.by_hand("ada", "POST", f"/channels/{vault}/webhooks", {"name": "whisperer"})
    invite = await place.by_hand("ada", "POST", f"/channels/{vault}/invites", {"max_age": 0})
    stranger = place.town.anchor["members"]["amy"]
    await place.by_hand("ada", "PUT", f"/guilds/{place.id}/bans/{stranger}", {})
    ids = {
        "channel": [vault, under, booth, public, private],
        "category": [cellar],
        "thread": [public, private],
        "message": [*said, sent],
        "webhook": [webhook["id"]],
        "invite": [invite["code"]],
        "member": [stranger],
        "user": [stranger],
        "mentionable": [stranger],
    }
    return Hidden(ids, ("vault", "booth", "whispers", "hush", "Cellar", "whisperer"))


# ------------------------------------------------------------------ questions
def variants(operation: type[Operation], known: Things, others: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    """The sample, the sample without each field that may be left out, with other objects of the same kinds, by name,
    and in small pages.
    """
    given = sample(operation, known)
    yield given
    fields = operation.Input.model_fields
    for name in given:
        if not fields[name].is_required():
            yield {key: value for key, value in given.items() if key != name}
    for _, path, kind in id_fields(given):
        for other in [*others.get(kind, ()), UNKNOWN_ID]:
            yield replaced(given, path, other)
    for limit in (1, 2):
        if "limit" in fields:
            yield {**given, "limit": limit}
    for name, info in fields.items():
        if info.annotation is bool or bool in get_args(info.annotation):
            yield {**given, name: True}


def visible_things(place: Place) -> dict[str, list[str]]:
    """Other objects that everybody sees, by kind; names too, since a name serves as well as an id."""
    return {
        "channel": [place.channel("news"), place.channel("Talk"), "general", "Talk"],
        "category": ["Talk"],
        "member": [place.member("ada"), place.member("marlow"), "nina"],
        "role": [place.role("Moderator"), place.id, "Member"],
    }


# -------------------------------------------------------------------- answers
Question = tuple[str, dict[str, Any]]


def questions(place: Place, known: Things) -> list[Question]:
    """Every read of the catalogue, in every variant."""
    others = visible_things(place)
    return [(operation.name, given) for operation in READS for given in variants(operation, known, others)]


async def answers(place: Place, who: str, asked: list[Question]) -> dict[str, Any]:
    """What this person hears, by the question."""
    found: dict[str, Any] = {}
    async with place.client(who) as client:
        for name, given in asked:
            found[f"{name} {given}"] = await pages(client, name, given)
    return found


async def answered(place: Place, who: str, asked: list[Question]) -> list[Question]:
    """Those that are not refused: what is refused is recorded, and a later look at the record would show it."""
    async with place.client(who) as client:
        return [each for each in asked if not answer_of(await client.call_tool(*each)).is_error]


async def pages(client: Client, name: str, given: dict[str, Any]) -> list[Any]:
    """All pages of an answer. A cursor is sealed anew each time; that there is one says something."""
    found: list[Any] = []
    cursor: str | None = None
    while True:
        more = {} if cursor is None else {"cursor": cursor}
        answer = answer_of(await client.call_tool(name, {**given, **more}))
        text, data = answer.said
        cursor = data.get("cursor")
        found.append((text.replace(cursor, "…"), {**data, "cursor": "…"}) if cursor else (text, data))
        if cursor is None or len(found) >= MAX_PAGES:
            return found


def named(known: Things, hidden: Hidden) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Calls that name something hidden, each with the same call that names nothing that exists."""
    for operation in READS:
        given = sample(operation, known)
        for _, path, kind in id_fields(given):
            for text in hidden.ids.get(kind, ()):
                nothing = UNKNOWN_ID if text.isdecimal() else "nowhere"
                yield operation.name, replaced(given, path, text), replaced(given, path, nothing)
            if kind in ("channel", "category", "thread", "webhook"):
                for text in hidden.names:
                    yield operation.name, replaced(given, path, text), replaced(given, path, f"{text[:-1]}q")


def anonymous(said: Any, given: Any, nothing: Any) -> str:
    """An answer in which what was named reads as if it were what does not exist."""
    text = repr(said)
    for name, other in zip(_texts(given), _texts(nothing), strict=True):
        text = text.replace(name, other) if name != other else text
    return text


def _texts(given: Any) -> Iterator[str]:
    if isinstance(given, dict):
        for value in cast("dict[str, Any]", given).values():
            yield from _texts(value)
    elif isinstance(given, list):
        for value in cast("list[Any]", given):
            yield from _texts(value)
    else:
        yield str(given)
