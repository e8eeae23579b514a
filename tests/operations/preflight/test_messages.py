from __future__ import annotations

from typing import Any

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simcord.components import ComponentValidationError, validate_message_state

from operations.preflight import told
from operations.preflight.embeds import (
    embed_addresses_fit,
    embed_count_fits,
    embed_fields_fit,
    embed_shows_something,
    embed_texts_fit,
    embeds_total_fits,
)
from operations.preflight.messages import (
    LinkButton,
    MessageDraft,
    PollDraft,
    buttons_fit,
    content_fits,
    destination_takes_messages,
    draft_problems,
    files_fit,
    message_holds_something,
    message_is_editable,
    message_is_from_bot,
    poll_fits,
    reply_may_be_refused,
    reply_target_is_here,
    request_fits,
    stickers_fit,
    thread_is_unarchived,
    thread_may_stay_archived,
    thread_takes_edits,
    thread_takes_messages,
)

PROPERTY = settings(max_examples=100, deadline=None, database=None)
MIB = 1024 * 1024
BUTTON = LinkButton("Docs", "https://example.com")


# ------------------------------------------------------------------- content
@pytest.mark.parametrize(
    ("content", "fits"), [("x", True), ("x" * 2000, True), ("👍" * 2000, True), ("x" * 2001, False)]
)
def test_content_takes_2000_code_points(content: str, fits: bool) -> None:
    assert (content_fits(content) is None) is fits


def test_content_that_is_too_long_tells_its_length_and_what_to_do() -> None:
    assert content_fits("x" * 2345) == (
        "A message takes at most 2,000 characters; this has 2,345. "
        "Split it into several messages, or send it as a file."
    )


@pytest.mark.parametrize(
    "draft",
    [
        MessageDraft("x"),
        MessageDraft(embeds=[{"title": "x"}]),
        MessageDraft(file_bytes=(1,)),
        MessageDraft(sticker_count=1),
        MessageDraft(buttons=(BUTTON,)),
        MessageDraft(poll=PollDraft("?", ("a",))),
    ],
)
def test_any_one_part_makes_a_message(draft: MessageDraft) -> None:
    assert message_holds_something(draft) is None


@pytest.mark.parametrize("content", ["", "  \n\t"])
def test_blanks_alone_make_no_message(content: str) -> None:
    assert message_holds_something(MessageDraft(content)) is not None


# ---------------------------------------------------------------------- files
def test_each_file_stays_within_the_guilds_limit() -> None:
    assert list(files_fit([10 * MIB], 10 * MIB)) == []
    assert list(files_fit([1, 10 * MIB + 1], 10 * MIB)) == ["File 2 has 10.0 MiB; this guild takes at most 10.0 MiB."]


def test_ten_files_are_the_most() -> None:
    assert list(files_fit([1] * 10, MIB)) == []
    assert list(files_fit([1] * 11, MIB)) == ["A message takes at most 10 files; there are 11."]


def test_a_request_stays_below_25_mib_with_what_surrounds_the_files() -> None:
    assert request_fits(MessageDraft(file_bytes=(24 * MIB,))) is None
    assert request_fits(MessageDraft(file_bytes=(25 * MIB,))) is not None
    assert request_fits(MessageDraft("x" * 2000)) is None


@pytest.mark.parametrize(("count", "fits"), [(0, True), (3, True), (4, False)])
def test_three_stickers_are_the_most(count: int, fits: bool) -> None:
    assert (stickers_fit(count) is None) is fits


# -------------------------------------------------------------------- buttons
@pytest.mark.parametrize(
    ("button", "fits"),
    [
        (BUTTON, True),
        (LinkButton("x" * 80, "http://example.com"), True),
        (LinkButton("x" * 81, "http://example.com"), False),
        (LinkButton(" ", "https://example.com"), False),
        (LinkButton("app", "discord://-/channels/1/2"), True),
        (LinkButton("x", "javascript:alert(1)"), False),
        (LinkButton("x", "example.com"), False),
        (LinkButton("x", "https://"), False),
        (LinkButton("x", "https://exa mple.com"), False),
        (LinkButton("x", "https://[broken"), False),
        (LinkButton("x", "https://example.com/" + "a" * 492), True),
        (LinkButton("x", "https://example.com/" + "a" * 493), False),
    ],
)
def test_a_link_button_needs_a_label_and_a_web_address(button: LinkButton, fits: bool) -> None:
    assert (list(buttons_fit([button])) == []) is fits


