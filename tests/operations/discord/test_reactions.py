"""Reacting to messages."""

from __future__ import annotations

from typing import Any

import pytest

from policy.model import Tier
from tests.app import until
from tests.operations.discord.confirming import by_hand, message_sent, posted, written
from tests.operations.discord.outcomes import done, previewed, refused
from tests.operations.discord.road import Road
from tests.samples import UNKNOWN_ID

pytestmark = pytest.mark.asyncio(loop_scope="session")

THUMB = "%F0%9F%91%8D"


async def reactions(road: Road, message_id: str, channel: str = "general") -> dict[str, list[str]]:
    """Who reacted, by emoji, as Discord has it."""
    path = f"/channels/{road.channel(channel)}/messages/{message_id}"
    message = await by_hand(road, "olive", "GET", path)
    found: dict[str, list[str]] = {}
    for reaction in message["reactions"]:
        emoji = reaction["emoji"]
        name = emoji["name"] if emoji["id"] is None else f"{emoji['name']}:{emoji['id']}"
        users = await by_hand(road, "olive", "GET", f"{path}/reactions/{name}")
        found[emoji["name"]] = [user["id"] for user in users]
    return found


async def emoji(road: Road, name: str, roles: list[str] | None = None) -> str:
    """A custom emoji of the guild, once it has arrived; its id."""
    body = {"name": name, "image": "data:image/png;base64,", "roles": roles or []}
    made = await by_hand(road, "olive", "POST", f"/guilds/{road.guild_id}/emojis", body)
    guild = road.core.state.source.cached(road.guild_id)
    assert guild is not None
    await until(lambda: any(each.id == int(made["id"]) for each in guild.emojis), "the emoji arrives")
    emoji_id: str = made["id"]
    return emoji_id


async def without_add_reactions(road: Road, role: str) -> None:
    channel_id, role_id = int(road.channel("general")), int(road.guild["roles"][role])
    await road.sandbox.control("set_overwrite", channel=channel_id, role=role_id, deny=["add_reactions"])
    guild = road.core.state.source.cached(road.guild_id)
    assert guild is not None

    def denied() -> bool:
        channel = guild.get_channel(channel_id)
        return channel is not None and any(subject.id == role_id for subject in channel.overwrites)

    await until(denied, "the overwrite arrives")


async def add(road: Road, member: str | None, message_id: str, text: str, **more: Any) -> Any:
    return await road.call(
        "reaction_add", member, channel=road.channel("general"), message=message_id, emoji=text, **more
    )


async def test_the_bot_reacts_with_one_request(road: Road) -> None:
    message_id = await written(road, "ada")
    await road.writes()
    outcome = await add(road, "nina", message_id, "👍")
    assert done(outcome) == {"message_id": message_id, "channel_id": road.channel("general"), "emoji": "👍"}
    assert outcome.tier is Tier.WRITE
    assert await reactions(road, message_id) == {"👍": [road.sandbox.bot_id]}
    path = f"/channels/{road.channel('general')}/messages/{message_id}/reactions/{THUMB}/@me"
    assert await road.writes() == [f"PUT {path}"]


async def test_a_preview_changes_nothing_and_says_so_when_nothing_would(road: Road) -> None:
    message_id = await written(road, "ada")
    shown = previewed(await add(road, "nina", message_id, "❤️", dry_run=True))
    assert shown.summary == f"React with ❤️ to message {message_id} in #general in Test Harbor"
    assert [(each.field, each.before, each.after) for each in shown.changes] == [("my reaction ❤️", False, True)]
    assert shown.problems == ()
    assert await reactions(road, message_id) == {}
    done(await add(road, "nina", message_id, "❤️"))
    again = previewed(await add(road, "nina", message_id, "❤", dry_run=True))
    assert any(problem.startswith("Nothing would change") for problem in again.problems)


@pytest.mark.parametrize("form", ["party", ":party:", "<:party:{}>", "<a:party:{}>", "party:{}", "{}"])
async def test_a_custom_emoji_is_given_by_name_or_id(road: Road, form: str) -> None:
    emoji_id = await emoji(road, "party")
    message_id = await written(road, "ada")
    result = done(await add(road, "nina", message_id, form.format(emoji_id)))
    assert result["emoji"] == ":party:"
    assert await reactions(road, message_id) == {"party": [road.sandbox.bot_id]}


@pytest.mark.parametrize("text", ["nonsense", UNKNOWN_ID, f"<:gone:{UNKNOWN_ID}>", "👍👍", ":"])
async def test_an_emoji_that_is_none_of_the_guild_is_unknown(road: Road, text: str) -> None:
    message_id = await written(road, "ada")
    refusal = refused(await add(road, "nina", message_id, text))
    assert refusal.code == "unknown_emoji"
    assert refusal.remedy
    assert await reactions(road, message_id) == {}


