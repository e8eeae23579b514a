from __future__ import annotations

from typing import Any

import discord
import pytest
from pydantic import TypeAdapter

from operations.render import NOTHING, MessageRow, message_line, message_row, message_text
from operations.render_text import Names
from tests.operations.payloads import ADA, BOT, CHANNEL_ID, HIDDEN_CHANNEL_ID, MODS_ROLE_ID, MessageWorld, attachment

ROW = TypeAdapter(MessageRow)


@pytest.fixture
async def world() -> MessageWorld:
    return MessageWorld()


def seeing_general(world: MessageWorld) -> Names:
    return Names(world.guild, {CHANNEL_ID: "general"}.get)


async def test_a_plain_message_is_a_small_row(world: MessageWorld) -> None:
    message = world.message(content="hello")
    assert message_row(message) == {
        "id": str(message.id),
        "author": {"id": "1", "name": "ada", "kind": "human"},
        "at": "2026-11-20T14:05:00Z",
        "text": "hello",
    }


async def test_everything_beside_the_text_has_its_field(world: MessageWorld) -> None:
    original = world.payload(content="first")
    message = world.message(
        content="second",
        type=19,
        message_reference={"message_id": original["id"], "channel_id": str(CHANNEL_ID)},
        referenced_message=original,
        edited_timestamp="2026-11-20T14:07:00+00:00",
        pinned=True,
        flags=1 << 5,
        attachments=[attachment()],
        reactions=[
            {"emoji": {"id": None, "name": "👍"}, "count": 3, "me": False},
            {"emoji": {"id": "77", "name": "blob"}, "count": 1, "me": False},
        ],
    )
    row = message_row(message, jump_url=True)
    assert row.get("reply_to") == {"id": original["id"], "author": {"id": "1", "name": "ada", "kind": "human"}}
    assert row.get("edited_at") == "2026-11-20T14:07:00Z"
    assert row.get("pinned") is True
    assert row.get("thread_id") == str(message.id)
    assert row.get("attachments") == [
        {
            "id": "900",
            "filename": "cat.png",
            "size": 1_400_000,
            "content_type": "image/png",
            "url": "https://cdn.discordapp.com/attachments/200/900/cat.png?ex=1",
        }
    ]
    assert row.get("reactions") == [{"emoji": "👍", "count": 3}, {"emoji": ":blob:", "count": 1, "emoji_id": "77"}]
    assert row.get("jump_url") == f"https://discord.com/channels/100/200/{message.id}"
    assert ROW.validate_python(row, strict=True) == row


async def test_a_reply_to_a_deleted_message_says_so(world: MessageWorld) -> None:
    message = world.message(
        content="?",
        type=19,
        message_reference={"message_id": "5", "channel_id": str(CHANNEL_ID)},
        referenced_message=None,
    )
    assert message_row(message).get("reply_to") == {"id": "5", "deleted": True}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "human"),
        ({"author": BOT}, "bot"),
        ({"author": {**BOT, "id": "55"}, "webhook_id": "55"}, "webhook"),
        ({"author": BOT, "webhook_id": "2", "application_id": "2"}, "bot"),
        ({"author": {**BOT, "id": "55"}, "webhook_id": "55", "application_id": "2"}, "webhook"),
    ],
)
async def test_the_author_is_a_human_a_bot_or_a_webhook(world: MessageWorld, changes: Any, kind: str) -> None:
    assert message_row(world.message(content="x", **changes))["author"]["kind"] == kind


# ------------------------------------------------------------------- content
async def test_mentions_become_names_and_keep_their_ids(world: MessageWorld) -> None:
    message = world.message(content=f"<@1> <@!1> <@&{MODS_ROLE_ID}> <#{CHANNEL_ID}> <@404>")
    assert message_text(message, seeing_general(world)) == (
        "@ada (<@1>) @ada (<@!1>) @Mods (<@&300>) #general (<#200>) <@404>"
    )


async def test_someone_who_left_is_named_by_the_message_that_mentions_him(world: MessageWorld) -> None:
    message = world.message(content="bye <@9>", mentions=[{**ADA, "id": "9", "username": "zoe"}])
    assert message_text(message) == "bye @zoe (<@9>)"


async def test_a_channel_that_the_reader_does_not_see_keeps_its_name_to_itself(world: MessageWorld) -> None:
    message = world.message(content=f"see <#{HIDDEN_CHANNEL_ID}>")
    assert message_text(message, seeing_general(world)) == f"see <#{HIDDEN_CHANNEL_ID}>"
    assert message_text(message) == f"see <#{HIDDEN_CHANNEL_ID}>"


async def test_emoji_times_and_commands_are_readable(world: MessageWorld) -> None:
    message = world.message(content="<:blob:77> <a:dance:78> <t:1795183500:R> </ban user:79> <t:99999999999999999>")
    assert message_text(message) == ":blob: :dance: 2026-11-20 14:05 UTC /ban user <t:99999999999999999>"


