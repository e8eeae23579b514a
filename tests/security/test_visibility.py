"""What the requester can't see shows nowhere: not in lists, counts, positions, cursors, mentions, names, refusals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.app import Answer, Place, Town, until
from tests.samples import UNKNOWN_ID

pytestmark = pytest.mark.asyncio(loop_scope="session")

SMALL: dict[str, Any] = {
    "roles": [
        {"name": "Admin", "permissions": ["administrator"]},
        {
            "name": "Moderator",
            "permissions": ["manage_channels", "view_audit_log", "manage_messages", "manage_webhooks", "manage_guild"],
        },
        {"name": "Member"},
    ],
    "channels": [
        {"name": "Talk", "type": "category"},
        {"name": "general", "category": "Talk", "topic": "see <#9>"},
        {"name": "open", "category": "Talk"},
    ],
}
REQUESTERS = ("nina", "marlow")
EXPLAINED = {
    "channel_delete": ("guild", "channel"),
    "message_send": ("guild", "channel", "content"),
    "channel_create": ("guild", "name"),
}


async def everything_read(place: Place, who: str) -> dict[str, Any]:
    """Every read operation on all that this person may name."""
    found: dict[str, Any] = {}

    async def read(name: str, **arguments: Any) -> Answer:
        answer = await place.call(name, who, **arguments)
        text, data = answer.said
        cursor = data.get("cursor")
        # A cursor is sealed anew each time; that there is one says something.
        found[f"{name} {arguments}"] = (text.replace(cursor, "…"), data | {"cursor": "…"}) if cursor else (text, data)
        return answer

    await read("guild_list")
    await read("guild_get", guild=place.id)
    await read("channel_list", guild=place.id)
    await read("thread_list", guild=place.id)
    await read("thread_list", guild=place.id, limit=1)
    await read("thread_list", channel=place.channel("open"))
    await read("thread_list", channel=place.channel("open"), state="archived")
    await read("whoami")
    await read("member_list", guild=place.id)
    await read("member_search", guild=place.id, query="a")
    await read("member_get", guild=place.id, member=place.member("ada"))
    await read("tool_search", query="channel")
    for channel in ("general", "open", "Talk"):
        await read("channel_get", channel=place.channel(channel))
        if who == "marlow":
            await read("channel_permissions_list", channel=place.channel(channel))
    await read("role_list", guild=place.id)
    for role in ("Member", "Moderator", "@everyone"):
        await read("role_get", guild=place.id, role=role)
    recent = await read("message_list_recent", channel=place.channel("general"))
    for row in recent.data["messages"]:
        await read("message_get", channel=place.channel("general"), message=row["id"])
    await read("message_list_recent", channel=place.channel("general"), contains="x", limit=2)
    if who == "marlow":
        # Behind Discord's gate; that others are refused stands in the audit, which is read below.
        await read("discord_audit_list", guild=place.id)
        await read("discord_audit_list", guild=place.id, limit=2, member=place.member("ada"))
        await read("webhook_list", guild=place.id)
        await read("invite_list", guild=place.id)
        for channel in ("general", "open"):
            await read("webhook_list", channel=place.channel(channel), limit=1)
            await read("invite_list", channel=place.channel(channel))
    await read("audit_list", guild=place.id)
    await read("audit_list", guild=place.id, operation="message_send", limit=2)
    await read("audit_list", guild=place.id, status="pending")
    for operation in ("channel_delete", "message_send", "channel_create"):
        arguments = {"channel": place.channel("general"), "name": "x", "content": "x", "guild": place.id}
        given = {key: arguments[key] for key in EXPLAINED[operation]}
        await read("policy_explain", operation=operation, arguments=given)
    cursor, pages = None, list[Any]()
    while True:
        more = {} if cursor is None else {"cursor": cursor}
        page = await place.call("audit_list", who, guild=place.id, limit=1, **more)
        pages.append(page.data["calls"])
        if (cursor := page.data.get("cursor")) is None:
            break
    found["pages"] = pages
    return found


async def arrived(place: Place, condition: Callable[[], object]) -> None:
    await until(condition, "the event arrives")


async def world_behind_the_curtain(place: Place) -> dict[str, str]:
    """Fills the guild with what only administrators see; ids by what they are."""
    ada, guild = place.member("ada"), place.town.core.state.source.cached(place.guild_id)
    assert guild is not None
    deny = [
        {"id": place.id, "type": 0, "deny": str(1 << 10)},
        {"id": place.role("Guildhall"), "type": 0, "allow": str(1 << 10)},
    ]

    async def make(name: str, **fields: Any) -> str:
        made = await place.by_hand(
            "ada", "POST", f"/guilds/{place.id}/channels", {"name": name, "permission_overwrites": deny, **fields}
        )
        await arrived(place, lambda: guild.get_channel(int(made["id"])))
        place.guild["channels"][name] = made["id"]
        return str(made["id"])

    category = await make("Cellar", type=4)
    vault = await make("vault", parent_id=category, topic="secret topic")
    await make("under-talk", parent_id=place.channel("Talk"))
    await make("booth", type=2)
    # The simulation announces private threads in their channel, as Discord does public ones; nobody reads #open here.
    private = await place.thread("ada", "open", "hush", private=True)
    await place.town.sandbox.control("send", user=int(ada), channel=int(private), content="in the private thread")
    await place.says("ada", "vault", "in the vault")
    await place.webhook("ada", "vault", "hidden hook")
    await place.invite("ada", "vault")
    await place.sent("ada", "vault", content="through Guildhall")
    edited = await place.sent("ada", "vault")
    await place.done("message_edit", "ada", channel=vault, message=edited, content="again", dry_run=False)
    await place.done("channel_edit", "ada", channel=vault, topic="another secret", dry_run=False)
    await place.call("channel_delete", "ada", channel=vault, dry_run=False)
    refused = await place.call("message_send", "ada", channel=vault, content="x" * 3000, dry_run=False)
    assert refused.is_error
    return {"vault": vault, "private": private, "category": category}


@pytest.mark.parametrize("who", REQUESTERS)
async def test_line_11_a_world_with_hidden_things_reads_like_one_without(town: Town, who: str) -> None:
    """The same guild, before and after it is filled with what this person can't see."""
    place = await town.place("Curtain", **SMALL)
    await place.says("nina", "general", "x marks it")
    await place.webhook("ada", "general", "Tides")
    await place.invite("ada", "open")
    await place.sent("nina", content="said by nina")
    await place.sent("ada", content="said by ada")
    await everything_read(place, who)  # what he has read taints him, and whoami says so
    plain = await everything_read(place, who)
    hidden = await world_behind_the_curtain(place)
    behind = await everything_read(place, who)
    assert set(plain) == set(behind)
    assert {key: (plain[key], behind[key]) for key in plain if plain[key] != behind[key]} == {}

    for text, nothing in [*((each, UNKNOWN_ID) for each in hidden.values()), ("vault", "vauld"), ("booth", "boots")]:
        for name in ("channel_get", "channel_permissions_list", "message_list_recent"):
            found = await place.call(name, who, guild=place.id, channel=text)
            unknown = await place.call(name, who, guild=place.id, channel=nothing)
            assert found.said == unknown.said, (name, text)
            explained = [
                await place.call("policy_explain", who, operation=name, arguments={"guild": place.id, "channel": each})
                for each in (text, nothing)
            ]
            assert explained[0].said == explained[1].said, (name, text)


