"""Sending and editing messages: what a preview says before, and what stands in the channel after."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from operations.base import Preview, Status
from operations.outcomes import plain, text
from policy.model import Strength, Tier
from tests.app import Place, until
from tests.operations.calls import done, preview, refused, run

pytestmark = pytest.mark.asyncio(loop_scope="session")

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\x00" * 40).decode()


def fields(shown: Preview[Any]) -> dict[str, Any]:
    return {change.field: change.after for change in shown.changes}


async def messages(place: Place, channel: str = "general") -> list[dict[str, Any]]:
    """What Guildhall sent there."""
    return [each for each in await place.history(channel) if each["author"]["id"] == place.town.sandbox.bot_id]


# -------------------------------------------------------------------- previews
async def test_a_preview_of_a_message_tells_where_and_what_and_sends_nothing(place: Place) -> None:
    shown = await preview(place, "message_send", channel="general", content="hello there", silent=True)
    assert shown.summary == "Send a message (11 characters) to #general in Harbor"
    assert [(change.target, change.field, change.before, change.after) for change in shown.changes] == [
        (f"channel {place.channel('general')} #general", "message", None, "hello there")
    ]
    assert shown.problems == ()
    assert await messages(place) == []


async def test_the_next_call_of_a_preview_does_just_what_was_previewed(place: Place) -> None:
    said = f'say "hi" – ä <@{place.member("nina")}>'
    shown = await run(place, "message_send", channel="general", content=said, ping=["@nina"])
    last = text(shown).splitlines()[-1]
    call = orjson.loads(last.removeprefix("To do it, call: "))
    outcome = await run(place, call["name"], **call["arguments"])
    assert outcome.status is Status.DONE
    [sent] = await messages(place)
    assert sent["content"] == said


async def test_the_next_call_through_a_generic_operation_is_one_that_it_takes(place: Place) -> None:
    arguments = {"channel": "general", "content": "hi"}
    shown = await run(place, "operation_write", name="message_send", arguments=arguments)
    assert shown.status is Status.PREVIEW
    call = orjson.loads(text(shown).splitlines()[-1].removeprefix("To do it, call: "))
    assert call["name"] == "operation_write"
    outcome = await run(place, call["name"], **call["arguments"])
    assert outcome.status is Status.DONE
    assert len(await messages(place)) == 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "nothing to send|empty"),
        ({"content": "x" * 2_001}, "2,000"),
        ({"content": "x", "embeds": [{"title": "t" * 257}]}, "256"),
        ({"content": "x", "files": [{"name": "a.txt"}]}, "needs either data"),
        ({"content": "x", "files": [{"name": "a.txt", "data": "%%%"}]}, "not base64"),
        (
            {"content": "x", "files": [{"name": "a.txt", "data": "YQ==", "url": "https://cdn.discordapp.com/a"}]},
            "either",
        ),
        ({"content": "x", "files": [{"name": "a.txt", "url": "https://127.0.0.1/a"}]}, "Discord's CDN only"),
        ({"content": "x", "crosspost": True}, "announcement channel"),
        ({"content": "x", "buttons": [{"label": "go", "url": "javascript:alert(1)"}]}, "url|URL|link|address"),
    ],
    ids=["empty", "long", "embed", "no data", "not base64", "both", "foreign host", "crosspost", "button"],
)
async def test_what_discord_would_refuse_is_a_problem_before(
    place: Place, arguments: dict[str, Any], problem: str
) -> None:
    outcome = await run(place, "message_send", channel="general", **arguments)
    if outcome.preview is None:
        assert outcome.refusal is not None, outcome
        told = outcome.refusal.reason
    else:
        told = " ".join(outcome.preview.problems)
        refusal = await refused(place, "message_send", channel="general", **arguments, dry_run=False)
        assert refusal.code == "would_fail"
    assert any(word in told for word in problem.split("|")), told
    assert await messages(place) == []


@pytest.mark.parametrize("channel", ["Talk", "help"])
async def test_a_category_or_a_forum_takes_no_message(place: Place, channel: str) -> None:
    outcome = await run(place, "message_send", channel=place.channel(channel), content="x")
    told = outcome.refusal.reason if outcome.refusal else " ".join(outcome.preview.problems if outcome.preview else ())
    assert told
    assert outcome.status is Status.REFUSED or (outcome.preview and outcome.preview.problems)


# --------------------------------------------------------------------- effects
async def test_a_message_arrives_with_all_that_was_asked_for(place: Place) -> None:
    asked = await place.says("nina", "general", "who answers?")
    result = await done(
        place,
        "message_send",
        channel="#general",
        content="I do",
        embeds=[{"title": "Title", "color": 0xFF0000, "fields": [{"name": "n", "value": "v", "inline": True}]}],
        files=[{"name": "dot.png", "data": PNG}],
        buttons=[{"label": "Docs", "url": "https://example.com/"}],
        reply_to=asked,
    )
    [sent] = await messages(place)
    assert result == {
        "message_id": sent["id"],
        "channel_id": place.channel("general"),
        "jump_url": f"https://discord.com/channels/{place.id}/{place.channel('general')}/{sent['id']}",
    }
    assert sent["content"] == "I do"
    assert sent["embeds"][0]["title"] == "Title"
    assert sent["attachments"][0]["filename"] == "dot.png"
    assert sent["message_reference"]["message_id"] == asked
    assert sent["components"][0]["components"][0]["url"] == "https://example.com/"


async def test_a_message_notifies_only_whom_ping_names(place: Place) -> None:
    nina, bela = place.member("nina"), place.member("bela")
    await done(place, "message_send", channel="general", content=f"<@{nina}> <@{bela}> @everyone", ping=["@nina"])
    [sent] = await messages(place)
    assert sent["pinged"]["users"] == [nina]
    assert not sent["pinged"]["everyone"]


async def test_a_ping_that_the_text_does_not_mention_is_a_problem(place: Place) -> None:
    nina, crew = place.member("nina"), place.role("Moderator")
    asked = {"channel": "general", "content": f"hear, <@{place.member('bela')}>", "ping": ["@bela", "@nina", crew]}
    shown = await preview(place, "message_send", **asked)
    assert shown.problems == (
        f"The text does not mention member {nina} @nina, so nobody is notified; write <@{nina}> in it.",
        f"The text does not mention role {crew} @Moderator, so nobody is notified; write <@&{crew}> in it.",
    )
    assert fields(shown)["notifies"] == [
        f"member {place.member('bela')} @bela",
        f"member {nina} @nina",
        f"role {crew} @Moderator",
    ]
    assert (await refused(place, "message_send", **asked, dry_run=False)).code == "would_fail"
    assert await messages(place) == []


async def test_a_reply_notifies_its_author_without_a_mention_where_ping_names_him(place: Place) -> None:
    asked = await place.says("nina", "general", "who answers?")
    for ping, notified in (([], []), (["@nina"], [place.member("nina")])):
        await done(place, "message_send", channel="general", content="I do", reply_to=asked, ping=ping)
        sent = max(await messages(place), key=lambda message: int(message["id"]))
        assert sent["pinged"]["users"] == notified


async def test_a_slowmode_is_told_to_whom_it_binds_alone(place: Place) -> None:
    """The bot is exempt, and so is who may manage messages."""
    await place.by_hand("olive", "PATCH", f"/channels/{place.channel('general')}", {"rate_limit_per_user": 30})
    guild = place.town.core.state.source.cached(place.guild_id)
    assert guild is not None
    general = int(place.channel("general"))
    await until(lambda: getattr(guild.get_channel(general), "slowmode_delay", 0) == 30, "the slowmode arrives")
    assert (await preview(place, "message_send", channel="general", content="x")).unknowns == ()
    (unknown,) = (await preview(place, "message_send", "nina", channel=place.channel("general"), content="x")).unknowns
    assert unknown.startswith("The channel has a slowmode of 30 s for you")


@pytest.mark.parametrize("who", ["everyone", "@here", "the role of everybody"])
async def test_a_message_that_notifies_everyone_is_risky_whatever_it_is_called(place: Place, who: str) -> None:
    named = place.id if who.startswith("the role") else who
    for form in (named, f"<@&{named}>" if named == place.id else named):
        outcome = await run(place, "message_send", channel=place.channel("general"), content="@here", ping=[form])
        assert outcome.tier is Tier.RISKY, outcome
        assert outcome.plan is not None
        assert outcome.plan.strength is Strength.TOKEN
    assert await messages(place) == []


async def test_who_may_not_mention_everyone_may_not_through_guildhall_either(place: Place) -> None:
    refusal = await refused(
        place, "message_send", "nina", channel=place.channel("general"), content="x", ping=["everyone"]
    )
    assert refusal.code == "you_lack_permission"
    assert "mention_everyone" in refusal.reason


async def test_a_name_of_a_role_and_of_a_member_notifies_neither(place: Place) -> None:
    await place.by_hand("olive", "POST", f"/guilds/{place.id}/roles", {"name": "nina"})
    guild = place.town.core.state.source.cached(place.guild_id)
    assert guild is not None
    await until(lambda: any(role.name == "nina" for role in guild.roles), "the role arrives")
    refusal = await refused(place, "message_send", channel="general", content="x", ping=["nina"])
    assert refusal.code == "ambiguous_mentionable"
    assert place.member("nina") in refusal.reason


async def test_a_message_in_an_announcement_channel_is_published_on_demand(place: Place) -> None:
    await place.town.requests()
    result = await done(place, "message_send", channel="news", content="read this", crosspost=True)
    [sent] = await messages(place, "news")
    assert sent["id"] == result["message_id"]
    assert any(request["path"].endswith(f"/{sent['id']}/crosspost") for request in await place.town.requests())
    assert "not_published" not in result


async def test_a_message_that_cannot_be_published_is_sent_and_says_so(place: Place) -> None:
    await place.town.sandbox.control(
        "fault",
        faults=[
            {"method": "POST", "path": "/channels/*/messages/*/crosspost", "status": 403, "code": 50013, "times": 1}
        ],
    )
    result = await done(place, "message_send", channel="news", content="read this", crosspost=True)
    assert result["not_published"]
    [sent] = await messages(place, "news")
    assert sent["id"] == result["message_id"]
    # It is the requester's own all the same.
    assert (await done(place, "message_edit", channel="news", message=sent["id"], content="read that"))["message_id"]


# ----------------------------------------------------------------------- edits
async def test_a_preview_of_an_edit_shows_both_texts(place: Place) -> None:
    sent = await place.sent(content="before")
    shown = await preview(place, "message_edit", channel="general", message=sent, content="after")
    assert [(change.field, change.before, change.after) for change in shown.changes] == [("content", "before", "after")]
    assert shown.reversible
    assert shown.inverse is not None
    assert shown.inverse.arguments["content"] == "before"
    assert (await messages(place))[0]["content"] == "before"


async def test_an_edit_changes_what_is_named_and_leaves_the_rest(place: Place) -> None:
    sent = await place.sent(content="text", embeds=[{"title": "kept"}])
    await done(
        place,
        "message_edit",
        message=f"https://discord.com/channels/{place.id}/{place.channel('general')}/{sent}",
        content="new",
    )
    [edited] = await messages(place)
    assert edited["content"] == "new"
    assert edited["embeds"][0]["title"] == "kept"


async def test_an_edit_that_changes_nothing_or_leaves_nothing_is_a_problem(place: Place) -> None:
    sent = await place.sent(content="same")
    same = await preview(place, "message_edit", channel="general", message=sent, content=" same\n")
    assert any("Nothing would change" in problem for problem in same.problems)
    empty = await preview(place, "message_edit", channel="general", message=sent, content="")
    assert empty.problems


async def test_only_a_message_of_ones_own_is_edited(place: Place) -> None:
    sent = await place.sent("ada", content="adas")
    by_hand = await place.says("nina", "general", "ninas")
    for who, message in (("marlow", sent), ("ada", by_hand), ("nina", by_hand)):
        refusal = await refused(place, "message_edit", who, channel="general", message=message, content="x")
        assert refusal.code == "not_your_message"


async def test_an_edit_notifies_nobody(place: Place) -> None:
    sent = await place.sent(content="quiet")
    nina = place.member("nina")
    await done(place, "message_edit", channel="general", message=sent, content=f"<@{nina}> @everyone")
    [edited] = await messages(place)
    assert not any(edited["pinged"].values())


# ------------------------------------------------------------------------ names
async def test_a_link_into_another_guild_names_no_message_of_this_one(place: Place, elsewhere: Place) -> None:
    sent = await place.sent(content="here")
    channel = place.channel("general")
    wrong = f"https://discord.com/channels/{elsewhere.id}/{channel}/{sent}"
    unknown = await refused(place, "message_get", guild=place.id, channel=channel, message="1" * 18 + "x")
    assert await refused(place, "message_get", guild=place.id, channel=channel, message=wrong) == unknown
    assert await refused(place, "message_get", guild=place.id, message=wrong) == unknown


async def test_a_number_that_no_id_can_be_is_an_unknown_message(place: Place) -> None:
    link = f"https://discord.com/channels/{place.id}/{place.channel('general')}/{'9' * 20}"
    for operation, more in (("message_get", {}), ("message_edit", {"content": "x"})):
        assert (await refused(place, operation, guild=place.id, message=link, **more)).code == "unknown_message"


async def test_a_cursor_of_another_channel_is_unknown(place: Place) -> None:
    for number in range(3):
        await place.sent(content=str(number))
    page = await run(place, "message_list_recent", channel="general", limit=2)
    assert page.data is not None
    cursor = plain(page.data)["cursor"]
    assert (await run(place, "message_list_recent", channel="general", cursor=cursor)).status is Status.DONE
    assert (await refused(place, "message_list_recent", channel="news", cursor=cursor)).code == "unknown_cursor"
