"""Links that nobody asked for are inert; nothing is cut off, and a code fence survives every cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogs.agent.reply_text import OwnLinks, inert, pieces

OWN = OwnLinks.of(["look at https://own.example/a, please (https://own.example/b)"], 77)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("see https://evil.example.", "see https:∕∕evil.example."),
        ("<https://evil.example>", "<https:∕∕evil.example>"),
        ("[safe](https://evil.example/x)", "safe (https:∕∕evil.example∕x)"),
        ("[safe](<https://evil.example/x> 'title')", "safe (https:∕∕evil.example∕x)"),
        ("[https://own.example/a](https://evil.example)", "https://own.example/a (https:∕∕evil.example)"),
        ("(https://evil.example/a_(b))", "(https:∕∕evil.example∕a_(b))"),
        ("join discord.gg/abc now", "join discord.gg∕abc now"),
        ("steam://run/1", "steam:∕∕run∕1"),
        ("HTTPS://EVIL.example", "HTTPS:∕∕EVIL.example"),
        ("https://own.example/a", "https://own.example/a"),
        ("[my site](https://own.example/a)", "my site (https://own.example/a)"),
        ("https://own.example/b?more", "https:∕∕own.example∕b?more"),
        ("https://discord.com/channels/77/1/2", "https://discord.com/channels/77/1/2"),
        ("https://discord.com/channels/78/1/2", "https:∕∕discord.com∕channels∕78∕1∕2"),
        ("`https://evil.example`", "`https:∕∕evil.example`"),
        ("```\nhttps://evil.example\n```", "```\nhttps://evil.example\n```"),
        ("```\nhttps://evil.example", "```\nhttps:∕∕evil.example"),
        ("\\```\nhttps://evil.example\n```", "\\```\nhttps:∕∕evil.example\n```"),
        ("a ```https://evil.example```", "a ```https:∕∕evil.example```"),
        ("no link: a/b and 1/2", "no link: a/b and 1/2"),
        ("[1] and (2)", "[1] and (2)"),
    ],
)
def test_a_link_that_the_requester_did_not_write_is_none(written: str, shown: str) -> None:
    assert inert(written, OWN) == shown


@given(st.text(alphabet="ab`[]()<>:/.w \n", max_size=80), st.integers(40, 200))
def test_no_writing_makes_a_link_live(noise: str, limit: int) -> None:
    """In no message outside of a block of code that is closed in that very message."""
    for piece in pieces(inert(f"{noise} https://evil.example {noise}", OWN), limit):
        for part in piece.split("```")[::2]:
            assert "https://evil.example" not in part or piece.count("```") % 2 == 1


def test_a_short_text_is_one_message() -> None:
    assert pieces("Hello.") == ["Hello."]
    assert pieces("\n \n") == []


def test_a_cut_goes_between_paragraphs_else_lines_else_words() -> None:
    assert pieces("a" * 60 + "\n\n" + "b" * 60, 100) == ["a" * 60, "b" * 60]
    assert pieces("a" * 60 + "\n" + "b" * 60, 100) == ["a" * 60, "b" * 60]
    assert pieces("a" * 60 + " " + "b" * 60, 100) == ["a" * 60 + " ", "b" * 60]
    assert pieces("a" * 150, 100) == ["a" * 96, "a" * 54]


def test_a_fence_that_the_model_left_open_is_closed() -> None:
    assert pieces("```py\nprint(1)") == ["```py\nprint(1)\n```"]


def test_a_fence_is_closed_and_opened_again() -> None:
    code = "\n".join(f"line {n}" for n in range(20))
    found = pieces(f"```py\n{code}\n```", 100)
    assert len(found) > 1
    assert all(piece.startswith("```py\n") and piece.endswith("\n```") for piece in found)


@given(st.lists(st.sampled_from(["word ", "\n", "\n\n", "```py\n", "```\n", "x" * 40, "`a` "]), max_size=60))
def test_nothing_is_lost_and_no_piece_is_too_long(parts: list[str]) -> None:
    text = "".join(parts)
    found = pieces(text, 120)
    assert all(0 < len(piece) <= 120 for piece in found)
    marks = str.maketrans("", "", "`py \n")
    assert "".join(found).translate(marks) == text.translate(marks)


@given(
    st.lists(st.sampled_from(["word ", "\n", "\n\n", "```py\n", "```\n", "x" * 40]), max_size=60), st.integers(1, 400)
)
def test_as_a_text_grows_its_earlier_messages_stay(parts: list[str], cut: int) -> None:
    text = "".join(parts)
    before, after = pieces(text[:cut], 120), pieces(text, 120)
    assert after[: max(0, len(before) - 1)] == before[:-1]
