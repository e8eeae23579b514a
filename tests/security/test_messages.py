"""The bot's messages belong to whom they were sent for; nobody is pinged beyond the rule."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app import Place

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def bot_messages(place: Place) -> dict[str, str]:
    """One of every kind that the bot can have sent into #general; ids by kind."""
    general = place.channel("general")
    anchor = await place.says("nina", "general", "an anchor")
    operator = await place.token("operator")
    assert operator
    found = {
        "another member's": await place.sent("nina", content="nina's"),
        "an administrator's": await place.sent("ada", content="ada's"),
        "with embeds": await place.sent("nina", content="", embeds=[{"title": "nina's card"}]),
        "with buttons": await place.sent(
            "nina", content="a link", buttons=[{"label": "Open", "url": "https://example.org"}]
        ),
        "a reply": await place.sent("nina", content="answered", reply_to=anchor),
        "with a file": await place.sent("nina", content="file", files=[{"name": "a.txt", "data": "aGk="}]),
    }
    # What was not sent through Guildhall for anybody: a card, an alert, a log entry look like this.
    bot = place.town.sandbox.bot_id
    made = await place.town.sandbox.control(
        "as_user", user=int(bot), method="POST", path=f"/channels/{general}/messages", body={"content": "a card"}
    )
    found["the bot's own"] = made["result"]["id"]
    found["a person's"] = anchor
    return found


CHANGES: list[dict[str, Any]] = [{"content": "taken over"}, {"embeds": []}, {"buttons": []}]


@pytest.mark.parametrize("who", ["bela", "marlow", "ada"])
async def test_line_07_nobody_edits_what_was_sent_for_another(place: Place, who: str) -> None:
    """However much he may do in Discord: marlow manages messages, ada administers."""
    kinds = await bot_messages(place)
    if who == "ada":
        del kinds["an administrator's"]
    before = await place.history("general")
    await place.town.effects()
    for kind, message_id in kinds.items():
        for more in ({}, {"dry_run": False}):
            for change in CHANGES:
                answer = await place.call(
                    "message_edit", who, channel=place.channel("general"), message=message_id, **change, **more
                )
                assert answer.status == "refused", (kind, answer)
    assert await place.town.effects() == []
    assert await place.history("general") == before


async def test_line_07_not_even_an_operator_edits_a_members_message(place: Place) -> None:
    kinds = await bot_messages(place)
    before = await place.history("general")
    for kind, message_id in kinds.items():
        answer = await place.call(
            "message_edit",
            "operator",
            channel=place.channel("general"),
            message=message_id,
            content="taken over",
            dry_run=False,
        )
        assert answer.status == "refused", (kind, answer)
    assert await place.history("general") == before


async def test_line_07_ones_own_message_is_edited_through_any_of_ones_clients(place: Place) -> None:
    message_id = await place.sent("nina", content="first")
    await place.token("nina", key="second")
    done = await place.done(
        "message_edit",
        "second",
        channel=place.channel("general"),
        message=message_id,
        content="better",
        dry_run=False,
    )
    assert done["message_id"] == message_id
    assert [message["content"] for message in await place.history("general")] == ["better"]


@pytest.mark.parametrize("who", ["bela", "marlow", "ada", "operator"])
async def test_line_07_nothing_is_deleted_that_was_sent_for_another_or_for_nobody(place: Place, who: str) -> None:
    """Who manages messages may ask for what others sent, as by hand in Discord; a card is nobody's to touch."""
    kinds = await bot_messages(place)
    general = place.channel("general")
    before = await place.history("general")
    await place.town.effects()
    for kind, message_id in kinds.items():
        own = who == "ada" and kind == "an administrator's"
        answer = await place.call("message_delete", who, channel=general, message=message_id, dry_run=False)
        if kind == "the bot's own" and who != "bela":
            assert (answer.status, answer.code) == ("refused", "platform_post"), (kind, answer)
        elif who == "bela" and not own:
            assert (answer.status, answer.code) == ("refused", "you_lack_permission"), (kind, answer)
        elif who == "operator":
            assert (answer.status, answer.code) == ("refused", "no_approver"), (kind, answer)
        else:
            assert answer.status == "needs_confirmation", (kind, answer)
            await place.done("plan_cancel", who, plan_id=answer.data["plan_id"])
    several = await place.call(
        "message_bulk_delete", who, channel=general, messages=list(kinds.values()), dry_run=False
    )
    assert several.status == "refused", several
    for name, more in (("reaction_add", {"emoji": "👍"}), ("thread_create", {"name": "x"})):
        touched = await place.call(name, who, channel=general, message=kinds["the bot's own"], **more, dry_run=False)
        assert (touched.status, touched.code) == ("refused", "platform_post"), touched
    # Cards of plans are posted elsewhere.
    assert [effect for effect in await place.town.effects() if general in str(effect)] == []
    assert await place.history("general") == before


