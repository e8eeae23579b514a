from __future__ import annotations

from storage import tokens


def test_a_new_token_is_well_formed_and_unlike_another() -> None:
    token = tokens.new()
    assert tokens.well_formed(token)
    assert token.startswith("ghd_")
    assert len(token) == 4 + 43 + 6
    assert token != tokens.new()


def test_a_mistyped_token_is_told_by_its_checksum() -> None:
    token = tokens.new()
    swapped = token[:10] + ("A" if token[10] != "A" else "B") + token[11:]
    assert not tokens.well_formed(swapped)


def test_other_texts_are_no_tokens() -> None:
    for text in ("", "ghd_", "ghd_" + "☂" * 49, tokens.new()[4:], tokens.new() + "x"):
        assert not tokens.well_formed(text)