@pytest.mark.parametrize(("count", "fits"), [(25, True), (26, False)])
def test_25_buttons_are_the_most(count: int, fits: bool) -> None:
    assert (list(buttons_fit([BUTTON] * count)) == []) is fits


# ---------------------------------------------------------------------- polls
@pytest.mark.parametrize(
    ("poll", "fits"),
    [
        (PollDraft("?", ("a",)), True),
        (PollDraft("q" * 300, ("a" * 55,) * 10, 768), True),
        (PollDraft("q" * 301, ("a",)), False),
        (PollDraft(" ", ("a",)), False),
        (PollDraft("?", ()), False),
        (PollDraft("?", ("a",) * 11), False),
        (PollDraft("?", ("a" * 56,)), False),
        (PollDraft("?", ("",)), False),
        (PollDraft("?", ("a",), 0), False),
        (PollDraft("?", ("a",), 769), False),
    ],
)
def test_a_poll_stays_within_its_limits(poll: PollDraft, fits: bool) -> None:
    assert (list(poll_fits(poll)) == []) is fits


# --------------------------------------------------------------------- embeds
@pytest.mark.parametrize(("count", "fits"), [(10, True), (11, False)])
def test_ten_embeds_are_the_most(count: int, fits: bool) -> None:
    assert (embed_count_fits(count) is None) is fits


@pytest.mark.parametrize(
    ("embed", "fits"),
    [
        ({"title": "x" * 256}, True),
        ({"title": "x" * 257}, False),
        ({"title": " " * 300 + "x"}, True),
        ({"description": "x" * 4096}, True),
        ({"description": "x" * 4097}, False),
        ({"fields": [{"name": "x" * 256, "value": "y" * 1024}]}, True),
        ({"fields": [{"name": "x" * 257, "value": "y"}]}, False),
        ({"fields": [{"name": "x", "value": "y" * 1025}]}, False),
        ({"footer": {"text": "x" * 2048}}, True),
        ({"footer": {"text": "x" * 2049}}, False),
        ({"author": {"name": "x" * 256}}, True),
        ({"author": {"name": "x" * 257}}, False),
    ],
)
def test_the_texts_of_an_embed_have_limits(embed: dict[str, Any], fits: bool) -> None:
    assert (embed_texts_fit(embed, 1) is None) is fits


def test_all_embeds_of_a_message_take_6000_characters_together() -> None:
    half = {"description": "x" * 3000}
    assert embeds_total_fits([half, half]) is None
    assert embeds_total_fits([half, half, {"title": "y"}]) == (
        "The embeds of a message take at most 6,000 characters in all; these have 6,001."
    )


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ([{"name": "a", "value": "b"}] * 25, True),
        ([{"name": "a", "value": "b"}] * 26, False),
        ([{"name": "", "value": "b"}], False),
        ([{"name": "a", "value": " "}], False),
    ],
)
def test_an_embed_has_at_most_25_fields_with_name_and_value(fields: list[dict[str, str]], fits: bool) -> None:
    assert (embed_fields_fit({"fields": fields}, 1) is None) is fits


def test_an_embed_shows_something() -> None:
    assert embed_shows_something({"image": {"url": "https://example.com/i.png"}}, 1) is None
    assert embed_shows_something({"color": 3}, 2) == "Embed 2 is empty; give it a title, a description or a field."


@pytest.mark.parametrize(
    ("embed", "fits"),
    [
        ({"url": "https://example.com"}, True),
        ({"url": "attachment://cat.png"}, False),
        ({"image": {"url": "attachment://cat.png"}}, True),
        ({"image": {"url": "ftp://example.com/i.png"}}, False),
        ({"author": {"name": "a", "url": "example.com"}}, False),
        ({"url": "https://example.com/" + "a" * 2028}, True),
        ({"url": "https://example.com/" + "a" * 2029}, False),
    ],
)
def test_the_addresses_of_an_embed_are_of_the_web(embed: dict[str, Any], fits: bool) -> None:
    assert (embed_addresses_fit(embed, 1) is None) is fits


# ------------------------------------------------------------------- together
def test_a_draft_reports_every_problem_once() -> None:
    draft = MessageDraft(
        "x" * 2001,
        embeds=[{}, {"title": "y" * 257}],
        file_bytes=(11 * MIB,),
        sticker_count=4,
        buttons=(LinkButton("", "x"),),
        poll=PollDraft("", ()),
    )
    problems = draft_problems(draft, 10 * MIB)
    assert len(problems) == len(set(problems)) == 9
    assert draft_problems(MessageDraft("hello"), 10 * MIB) == ()