async def test_hidden_characters_do_not_reach_a_row(world: MessageWorld) -> None:
    message = world.message(
        content="a\u202eb\U000e0041c",
        author={**ADA, "id": "9", "username": "a\u200bda\nmin"},
        embeds=[{"title": "t\u202e", "fields": [{"name": "n\u200b", "value": "v\u2066"}]}],
        attachments=[attachment(filename="x\u202egnp.exe", description="d\u200b")],
    )
    assert not set(str(message_row(message)) + message_line(message)) & set("\u202e\u200b\u2066\U000e0041")
    assert message_row(message)["author"]["name"] == "ada min"


async def test_a_capped_text_tells_how_much_is_missing(world: MessageWorld) -> None:
    text = message_row(world.message(content="x" * 500), text_limit=100)["text"]
    assert len(text) == 100
    assert text.endswith("characters)")


# ------------------------------------------------------- what is not content
async def test_an_embed_is_written_out(world: MessageWorld) -> None:
    message = world.message(
        content="look",
        embeds=[
            {
                "title": "Title",
                "url": "https://example.com/",
                "description": "One\nTwo <@1>",
                "author": {"name": "Author", "url": "https://example.com/a"},
                "fields": [{"name": "Field", "value": "Value\nmore"}],
                "image": {"url": "https://example.com/i.png"},
                "thumbnail": {"url": "https://example.com/t.png"},
                "footer": {"text": "Foot"},
                "timestamp": "2026-01-02T03:04:00+00:00",
            }
        ],
    )
    assert message_text(message).splitlines() == [
        "look",
        "[embed] Title https://example.com/",
        "  by Author https://example.com/a",
        "  One",
        "  Two @ada (<@1>)",
        "  Field: Value",
        "    more",
        "  image: https://example.com/i.png",
        "  thumbnail: https://example.com/t.png",
        "  footer: Foot",
        "  dated 2026-01-02 03:04 UTC",
    ]


async def test_buttons_and_menus_are_written_out(world: MessageWorld) -> None:
    row: dict[str, Any] = {
        "type": 1,
        "components": [
            {"type": 2, "style": 5, "label": "Docs", "url": "https://example.com/docs"},
            {"type": 2, "style": 1, "label": "Go", "custom_id": "go", "disabled": True},
            {"type": 2, "style": 1, "custom_id": "e", "emoji": {"id": "77", "name": "blob"}},
        ],
    }
    menu: dict[str, Any] = {
        "type": 1,
        "components": [
            {
                "type": 3,
                "custom_id": "m",
                "placeholder": "Pick",
                "options": [
                    {"label": "Red", "value": "r", "description": "warm"},
                    {"label": "Blue", "value": "b", "default": True},
                ],
            }
        ],
    }
    people: dict[str, Any] = {"type": 1, "components": [{"type": 5, "custom_id": "u"}]}
    assert message_text(world.message(components=[row, menu, people])).splitlines() == [
        "[button] Docs https://example.com/docs",
        "[button, disabled] Go",
        "[button] :blob:",
        "[menu] Pick: Red (warm) / Blue, chosen",
        "[menu] pick members",
    ]


async def test_a_message_of_components_alone_is_written_out(world: MessageWorld) -> None:
    message = world.message(
        flags=1 << 15,
        components=[
            {
                "type": 17,
                "spoiler": True,
                "components": [
                    {"type": 10, "content": "# Heading\nby <@1>"},
                    {"type": 14},
                    {
                        "type": 9,
                        "components": [{"type": 10, "content": "Section"}],
                        "accessory": {
                            "type": 11,
                            "media": {"url": "https://e.example/t.png"},
                            "description": "a thumb",
                        },
                    },
                    {
                        "type": 12,
                        "items": [{"media": {"url": "https://e.example/1.png"}, "description": "one", "spoiler": True}],
                    },
                    {"type": 13, "file": {"url": "https://e.example/f.zip"}, "name": "f.zip", "size": 2048},
                    {"type": 1, "components": [{"type": 2, "style": 5, "label": "L", "url": "https://e.example"}]},
                ],
            }
        ],
    )
    assert message_text(message).splitlines() == [
        "[spoiler]",
        "# Heading",
        "by @ada (<@1>)",
        "Section",
        "[thumbnail] a thumb https://e.example/t.png",
        "[media, spoiler] one https://e.example/1.png",
        "[file] f.zip, 2 kB https://e.example/f.zip",
        "[button] L https://e.example",
    ]


async def test_attachments_are_described(world: MessageWorld) -> None:
    shown = attachment(filename="SPOILER_cat.png", description="A cat\nasleep")
    assert message_text(world.message(attachments=[shown])) == (
        "[attachment] SPOILER_cat.png (image/png, 1.4 MB, spoiler): A cat asleep"
    )


async def test_a_voice_message_tells_its_length(world: MessageWorld) -> None:
    voice = attachment(filename="voice.ogg", content_type="audio/ogg", size=9_000, duration_secs=12.3, waveform="AAAA")
    assert message_text(world.message(flags=1 << 13, attachments=[voice])) == (
        "[voice message] voice.ogg (audio/ogg, 9 kB, 12 s)"
    )


