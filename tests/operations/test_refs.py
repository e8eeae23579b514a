"""Fields that name a Discord object."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import Field, ValidationError

from operations.base import Model
from operations.refs import ChannelRef, GuildRef, MemberRef, MentionableRef, MessageRef, RefField, RoleRef, ref_fields


class Input(Model):
    channel: ChannelRef
    guild: GuildRef | None = None
    message: MessageRef | None = Field(default=None, description="Which one.")
    members: list[MemberRef] = Field(default_factory=list[str])
    roles: tuple[RoleRef, ...] | None = None
    ping: Annotated[list[MentionableRef], Field(max_length=3)] = Field(default_factory=list[str])
    content: str = ""
    limit: int = 1


def test_the_refs_of_an_input_are_found_with_their_kind_and_number() -> None:
    assert ref_fields(Input) == {
        "channel": RefField("channel", many=False),
        "guild": RefField("guild", many=False),
        "message": RefField("message", many=False),
        "members": RefField("member", many=True),
        "roles": RefField("role", many=True),
        "ping": RefField("mentionable", many=True),
    }


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (123456789012345678, "123456789012345678"),
        ("123456789012345679", "123456789012345679"),
        ("  #general \n", "#general"),
        ("<#123456789012345678>", "<#123456789012345678>"),
    ],
)
def test_an_id_may_be_an_integer_and_a_text_is_stripped(given: object, taken: str) -> None:
    assert Input.model_validate({"channel": given}).channel == taken


def test_integers_are_taken_in_lists_too() -> None:
    assert Input.model_validate({"channel": "a", "members": [123456789012345678, "@nina"]}).members == [
        "123456789012345678",
        "@nina",
    ]


@pytest.mark.parametrize("given", ["", "   ", True, 1.5, None, ["general"], {"id": "1"}, "x" * 201])
def test_what_names_nothing_is_refused(given: object) -> None:
    with pytest.raises(ValidationError):
        Input.model_validate({"channel": given})
