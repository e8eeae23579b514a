"""Call ids, nonces and tags."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from operations import call_ids

MAC = "0123456789abcdef"


def test_a_call_id_has_twenty_characters_and_no_two_are_alike() -> None:
    made = {call_ids.new_call_id() for _ in range(2_000)}
    assert len(made) == 2_000
    assert all(call_ids.PATTERN.fullmatch(each) and len(each) == 20 for each in made)


def test_each_message_of_a_call_has_a_nonce_that_discord_takes() -> None:
    call_id = call_ids.new_call_id()
    nonces = [call_ids.nonce(call_id, index) for index in range(1_000)]
    assert nonces[0] == call_id
    assert len(set(nonces)) == 1_000
    # https://discord.com/developers/docs/resources/message#create-message: up to 25 characters
    assert max(map(len, nonces)) <= 25


def test_a_tag_is_read_back_from_the_beginning_of_a_reason() -> None:
    call_id = call_ids.new_call_id()
    found = call_ids.TAG.match(f"{call_ids.tag(call_id, MAC)} user 1: because")
    assert found is not None
    assert found.groups() == (call_id, MAC)


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_reason_from_outside_never_carries_a_tag(before: str, after: str) -> None:
    forged = before + call_ids.tag("cl_aaaaaaaaaaaaaaaaa", MAC) + after
    assert call_ids.TAG.search(call_ids.without_tags(forged)) is None