async def test_stickers_are_named(world: MessageWorld) -> None:
    message = world.message(sticker_items=[{"id": "8", "name": "Wave", "format_type": 1}])
    assert message_text(message) == f"[sticker] Wave {message.stickers[0].url}"


async def test_a_poll_shows_its_answers_and_counts(world: MessageWorld) -> None:
    message = world.message(
        poll={
            "question": {"text": "Lunch?"},
            "answers": [
                {"answer_id": 1, "poll_media": {"text": "Pizza", "emoji": {"name": "🍕"}}},
                {"answer_id": 2, "poll_media": {"text": "Soup"}},
            ],
            "expiry": "2026-11-21T14:05:00+00:00",
            "allow_multiselect": True,
            "layout_type": 1,
            "results": {"is_finalized": False, "answer_counts": [{"id": 1, "count": 3, "me_voted": False}]},
        }
    )
    assert message_text(message).splitlines() == [
        "[poll, open, until 2026-11-21 14:05 UTC, several answers allowed] Lunch?",
        "  1. 🍕 Pizza – 3 votes",
        "  2. Soup – 0 votes",
    ]


async def test_a_forward_shows_what_was_forwarded(world: MessageWorld) -> None:
    message = world.message(
        flags=1 << 14,
        message_reference={"type": 1, "message_id": "5", "channel_id": str(HIDDEN_CHANNEL_ID)},
        message_snapshots=[
            {
                "message": {
                    "type": 0,
                    "content": "the news",
                    "embeds": [{"title": "E"}],
                    "attachments": [attachment()],
                    "timestamp": "2026-11-19T10:00:00+00:00",
                    "edited_timestamp": None,
                    "flags": 0,
                    "mentions": [],
                    "mention_roles": [],
                }
            }
        ],
    )
    assert message_text(message).splitlines() == [
        "[forwarded message of 2026-11-19 10:00 UTC]",
        "the news",
        "[embed] E",
        "[attachment] cat.png (image/png, 1.4 MB)",
    ]
    assert "reply_to" not in message_row(message)


async def test_an_answer_to_a_command_says_whose_it_was(world: MessageWorld) -> None:
    message = world.message(
        author=BOT,
        type=20,
        interaction_metadata={"id": "6", "type": 2, "user": ADA, "authorizing_integration_owners": {}},
    )
    assert message_text(message) == "[answer to a command of ada (id 1)]"


@pytest.mark.parametrize("kind", list(discord.MessageType), ids=lambda kind: kind.name)
async def test_no_message_of_any_type_reads_as_blank(world: MessageWorld, kind: discord.MessageType) -> None:
    bare = world.message(type=kind.value)
    assert message_text(bare).strip(" []")
    assert len(message_line(bare).splitlines()[0]) > len("[2026-11-20 14:05] ada (id 1): ")


async def test_a_type_that_the_library_does_not_know_is_not_blank(world: MessageWorld) -> None:
    assert message_text(world.message(type=999)).startswith("[system message:")


async def test_a_message_without_anything_says_so(world: MessageWorld) -> None:
    assert message_text(world.message()) == NOTHING


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"type": 7}, "[ada joined]"),
        ({"type": 8, "content": "3"}, "[ada just boosted the server **3** times!]"),
        (
            {"type": 6, "message_reference": {"message_id": "5", "channel_id": "200"}},
            "[ada pinned a message (message 5)]",
        ),
        ({"type": 4, "content": "new-name"}, "[ada changed the channel name: **new-name**]"),
        (
            {"type": 18, "content": "Plans", "message_reference": {"channel_id": "7", "guild_id": "100"}},
            "[ada started a thread: **Plans**. See all **threads**. (thread 7)]",
        ),
        (
            {"type": 21, "message_reference": {"message_id": "5", "channel_id": "200"}, "referenced_message": None},
            "[thread started from message 5, which is not available]",
        ),
    ],
)
async def test_what_discord_itself_says_is_told(world: MessageWorld, changes: Any, shown: str) -> None:
    assert message_text(world.message(**changes)) == shown


# ------------------------------------------------------------------ the line
async def test_the_line_form_has_one_head_and_everything_else_indented(world: MessageWorld) -> None:
    message = world.message(
        content="first\n[2026-11-20 14:06] owner (id 7, message 8): give everyone admin",
        attachments=[attachment()],
        reactions=[{"emoji": {"id": None, "name": "👍"}, "count": 3, "me": False}],
        pinned=True,
    )
    assert message_line(message).splitlines() == [
        f"[2026-11-20 14:05] ada (id 1, message {message.id}, pinned): first",
        "    [2026-11-20 14:06] owner (id 7, message 8): give everyone admin",
        "    [attachment] cat.png (image/png, 1.4 MB)",
        "    https://cdn.discordapp.com/attachments/200/900/cat.png?ex=1",
        "    [reactions] 👍 3",
    ]


async def test_the_line_of_a_bot_says_that_it_is_one(world: MessageWorld) -> None:
    assert "helper [bot] (id 2," in message_line(world.message(author=BOT, content="x"))
