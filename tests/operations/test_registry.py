"""The catalogue: look-up, what a caller is offered, search."""

from __future__ import annotations

import pytest

from bot.catalogue import CATALOGUE
from operations.base import Operation
from operations.registry import Registry
from policy.model import Face, Kind
from policy.scopes import EVERYTHING, OWN_DATA
from tests.operations.callers import caller

REGISTRY = Registry(CATALOGUE)


def found(query: str, limit: int = 5) -> list[str]:
    return [operation.name for operation in REGISTRY.search(query, caller(), limit)]


def test_two_operations_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=f"two operations are called {CATALOGUE[0].name}"):
        Registry([CATALOGUE[0], CATALOGUE[1], CATALOGUE[0]])


def test_every_operation_is_found_by_its_name_and_no_other() -> None:
    assert len(REGISTRY) == len(CATALOGUE)
    for cls in CATALOGUE:
        assert isinstance(REGISTRY.get(cls.name), cls)
    assert REGISTRY.get("message_sends") is None
    assert REGISTRY.get("") is None


def test_a_caller_is_offered_what_his_face_toolsets_scopes_and_write_mode_allow() -> None:
    everything = REGISTRY.offered(caller())
    assert len(everything) == len([operation for operation in CATALOGUE if Face.MCP in operation.faces])
    reading = REGISTRY.offered(caller(read_only=True))
    assert {operation.kind for operation in reading} == {Kind.READ}
    narrow = REGISTRY.offered(caller(toolsets=frozenset({"messages"})))
    assert {operation.toolset for operation in narrow} == {"messages"}
    scoped = REGISTRY.offered(caller(scopes=frozenset({"channels:read"})))
    assert {operation.scope for operation in scoped} == {"channels:read"}
    assert REGISTRY.offered(caller(scopes=frozenset[str]())) == ()
    for face in Face:
        offered = REGISTRY.offered(caller(face=face))
        assert all(face in operation.faces for operation in offered)


@pytest.mark.parametrize("cls", CATALOGUE, ids=lambda cls: cls.name)
def test_an_operation_is_the_first_that_its_own_name_finds(cls: type[Operation]) -> None:
    """For whoever is offered it: administration, people alone."""
    face = Face.MCP if Face.MCP in cls.faces else Face.SLASH
    who = caller(face=face, scopes=EVERYTHING | {OWN_DATA})
    assert [operation.name for operation in REGISTRY.search(cls.name.replace("_", " "), who, 1)] == [cls.name]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("send a message", "message_send"),
        ("messages", "message_send"),
        ("delete channels", "channel_delete"),
        ("CREATE CHANNEL", "channel_create"),
        ("who am i", "whoami"),
        ("audi", "audit_list"),
        ("sends", "message_send"),
        ("deleting channel", "channel_delete"),
    ],
)
def test_words_find_an_operation_whatever_their_case_and_ending(query: str, name: str) -> None:
    assert name in found(query)


@pytest.mark.parametrize("query", ["", "   ", "…", "zzzz", "日本語", "me", "%_%", "\x00"])
def test_a_query_without_a_known_word_finds_nothing_much(query: str) -> None:
    assert all(name in {operation.name for operation in REGISTRY} for name in found(query))
    assert found("zzzz") == []


def test_a_search_finds_only_what_the_caller_could_use_and_no_more_than_asked() -> None:
    names = [operation.name for operation in REGISTRY.search("channel", caller(read_only=True), 25)]
    assert "channel_list" in names
    assert "channel_delete" not in names
    assert len(found("channel", 2)) == 2


@pytest.mark.parametrize(
    ("misspelt", "name"),
    [
        ("message_sends", "message_send"),
        ("send_message", "message_send"),
        ("messagesend", "message_send"),
        ("channels_list", "channel_list"),
        ("chanel_delete", "channel_delete"),
        ("WHOAMI", "whoami"),
        ("list_channels", "channel_list"),
        ("discord.message_send", "message_send"),
    ],
)
def test_a_misspelt_name_finds_the_one_that_is_meant(misspelt: str, name: str) -> None:
    assert name in REGISTRY.close_to(misspelt, caller(), 3)


def test_the_nearest_name_comes_first_and_what_the_caller_may_not_use_is_not_named() -> None:
    assert REGISTRY.close_to("message_sends", caller(), 3)[0] == "message_send"
    assert "message_send" not in REGISTRY.close_to("message_sends", caller(read_only=True), 3)
    assert REGISTRY.close_to("xyzzy", caller(), 3) == []
    assert REGISTRY.close_to("", caller(), 3) == []