# --------------------------------------------------------------------- pings
def pinged(message: dict[str, Any]) -> tuple[bool, set[str], set[str]]:
    """Who was notified: everyone, members, roles."""
    found = message["pinged"]
    return found["everyone"], set(found["users"]), set(found["roles"])


def shouting(place: Place) -> str:
    return f"@everyone @here <@&{place.role('Moderator')}> <@&{place.role('Member')}> <@{place.member('bela')}>"


async def test_line_25_text_alone_pings_nobody_on_any_route(place: Place) -> None:
    """Ada could ping everyone by hand; through Guildhall only `ping` does."""
    shout = shouting(place)
    anchor = await place.says("nina", "general", "an anchor")
    thread = await place.thread("ada", "general", "a thread")
    roads: list[dict[str, Any]] = [
        {"content": shout},
        {"content": "", "embeds": [{"title": shout, "description": shout}]},
        {"content": shout, "embeds": [{"description": shout}]},
        {"content": shout, "reply_to": anchor},
        {"content": shout, "files": [{"name": "a.txt", "data": "aGk="}]},
        {"content": shout, "silent": True},
        {"content": shout, "buttons": [{"label": "Open", "url": "https://example.org"}]},
        {"content": shout, "poll": {"question": "who?", "answers": ["me", "you"]}},
    ]
    for road in roads:
        await place.sent("ada", **road)
    await place.done("message_send", "ada", channel=thread, content=shout, dry_run=False)
    await place.done("message_send", "ada", channel=place.channel("news"), content=shout, crosspost=True, dry_run=False)
    edited = await place.sent("ada", content="quiet")
    await place.done(
        "message_edit", "ada", channel=place.channel("general"), message=edited, content=shout, dry_run=False
    )
    sent = [
        message
        for channel in ("general", "news", thread)
        for message in await place.history(channel)
        if message["author"]["id"] == place.town.sandbox.bot_id
    ]
    assert len(sent) >= len(roads) + 3
    for message in sent:
        assert pinged(message) == (False, set(), set()), message["content"]


async def test_line_25_ping_names_whom_it_notifies_and_nobody_else(place: Place) -> None:
    message_id = await place.sent("ada", content=shouting(place), ping=[place.member("bela")])
    message = next(each for each in await place.history("general") if each["id"] == message_id)
    assert pinged(message) == (False, {place.member("bela")}, set())
    message_id = await place.sent("ada", content=shouting(place), ping=[place.role("Moderator")])
    message = next(each for each in await place.history("general") if each["id"] == message_id)
    assert pinged(message) == (False, set(), {place.role("Moderator")})


@pytest.mark.parametrize("whom", ["everyone", "here", "@everyone"])
async def test_line_25_pinging_everyone_waits_for_a_confirmation_and_asks_for_the_right(
    place: Place, whom: str
) -> None:
    asked = {"channel": place.channel("general"), "content": "@everyone @here", "ping": [whom], "dry_run": False}
    assert (await place.call("message_send", "ada", **asked)).status == "needs_confirmation"
    without_the_right = await place.call("message_send", "marlow", **asked)
    assert (without_the_right.status, without_the_right.data["step"]) == ("refused", "discord")
    role = await place.call("message_send", "marlow", **{**asked, "ping": [place.role("Moderator")]})
    assert (role.status, role.data["step"]) == ("refused", "discord"), "the role is not mentionable by everybody"
    assert await place.history("general") == []
