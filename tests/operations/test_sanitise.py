from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.sanitise import cap, inline, sanitise

PROPERTY = settings(max_examples=100, deadline=None, database=None)
HIDDEN = {
    "control": "\x00\x07\x1b\x7f\x9f",
    "bidi": "\u202a\u202e\u2066\u2069\u200e\u200f\u061c",
    "zero-width": "\u200b\u200c\u200d\u2060\ufeff\u00ad",
    "tags": "\U000e0001\U000e0041\U000e007f",
    "variation selectors": "\ufe00\U000e0100",
    "lone surrogates": "\ud800\udfff",
    "fillers": "\u3164\u115f\uffa0",
}
ANY_TEXT = st.text(
    st.characters(exclude_categories=()) | st.sampled_from("".join(HIDDEN.values()) + "\r\n\t@<`:/\u0344\u0301ae"),
    max_size=300,
)


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN.keys())
def test_what_cannot_be_seen_is_removed(hidden: str) -> None:
    assert sanitise(f"ig{hidden}nore{hidden}") == "ignore"


@pytest.mark.parametrize(
    "text",
    ["plain", "two\nlines\tand a tab", "Grüße", "漢字", "हिन्दी", "❤️", "👍🏽", "a\u0301".replace("a\u0301", "á"), ""],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert sanitise(text) == text


def test_line_ends_become_newlines_and_combinations_one_character() -> None:
    assert sanitise("a\r\nb\rc\u2028d\x85e") == "a\nb\nc\nd\ne"
    assert sanitise("e\u0301") == "é"


def test_marks_stacked_on_one_letter_are_cut_to_thirty() -> None:
    assert len(sanitise("a" + "\u0316" * 500)) == 31


@PROPERTY
@given(ANY_TEXT)
def test_sanitising_twice_changes_nothing_more(text: str) -> None:
    assert sanitise(sanitise(text)) == sanitise(text)


@PROPERTY
@given(ANY_TEXT)
def test_sanitised_text_holds_nothing_unseen_and_is_normal_and_encodable(text: str) -> None:
    clean = sanitise(text)
    assert unicodedata.is_normalized("NFC", clean)
    assert clean.encode().decode() == clean
    assert not [c for c in clean if unicodedata.category(c) == "Cc" and c not in "\n\t"]
    assert not [
        c
        for c in clean
        if unicodedata.bidirectional(c) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    ]
    assert not set(clean) & set("".join(HIDDEN.values()))


@PROPERTY
@given(ANY_TEXT, st.integers(0, 400))
def test_a_capped_text_is_never_longer_than_its_limit(text: str, limit: int) -> None:
    capped = sanitise(text, limit=limit)
    assert len(capped) <= limit
    if len(sanitise(text)) <= limit:
        assert capped == sanitise(text)


@PROPERTY
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=5000), st.integers(30, 5000))
def test_what_a_cap_leaves_out_is_told_exactly(text: str, limit: int) -> None:
    capped = cap(text, limit)
    if len(text) <= limit:
        assert capped == text
        return
    kept, _, told = capped.rpartition("… (+")
    assert text.startswith(kept)
    assert int(told.removesuffix(" characters)")) == len(text) - len(kept)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("general", "general"),
        ("ada_l.42", "ada_l.42"),
        ("he/him", "he/him"),
        ("two\nlines\t here ", "two lines here"),
        ("`x` **b** ~~s~~ ||h||", "ˋxˋ ∗∗b∗∗ ∼∼s∼∼ ∣∣h∣∣"),
        ("<@123> <#5>", "‹@123› ‹#5›"),
        ("@everyone and @HERE", "＠everyone and ＠HERE"),
        ("@every\u200bone", "＠everyone"),
        ("[free](https://evil.example)", "［free］(https:∕∕evil.example)"),
        ("discord.gg/abc", "discord.gg∕abc"),
        ("ends\\", "ends＼"),
    ],
)
def test_a_name_has_no_power_inside_a_sentence(name: str, shown: str) -> None:
    assert inline(name) == shown


@PROPERTY
@given(ANY_TEXT, st.integers(1, 200))
def test_an_inline_name_is_one_line_without_markup(name: str, limit: int) -> None:
    shown = inline(name, limit)
    assert len(shown) <= limit
    assert not set(shown) & set("\n\r\t`<>*~|\\[]")
    assert "://" not in shown
    assert "@everyone" not in shown.lower()
    assert inline(shown, limit) == shown


def test_hostile_text_takes_time_linear_in_its_length() -> None:
    def seconds(length: int) -> float:
        text = ("a" + "\u0316\u0301" * 100) * (length // 201)
        start = time.process_time()
        sanitise(text)
        return time.process_time() - start

    seconds(2_000)
    # Quadratic work would be 400 times as long; linear work is 20 times, and the rest is the clock's noise.
    assert seconds(400_000) < 120 * max(seconds(20_000), 0.001)