async def test_line_11_a_mention_of_a_hidden_channel_reads_like_one_of_none(town: Town) -> None:
    """In messages, embeds and topics: its name must not be looked up for who can't see it."""
    place = await town.place("Mentions", **SMALL)
    hidden = await world_behind_the_curtain(place)
    thread, vault = hidden["private"], hidden["vault"]
    texts = {}
    for name, channel_id in (("hidden", vault), ("private", thread), ("none", UNKNOWN_ID)):
        link = f"https://discord.com/channels/{place.id}/{channel_id}/1"
        message_id = await place.says(
            "ada", "general", f"see <#{channel_id}> at {link}", embeds=[{"description": f"or <#{channel_id}>"}]
        )
        row = (await place.done("message_get", "nina", channel=place.channel("general"), message=message_id))["message"]
        texts[name] = row["text"].replace(channel_id, UNKNOWN_ID)
        assert "vault" not in str(row)
        assert "hush" not in str(row)
    assert texts["hidden"] == texts["private"] == texts["none"]


async def test_line_11_a_private_thread_is_for_those_in_it(place: Place) -> None:
    """discord.py's own check of a thread's permissions ignores who is in it."""
    thread = await place.thread("ada", "general", "just us", private=True)
    await place.by_hand("ada", "PUT", f"/channels/{thread}/thread-members/{place.member('bela')}")
    await place.town.sandbox.control("send", user=int(place.member("bela")), channel=int(thread), content="psst")
    inside = await place.done("message_list_recent", "bela", channel=thread)
    assert inside["messages"][0]["text"].endswith("psst")
    for name, more in (
        ("channel_get", {}),
        ("message_list_recent", {}),
        ("message_send", {"content": "hi", "dry_run": False}),
    ):
        outside = await place.call(name, "nina", channel=thread, **more)
        nothing = await place.call(name, "nina", channel=UNKNOWN_ID, **more)
        assert outside.said == nothing.said, name
    listed = await place.done("thread_list", "bela", guild=place.id)
    assert [row["name"] for row in listed["threads"]] == ["just us"]
    assert (await place.done("thread_list", "nina", guild=place.id))["threads"] == []
    by_name = await place.call("channel_get", "nina", guild=place.id, channel="just us")
    no_name = await place.call("channel_get", "nina", guild=place.id, channel="just them")
    assert by_name.said == no_name.said