def test_told_keeps_sentences_in_order_and_once() -> None:
    assert told(None, "a", iter(["b", "a"]), ()) == ("a", "b")


texts = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ["x" * 256, "x" * 257, "x" * 2000, "x" * 2001]
)
parts: dict[str, st.SearchStrategy[Any]] = {
    "title": texts,
    "description": texts | st.sampled_from(["x" * 4096, "x" * 4097]),
    "footer": st.fixed_dictionaries({"text": texts}),
    "author": st.fixed_dictionaries({"name": texts}),
    "fields": st.lists(st.fixed_dictionaries({"name": texts, "value": texts}), max_size=3),
}
no_parts: dict[str, st.SearchStrategy[Any]] = {}
embeds = st.fixed_dictionaries(no_parts, optional=parts)


@PROPERTY
@given(content=texts, drawn=st.lists(embeds, max_size=11), count=st.integers(0, 26), label=texts)
def test_what_passes_here_passes_the_simulated_discord(
    content: str, drawn: list[dict[str, Any]], count: int, label: str
) -> None:
    buttons = (LinkButton(label, "https://example.com"),) * count
    rows = [
        {
            "type": 1,
            "components": [{"type": 2, "style": 5, "label": button.label, "url": button.url} for button in row],
        }
        for row in (buttons[start : start + 5] for start in range(0, count, 5))
    ]
    problems = draft_problems(MessageDraft(content, embeds=drawn, buttons=buttons), 10 * MIB)
    try:
        validate_message_state(rows, flags=0, content=content, embeds=drawn, require_nonempty=True)
    except ComponentValidationError:
        assert problems
    else:
        # What is stricter here: embeds with nothing to show, fields and buttons without a text.
        assert all("empty" in problem or "needs a" in problem for problem in problems)


# ---------------------------------------------------------------- destination
@pytest.mark.parametrize("kind", list(discord.ChannelType), ids=lambda kind: kind.name)
def test_categories_and_forums_take_no_messages(kind: discord.ChannelType) -> None:
    takes_none = {
        discord.ChannelType.category,
        discord.ChannelType.forum,
        discord.ChannelType.media,
    }
    assert (destination_takes_messages(kind) is None) is (kind not in takes_none)


def test_a_locked_thread_takes_messages_only_from_its_managers() -> None:
    assert thread_takes_messages(locked=False, may_manage_threads=False) is None
    assert thread_takes_messages(locked=True, may_manage_threads=True) is None
    assert thread_takes_messages(locked=True, may_manage_threads=False) is not None


def test_sending_unarchives_a_thread_unless_it_is_locked() -> None:
    assert thread_is_unarchived(archived=True, locked=False)
    assert not thread_is_unarchived(archived=True, locked=True)
    assert not thread_is_unarchived(archived=False, locked=False)
    assert thread_may_stay_archived(archived=True, locked=True) is not None
    assert thread_may_stay_archived(archived=True, locked=False) is None


def test_a_reply_stays_in_its_channel() -> None:
    assert reply_target_is_here(1, 1) is None
    assert reply_target_is_here(1, 2) is not None


def test_a_reply_to_a_system_message_may_be_refused() -> None:
    assert reply_may_be_refused(discord.MessageType.reply) is None
    assert reply_may_be_refused(discord.MessageType.new_member) is not None


# -------------------------------------------------------------------- editing
def test_only_messages_of_the_bot_itself_are_edited() -> None:
    assert message_is_from_bot(2, 2, by_webhook=False) is None
    assert message_is_from_bot(1, 2, by_webhook=False) is not None
    assert message_is_from_bot(2, 2, by_webhook=True) is not None


def test_system_messages_polls_and_voice_messages_are_not_edited() -> None:
    written = discord.MessageType.default
    assert message_is_editable(written) is None
    assert message_is_editable(discord.MessageType.pins_add) is not None
    assert message_is_editable(written, has_poll=True) is not None
    assert message_is_editable(written, is_voice=True) is not None


def test_messages_in_archived_threads_are_not_edited() -> None:
    assert thread_takes_edits(archived=False, locked=False, may_manage_threads=False) is None
    assert thread_takes_edits(archived=True, locked=False, may_manage_threads=True) is not None
    assert thread_takes_edits(archived=False, locked=True, may_manage_threads=False) is not None