async def test_an_emoji_of_another_guild_that_the_bot_is_in_is_as_unknown(road: Road) -> None:
    other = await road.sandbox.make_guild("Next Door", owner="otto")
    made = await road.sandbox.control(
        "as_user",
        user=int(other["members"]["otto"]),
        method="POST",
        path=f"/guilds/{other['id']}/emojis",
        body={"name": "secret", "image": "data:image/png;base64,"},
    )
    emoji_id = made["result"]["id"]
    client = road.core.client
    await until(lambda: client.get_emoji(int(emoji_id)), "the bot knows the other guild's emoji")
    message_id = await written(road, "ada")
    foreign = refused(await add(road, "nina", message_id, emoji_id))
    unknown = refused(await add(road, "nina", message_id, UNKNOWN_ID))
    assert foreign == unknown
    # Once somebody has reacted with it, anybody sees it there, and may join.
    path = f"/channels/{road.channel('general')}/messages/{message_id}/reactions/secret:{emoji_id}/@me"
    await by_hand(road, "ada", "PUT", path)
    assert done(await add(road, "nina", message_id, emoji_id))["emoji"] == ":secret:"
    await road.sandbox.control("remove_guild", guild=other["id"])


async def test_who_may_not_add_reactions_may_still_join_one(road: Road) -> None:
    """https://discord.com/developers/docs/resources/message#create-reaction"""
    message_id = await written(road, "ada")
    await without_add_reactions(road, "Member")
    refusal = refused(await add(road, "nina", message_id, "👍"))
    assert refusal.code == "you_lack_permission"
    assert "add_reactions" in refusal.reason
    assert "add_reactions" in refusal.remedy
    assert await reactions(road, message_id) == {}
    path = f"/channels/{road.channel('general')}/messages/{message_id}/reactions/{THUMB}/@me"
    await by_hand(road, "ada", "PUT", path)
    done(await add(road, "nina", message_id, "👍"))
    assert set((await reactions(road, message_id))["👍"]) == {road.guild["members"]["ada"], road.sandbox.bot_id}


async def test_an_emoji_kept_for_roles_is_for_bot_and_requester_who_have_one(road: Road) -> None:
    await emoji(road, "staffonly", roles=[road.guild["roles"]["Manager"]])
    message_id = await written(road, "ada")
    shown = previewed(await add(road, "nina", message_id, "staffonly", dry_run=True))
    assert [problem.split(" ")[0] for problem in shown.problems] == ["I", "You"]
    shown = previewed(await add(road, "marlow", message_id, "staffonly", dry_run=True))
    assert [problem.split(" ")[0] for problem in shown.problems] == ["I"]


async def test_a_message_takes_20_different_reactions(road: Road) -> None:
    message_id = await written(road, "ada")
    for number in range(20):
        symbol = "".join(f"%{byte:02X}" for byte in chr(0x1F600 + number).encode())
        path = f"/channels/{road.channel('general')}/messages/{message_id}/reactions/{symbol}/@me"
        await by_hand(road, "ada", "PUT", path)
    shown = previewed(await add(road, "nina", message_id, "👍", dry_run=True))
    assert any("20 different reactions" in problem for problem in shown.problems)
    joined = previewed(await add(road, "nina", message_id, "😀", dry_run=True))
    assert joined.problems == ()


async def test_what_the_bot_posted_for_nobody_gets_no_reaction(road: Road) -> None:
    card, own = await posted(road), await message_sent(road, "marlow")
    for member in ("nina", "ada"):
        assert refused(await add(road, member, card, "👍")).code == "platform_post"
    done(await add(road, "nina", own, "👍"))
    assert await reactions(road, card) == {}


async def test_an_unknown_and_a_hidden_message_are_the_same(road: Road) -> None:
    hidden = await written(road, "marlow", "mod-room")
    answers = [refused(await add(road, "nina", each, "👍")) for each in (hidden, UNKNOWN_ID)]
    assert answers[0] == answers[1]
    assert answers[0].code == "unknown_message"


async def test_a_lost_answer_is_found_below_the_message(road: Road) -> None:
    message_id = await written(road, "ada")
    fault = {"method": "PUT", "path": "*/reactions/*", "reset": True, "when": "after", "times": 1}
    await road.sandbox.control("fault", faults=[fault])
    done(await add(road, "nina", message_id, "👍"))
    assert await reactions(road, message_id) == {"👍": [road.sandbox.bot_id]}


async def test_an_archived_thread_takes_no_reaction(road: Road) -> None:
    made = done(await road.call("thread_create", "nina", channel="general", name="old"))
    thread_id = made["id"]
    guild = road.core.state.source.cached(road.guild_id)
    assert guild is not None
    await until(lambda: guild.get_thread(int(thread_id)), "the thread arrives")
    sent = done(await road.call("message_send", "nina", channel=thread_id, content="in here"))
    message = {"channel": thread_id, "message": sent["message_id"], "emoji": "👍"}
    assert previewed(await road.call("reaction_add", "nina", **message, dry_run=True)).problems == ()
    await by_hand(road, "olive", "PATCH", f"/channels/{thread_id}", {"archived": True})
    await until(lambda: guild.get_thread(int(thread_id)) is None, "the thread is archived")
    refusal = refused(await road.call("reaction_add", "nina", **message))
    assert refusal.code == "unknown_channel", "archived threads are in no cache, and so named by nobody"
