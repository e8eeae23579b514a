"""What a member could never use is not offered, and what isn't for the model to say is never taken from it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cogs.agent.tools import CORE, SERVER_SEARCH, Here, Toolbox, ToolCatalogue, arguments_of
from policy.model import Face, PlatformRole
from tests.app import Place

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def toolbox(place: Place, who: str, role: PlatformRole | None = None, *, server: bool = False) -> Toolbox:
    core = place.town.core
    caller = core.callers.of_member(place.guild_id, int(place.member(who)), Face.AGENT)
    view = await core.state.view(place.guild_id, int(place.member(who)))
    assert caller is not None
    assert view is not None
    return ToolCatalogue(core.registry).toolbox(caller, view, role, server_searches=server)


async def test_members_are_offered_what_they_could_use(place: Place) -> None:
    member, admin = await toolbox(place, "bela"), await toolbox(place, "ada")
    for name in ("member_ban", "channel_delete", "role_assign"):
        assert name not in member
        assert name in admin
    assert "message_list_recent" in member
    viewer = await toolbox(place, "ada", PlatformRole.VIEWER)
    assert "message_send" not in viewer
    assert "message_list_recent" in viewer


async def test_plans_are_moved_by_people_alone(place: Place) -> None:
    admin = await toolbox(place, "ada")
    for name in ("plan_confirm", "plan_get", "plan_cancel", "operation_read", "operation_write", "operation_destroy"):
        assert name not in admin
        assert name not in [operation.name for operation in admin.search(name.replace("_", " "))]


async def test_the_core_is_in_full_and_the_rest_is_found(place: Place) -> None:
    tools = await toolbox(place, "ada")
    before = names(tools.definitions())
    assert set(before) <= CORE | {"tool_search"}
    assert before == sorted(before)
    found = [operation.name for operation in tools.search("ban a member")]
    assert "member_ban" in found
    assert set(names(tools.definitions())) == set(before) | set(found)


async def test_where_the_endpoint_searches_the_rest_is_deferred(place: Place) -> None:
    definitions = (await toolbox(place, "ada", server=True)).definitions()
    assert definitions[0] == {"type": "tool_search_tool_bm25_20251119", "name": SERVER_SEARCH}
    deferred = {tool["name"] for tool in definitions if tool.get("defer_loading")}
    assert "member_ban" in deferred
    assert not deferred & CORE
    assert definitions == (await toolbox(place, "ada", server=True)).definitions()


async def test_no_tool_takes_a_guild_a_token_or_a_dry_run(place: Place) -> None:
    for tool in (await toolbox(place, "ada", server=True)).definitions()[1:]:
        assert not tool["input_schema"]["properties"].keys() & {"guild", "plan_token", "dry_run", "idempotency_key"}
    assert len(json.dumps((await toolbox(place, "ada")).definitions())) < 30_000


@pytest.mark.parametrize(
    ("name", "given", "taken"),
    [
        ("message_send", {"content": "hi"}, {"content": "hi", "guild": "5", "channel": "7"}),
        ("message_send", {"content": "hi", "channel": "9"}, {"content": "hi", "guild": "5", "channel": "9"}),
        ("channel_delete", {}, {"guild": "5"}),
        ("channel_delete", {"channel": "9", "guild": "6"}, {"channel": "9", "guild": "5"}),
        (
            "member_ban",
            {"member": "1", "reason": "spam", "plan_token": "x", "dry_run": True, "idempotency_key": "k"},
            {"member": "1", "reason": "spam", "guild": "5"},
        ),
        ("guild_list", {"guild": "6"}, {}),
    ],
)
async def test_guild_and_channel_come_from_the_event(
    place: Place, name: str, given: dict[str, Any], taken: dict[str, Any]
) -> None:
    operation = place.town.core.registry.get(name)
    assert operation is not None
    assert arguments_of(operation, given, Here(5, 7)) == taken


def names(definitions: list[dict[str, Any]]) -> list[str]:
    return [tool["name"] for tool in definitions]