async def test_line_11_a_hidden_channels_settings_change_nothing_that_is_read(place: Place) -> None:
    before = (await place.call("channel_list", "nina", guild=place.id)).said
    vault = place.channel("vault")
    guild = place.town.core.state.source.cached(place.guild_id)
    assert guild is not None
    await place.by_hand("ada", "PATCH", f"/channels/{vault}", {"name": "aaa-first"})

    def renamed() -> bool:
        channel = guild.get_channel(int(vault))
        return channel is not None and channel.name == "aaa-first"

    await arrived(place, renamed)
    assert (await place.call("channel_list", "nina", guild=place.id)).said == before
    await place.by_hand("ada", "DELETE", f"/channels/{vault}")
    await arrived(place, lambda: guild.get_channel(int(vault)) is None)
    assert (await place.call("channel_list", "nina", guild=place.id)).said == before


# ---------------------------------------------------------------- memoised bytes
def shown(answer: Answer) -> set[str]:
    rows = [*answer.data["channels"], *answer.data["categories"]]
    rows += [channel for category in answer.data["categories"] for channel in category["channels"]]
    return {row["name"] for row in rows}


async def test_line_21_interleaved_callers_each_get_their_own_list(place: Place) -> None:
    everybody = {"Talk", "general", "news", "lounge", "help"}
    expected = {
        "nina": everybody,
        "marlow": everybody | {"Staff", "mod-room"},
        "ada": everybody | {"Staff", "mod-room", "Cellar", "vault"},
    }
    for who in ("ada", "nina", "marlow", "nina", "ada", "marlow", "bela"):
        answer = await place.call("channel_list", who, guild=place.id)
        assert shown(answer) == expected.get(who, everybody), who


async def changed_list(place: Place, change: Callable[[], Awaitable[object]], who: str, expected: set[str]) -> None:
    await change()

    async def follows() -> bool:
        return shown(await place.call("channel_list", who, guild=place.id)) == expected

    await until(follows, f"the list of {who} is {expected}")


async def test_line_21_a_memoised_list_ends_with_the_right_to_see_it(place: Place) -> None:
    everybody = {"Talk", "general", "news", "lounge", "help"}
    staff = everybody | {"Staff", "mod-room"}
    marlow = int(place.member("marlow"))
    control = place.town.sandbox.control
    assert shown(await place.call("channel_list", "marlow", guild=place.id)) == staff

    async def take_the_role() -> None:
        await control("set_roles", guild=place.guild_id, user=marlow, roles=[])

    async def hide_news() -> None:
        await control("set_overwrite", channel=int(place.channel("news")), member=marlow, deny=["view_channel"])

    await changed_list(place, take_the_role, "marlow", everybody)
    await changed_list(place, hide_news, "marlow", everybody - {"news"})
    assert shown(await place.call("channel_list", "nina", guild=place.id)) == everybody


async def test_line_21_what_the_bot_can_not_see_is_listed_to_nobody(town: Town) -> None:
    unseen = [{"role": "Guildhall", "deny": ["view_channel"]}]
    channels: list[dict[str, Any]] = [{"name": "general"}, {"name": "unseen", "overwrites": unseen}]
    place = await town.place("Unseen", channels=channels, bot_permissions=["view_channel", "send_messages"])
    assert shown(await place.call("channel_list", "ada", guild=place.id)) == {"general"}
