"""Whom a text mentions."""

from __future__ import annotations

import pytest

from operations.preflight.mentions import mention_is_there


@pytest.mark.parametrize(
    ("kind", "text", "fits"),
    [
        ("member", "hear, <@7>", True),
        ("member", "hear, <@!7>", True),
        ("member", "hear, @nina", False),
        ("member", "<@&7> <@70>", False),
        ("role", "<@&7>", True),
        ("role", "<@7> @Crew", False),
        ("everyone", "@everyone", True),
        ("everyone", "@here", True),
        ("everyone", "everyone", False),
        ("everyone", "", False),
    ],
)
def test_only_a_mention_in_the_text_notifies(kind: str, text: str, fits: bool) -> None:
    problem = mention_is_there(kind, 7, "whom", text)
    assert (problem is None) is fits
    if problem is not None:
        written = {"member": "<@7>", "role": "<@&7>", "everyone": "@everyone"}[kind]
        assert problem == f"The text does not mention whom, so nobody is notified; write {written} in it."
