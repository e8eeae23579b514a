from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from operations.invalid_arguments import InvalidArguments
from operations.refs import ChannelRef, MemberRef
from policy.model import Step


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EmbedField(Strict):
    name: str = Field(max_length=10)
    inline: bool = False


class Arguments(Strict):
    channel: ChannelRef
    content: str = Field(default="", max_length=20)
    limit: int = Field(default=50, ge=1, le=100)
    kind: Literal["text", "voice", "forum"] = "text"
    members: list[MemberRef] = Field(default_factory=list[str], max_length=2)
    fields: list[EmbedField] = Field(default_factory=list[EmbedField])
    ratio: float | None = None
    ping: bool = False
    colour: str = Field(default="#000000", pattern="^#[0-9a-f]{6}$")
    before: str | None = None

    @field_validator("before")
    @classmethod
    def _not_odd(cls, value: str | None) -> str | None:
        if value == "odd":
            raise ValueError("give a message id or a time")
        return value


def problems(**arguments: Any) -> tuple[str, ...]:
    with pytest.raises(ValidationError) as raised:
        Arguments.model_validate(arguments)
    return InvalidArguments.of(raised.value, Arguments).problems


CASES: list[tuple[dict[str, Any], str]] = [
    ({}, '`channel` is missing; give a string, such as "general".'),
    ({"channel": "a", "limit": "many"}, "`limit` must be a whole number, such as 10, not 'many'."),
    ({"channel": "a", "limit": 101}, "`limit` must be at most 100, not 101."),
    ({"channel": "a", "limit": 0}, "`limit` must be at least 1, not 0."),
    ({"channel": "a", "ping": "perhaps"}, "`ping` must be true or false, not 'perhaps'."),
    ({"channel": "a", "ratio": []}, "`ratio` must be a number, such as 1.5, not a list."),
    ({"channel": "a", "content": "x" * 21}, "`content` takes at most 20 characters; it has 21."),
    ({"channel": "a", "members": ["1", "2", "3"]}, "`members` takes at most 2 entries; it has 3."),
    ({"channel": "a", "members": "ada"}, "`members` must be a list of strings, not 'ada'."),
    ({"channel": "a", "members": [{}]}, '`members[0]` must be a string, such as "general", not an object.'),
    ({"channel": None}, '`channel` must be a string, such as "general", not null.'),
    ({"channel": "a", "kind": "vioce"}, "`kind` must be 'text', 'voice' or 'forum'; perhaps 'voice' is meant."),
    ({"channel": "a", "kind": "zebra"}, "`kind` must be 'text', 'voice' or 'forum', not 'zebra'."),
    ({"channel": "a", "contnet": "x"}, "There is no argument `contnet`; did you mean `content`?"),
    (
        {"channel": "a", "fields": [{"name": "n", "inlin": 1}]},
        "There is no argument `inlin` in `fields[0]`; did you mean `inline`?",
    ),
    (
        {"channel": "a", "fields": [{"inline": True}]},
        '`fields[0].name` is missing; give a string, such as "general".',
    ),
    ({"channel": "a", "colour": "red"}, "`colour` must match ^#[0-9a-f]{6}$."),
    ({"channel": "a", "before": "odd"}, "`before`: give a message id or a time."),
]


@pytest.mark.parametrize(("arguments", "sentence"), CASES)
def test_each_problem_is_one_sentence_with_what_to_write(arguments: dict[str, Any], sentence: str) -> None:
    assert problems(**arguments) == (sentence,)


def test_an_argument_like_no_other_lists_those_that_exist() -> None:
    (sentence,) = problems(channel="a", zzz=1)
    assert sentence.startswith("There is no argument `zzz`; there are: `channel`, `content`, ")


def test_a_long_value_is_never_repeated() -> None:
    secret = "s3cret-" * 20
    told = " ".join(problems(channel="a", limit=secret, ping=secret, kind=secret, **{secret: 1}))
    assert secret not in told
    assert "a text of 140 characters" in told


def test_a_hostile_argument_name_has_no_power_in_the_sentence() -> None:
    (sentence,) = problems(channel="a", **{"@everyone `x`\n": 1})
    assert "@everyone" not in sentence
    assert "\n" not in sentence


def test_many_problems_are_counted() -> None:
    found = problems(channel="a", **{f"unknown{number}": 1 for number in range(15)})
    assert len(found) == 11
    assert found[-1] == "And 5 more problems."


def test_the_refusal_is_of_the_validation() -> None:
    refusal = InvalidArguments(["`limit` must be at most 100, not 101."]).refusal()
    assert (refusal.step, refusal.code) == (Step.VALIDATE, "invalid_arguments")
    assert refusal.reason == "`limit` must be at most 100, not 101."
