"""What the audit log keeps of a call's arguments."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.redaction import (
    MAX_DEPTH,
    MAX_HASHED_CHARACTERS,
    MAX_HASHED_CHARACTERS_IN_ALL,
    MAX_ITEMS,
    MAX_NAME_CHARACTERS,
    OMITTED,
    redact,
)
from policy.redaction import mask as exported_mask
from tests.policy.strategies import PROPERTY

ID = "123456789012345678"


def keyed_hash(text: str) -> str:
    return hmac.new(b"key", text.encode(), hashlib.sha256).hexdigest()[:16]


def kept(**arguments: Any) -> dict[str, Any]:
    return redact(arguments, keyed_hash=keyed_hash)


def hashed(text: str) -> dict[str, object]:
    return {"length": len(text), "hash": keyed_hash(text)}


# -------------------------------------------------------------------- stays
@pytest.mark.parametrize(
    "argument",
    [
        {"guild": ID, "channel": "general", "member": "@alice", "role": "Support team", "thread": f"<#{ID}>"},
        {"message": ID, "before": ID, "after": ID, "around": ID, "at": "2026-01-01T10:00:00Z"},
        {"message": f"https://discord.com/channels/{ID}/{ID}/{ID}"},
        {"limit": 50, "delete_message_seconds": 604_800, "dry_run": True, "parent": None, "volume": 0.5},
        {"type": "voice", "permissions": ["send_messages", "connect"], "allow": "1099511627776", "deny": 2048},
        {"plan_id": "pln_abc123", "member_ids": [ID, int(ID)], "role_map": {ID: "manager"}},
        {"overwrites": [{"target": ID, "type": "role", "allow": ["view_channel"]}]},
        {"rules": {"read": "allow", "write": "confirm"}, "tiers": {"role_assign": "critical"}},
    ],
)
def test_ids_names_numbers_and_words_stay(argument: dict[str, Any]) -> None:
    assert redact(argument, keyed_hash=keyed_hash) == argument


@pytest.mark.parametrize("digits", ["1234567890123452", "123456789012345678", "1234567890123456789"])
def test_an_id_stays_though_it_looks_like_a_card(digits: str) -> None:
    assert kept(member=digits, ids=[int(digits)]) == {"member": digits, "ids": [int(digits)]}


# ------------------------------------------------------------------- is hashed
@pytest.mark.parametrize(
    "key",
    ["content", "reason", "topic", "description", "question", "plan_token", "cursor", "idempotency_key", "unheard_of"],
)
def test_any_other_text_becomes_its_length_and_a_keyed_hash(key: str) -> None:
    text = "the cat sat on the mat"
    assert kept(**{key: text}) == {key: hashed(text)}


def test_an_empty_text_has_a_length_and_a_hash_as_well() -> None:
    assert kept(content="") == {"content": hashed("")}


def test_below_what_someone_wrote_nothing_is_taken_for_a_name() -> None:
    embed = {"title": "a b", "author": {"name": "Bob Smith", "url": "x"}, "type": "rich", "color": 255, "inline": True}
    [found] = kept(embeds=[embed])["embeds"]
    assert found["author"] == {"name": hashed("Bob Smith"), "url": hashed("x")}
    assert (found["title"], found["type"]) == (hashed("a b"), hashed("rich"))
    assert (found["color"], found["inline"]) == (255, True)
    assert kept(files=[{"name": "salaries.pdf", "data": "AAAA"}])["files"] == [
        {"name": hashed("salaries.pdf"), "data": hashed("AAAA")}
    ]


def test_a_sentence_where_a_word_belongs_is_hashed() -> None:
    sentence = "my secret plan"
    assert kept(type=sentence, message=sentence) == {"type": hashed(sentence), "message": hashed(sentence)}


# ------------------------------------------------------------------- is masked
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ask bob@example.com", "ask [email]"),
        ("call +14155552671", "call [phone]"),
        ("card 4111111111111111", "card [card]"),
        ("AKIAIOSFODNN7EXAMPLE", "[token]"),
        ("10.1.2.3", "[ip]"),
        ("line\nbreak\x00\u2028", "line\ufffdbreak\ufffd\ufffd"),
    ],
)
def test_a_name_is_kept_masked_and_on_one_line(name: str, expected: str) -> None:
    assert kept(name=name, channel=name) == {"name": expected, "channel": expected}


def test_a_webhook_keeps_its_id_and_loses_its_token() -> None:
    found = kept(webhook=f"https://discord.com/api/webhooks/{ID}/abcdefghijklmnop_-012345")["webhook"]
    assert found == f"https://discord.com/api/webhooks/{ID}/[token]"


def test_a_name_is_capped_after_it_was_masked() -> None:
    name = "x" * (MAX_NAME_CHARACTERS - 5) + " bob@example.com " + "y" * 50
    found = kept(name=name)["name"]
    assert len(found) == MAX_NAME_CHARACTERS
    assert "bob" not in found


@pytest.mark.parametrize(("length", "stays"), [(512, True), (513, False)])
def test_what_is_too_long_for_a_name_is_a_text(length: int, stays: bool) -> None:
    name = "n" * length
    assert kept(name=name)["name"] == (name[:MAX_NAME_CHARACTERS] if stays else hashed(name))


def test_a_secret_where_a_word_belongs_is_not_kept() -> None:
    secret = "ghp_abcdefghijklmnopqrstuvwxyz012345"
    assert kept(type=secret) == {"type": hashed(secret)}


def test_a_card_given_as_a_number_is_masked() -> None:
    assert kept(amount=4111111111111111) == {"amount": "[card]"}
    assert kept(amount=4111111111111112) == {"amount": 4111111111111112}


def test_a_key_that_somebody_wrote_is_not_kept() -> None:
    found = redact({"bob@example.com": 1, "two words": 2, "AKIAIOSFODNN7EXAMPLE": 3, "fine": 4}, keyed_hash=keyed_hash)
    assert found == {"unnamed_0": 1, "unnamed_1": 2, "unnamed_2": 3, "fine": 4}


# ------------------------------------------------------------------ unknown types
class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


@dataclass
class Thing:
    secret: str = "swordfish"

    def __repr__(self) -> str:
        raise AssertionError("nothing asks for a repr")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        ((1, 2), [1, 2]),
        ({7}, [7]),
        (MappingProxyType({"limit": 1}), {"limit": 1}),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00+00:00"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (2**63 - 1, 2**63 - 1),
        (2**64, {"bits": 65}),
        (b"ab", {"length": 2, "hash": keyed_hash("ab")}),
        (Thing(), {"type": "Thing"}),
        (object, {"type": "type"}),
        (1j, {"type": "complex"}),
    ],
)
def test_values_that_are_not_json_are_told_without_raising(value: object, expected: object) -> None:
    assert kept(type=value) == {"type": expected}


def test_a_number_that_python_will_not_print_is_told_by_its_size() -> None:
    assert kept(limit=10**5000) == {"limit": {"bits": 16610}}


def test_keys_that_are_no_texts_do_not_raise() -> None:
    arguments: Mapping[Any, object] = {None: 1, 3: 2, (1, 2): 3, 10**5000: 4}
    assert redact(arguments, keyed_hash=keyed_hash) == {"unnamed_0": 1, "3": 2, "unnamed_2": 3, "unnamed_3": 4}


def test_a_lone_surrogate_reaches_neither_the_hash_nor_the_log() -> None:
    found = kept(content="a\ud800b", name="a\udfffb")
    assert found == {"content": {"length": 3, "hash": keyed_hash("a\ufffdb")}, "name": "a\ufffdb"}


# --------------------------------------------------------------------- bounds
def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_what_is_too_deep_is_left_out() -> None:
    shallow, deep = kept(a=nested(MAX_DEPTH)), kept(a=nested(MAX_DEPTH + 1))
    assert OMITTED not in json.dumps(shallow, ensure_ascii=False)
    assert OMITTED in json.dumps(deep, ensure_ascii=False)


def test_a_value_that_holds_itself_comes_to_an_end() -> None:
    loop: dict[str, Any] = {}
    loop["again"] = [loop, loop]
    assert len(json.dumps(redact(loop, keyed_hash=keyed_hash))) < 100_000


def test_two_hundred_ids_all_stay() -> None:
    ids = [str(int(ID) + place) for place in range(200)]
    assert kept(members=ids) == {"members": ids}


def test_beyond_the_number_of_items_they_are_only_counted() -> None:
    found = kept(members=list(range(MAX_ITEMS + 10)))["members"]
    assert len(found) == MAX_ITEMS
    assert found[-1] == {OMITTED: 11}
    many = redact({f"k{place}": place for place in range(MAX_ITEMS + 10)}, keyed_hash=keyed_hash)
    assert len(many) == MAX_ITEMS + 1
    assert many[OMITTED] == 10


def test_of_a_long_text_the_beginning_is_hashed_and_the_length_is_true() -> None:
    text = "x" * (MAX_HASHED_CHARACTERS + 1)
    assert kept(content=text)["content"] == {
        "length": len(text),
        "hash": keyed_hash(text[:MAX_HASHED_CHARACTERS]),
        "hashed": MAX_HASHED_CHARACTERS,
    }
    assert "hashed" not in kept(content=text[:-1])["content"]


def test_no_call_makes_it_hash_more_than_so_many_characters() -> None:
    asked: list[int] = []

    def counting(text: str) -> str:
        asked.append(len(text))
        return "h"

    texts = ["x" * MAX_HASHED_CHARACTERS] * 40
    found = redact({"content": texts}, keyed_hash=counting)["content"]
    assert sum(asked) == MAX_HASHED_CHARACTERS_IN_ALL
    assert isinstance(found, list)
    assert found[-1] == {"length": MAX_HASHED_CHARACTERS, "hashed": 0}


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=8,
)


@PROPERTY
@given(
    st.dictionaries(
        st.sampled_from(["name", "content", "type", "embeds", "plan_id"]) | st.text(max_size=8), JSON_VALUES
    )
)
def test_what_is_kept_is_always_json_that_encodes(arguments: dict[str, Any]) -> None:
    found = redact(arguments, keyed_hash=keyed_hash)
    assert len(found) == len(arguments)
    json.dumps(found, allow_nan=False, ensure_ascii=False).encode()


@PROPERTY
@given(
    st.recursive(
        st.just("the canary sings"),
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3)
            | st.dictionaries(st.sampled_from(["content", "type", "fields", "x", "plan_id"]), inner, min_size=1)
        ),
        max_leaves=6,
    )
)
def test_a_text_outside_of_names_is_nowhere_in_the_log(value: Any) -> None:
    assert "canary" not in json.dumps(kept(content=value, type=value, other=value))


def test_masking_is_offered_from_here_too() -> None:
    assert exported_mask("bob@example.com") == "[email]"
