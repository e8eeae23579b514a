"""The official client, in both protocol eras, against the whole application."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import mcp.types as t
import pytest
from mcp.shared.exceptions import MCPError

from mcp_server.instructions import INSTRUCTIONS
from mcp_server.product import product_version
from operations.base import Encoded, Outcome, Status
from operations.discord.message_send import MessageSendResult
from operations.outcomes import structured, text
from tests.mcp_server.scripted_executor import NO, read, write
from tests.mcp_server.served import MEMBER_ID, Served, text_of
from tests.mcp_server.transports.small_server import MODERN

ERAS = ("legacy", MODERN)
CHANNELS = {
    "guild_id": "1",
    "channels": [{"id": "5", "name": "general"}],
    "categories": [{"id": "6", "name": "Talk", "channels": [{"id": "7", "name": "voice", "type": "voice"}]}],
}
SENT = MessageSendResult(message_id="9", channel_id="5", jump_url="https://discord.com/channels/1/5/9")

pytestmark = pytest.mark.parametrize("era", ERAS)


async def test_a_read_arrives_as_text_and_as_structured_content_that_fits_its_schema(
    served: Served, token: str, era: str
) -> None:
    served.executor.outcomes["channel_list"] = read("channel_list", Encoded(json.dumps(CHANNELS).encode()))
    async with served.official(token, era) as client:
        await client.list_tools()  # from here on the client validates structured content against the output schema
        result = await client.call_tool("channel_list", {"guild": "Demo"})
    assert result.structured_content == CHANNELS
    assert json.loads(text_of(result)) == CHANNELS
    assert not result.is_error
    ((name, arguments, caller),) = served.executor.calls
    assert (name, arguments, caller.user_id) == ("channel_list", {"guild": "Demo"}, MEMBER_ID)


@pytest.mark.parametrize("status", list(Status))
async def test_every_outcome_of_a_write_is_a_result_that_the_client_takes(
    served: Served, token: str, era: str, status: Status
) -> None:
    outcome = write("message_send", status, SENT)
    served.executor.outcomes["message_send"] = outcome
    async with served.official(token, era) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        result = await client.call_tool("message_send", {"channel": "5", "content": "Hello"})
    assert result.is_error is outcome.is_error
    assert result.structured_content == structured(outcome)
    assert text_of(result) == text(outcome)
    schema = tools["message_send"].output_schema
    assert schema is not None
    jsonschema.validate(result.structured_content, schema)


@pytest.mark.parametrize("progress", [False, True])
async def test_both_roads_give_the_same_result(served: Served, token: str, era: str, progress: bool) -> None:
    """A progress token takes a call through the SDK; without one it goes as bytes."""

    async def ignore(progress: float, total: float | None, message: str | None) -> None:
        pass

    outcomes: list[Outcome] = [
        read("guild_list", Encoded(b'{"guilds":[]}')),
        write("message_send", Status.DONE, SENT),
        write("message_send", Status.REFUSED),
    ]
    async with served.official(token, era) as client:
        for outcome in outcomes:
            served.executor.outcomes[outcome.operation] = outcome
            result = await client.call_tool(outcome.operation, {}, progress_callback=ignore if progress else None)
            assert (text_of(result), result.structured_content, result.is_error) == (
                text(outcome),
                structured(outcome),
                outcome.is_error,
            )


async def test_progress_reaches_a_client_that_asked_for_it(served: Served, token: str, era: str) -> None:
    seen: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, total, message))

    served.executor.outcomes["guild_list"] = read("guild_list", Encoded(b'{"guilds":[]}'))
    served.executor.steps = 2
    async with served.official(token, era) as client:
        await client.call_tool("guild_list", {}, progress_callback=note)
    assert seen == [(1, 2, "step 1"), (2, 2, "step 2")]


async def test_progress_that_does_not_move_on_is_not_told(served: Served, token: str, era: str) -> None:
    """ "The progress value MUST increase with each notification." """
    seen: list[float] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        seen.append(progress)

    served.executor.outcomes["guild_list"] = read("guild_list", Encoded(b'{"guilds":[]}'))
    served.executor.progress = (3, 3, 2, 5, 5)
    async with served.official(token, era) as client:
        await client.call_tool("guild_list", {}, progress_callback=note)
    assert seen == [3, 5]


async def test_a_refusal_names_step_reason_and_remedy(served: Served, token: str, era: str) -> None:
    served.executor.outcomes["channel_delete"] = write("channel_delete", Status.REFUSED)
    async with served.official(token, era) as client:
        result = await client.call_tool("channel_delete", {"channel": "5"})
    assert result.is_error
    assert result.structured_content["step"] == NO.step.value
    assert text_of(result) == f"Refused at step {NO.step.value}: {NO.reason} {NO.remedy}"


async def test_an_unknown_tool_is_a_result_that_names_close_ones(served: Served, token: str, era: str) -> None:
    async with served.official(token, era) as client:
        result = await client.call_tool("send_message", {})
    assert result.is_error
    assert "message_send" in text_of(result)


async def test_a_fault_is_a_protocol_error_without_its_insides(served: Served, token: str, era: str) -> None:
    served.executor.outcomes["guild_list"] = RuntimeError("the password is hunter2")
    async with served.official(token, era) as client:
        with pytest.raises(MCPError) as fault:
            await client.call_tool("guild_list", {})
    assert fault.value.error.code == t.INTERNAL_ERROR
    assert "hunter2" not in str(fault.value)


async def test_arguments_that_are_no_object_are_invalid_params(served: Served, token: str, era: str) -> None:
    params: dict[str, Any] = {"name": "guild_list", "arguments": ["Demo"]}
    if era == MODERN:
        response_of = served.modern(token, "tools/call", params)
    else:
        body = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}
        response_of = served.web.post(served.url, headers=await served.session(token), json=body)
    async with response_of as response:
        assert (await response.json())["error"]["code"] == t.INVALID_PARAMS
    assert served.executor.calls == []


async def test_the_server_says_who_it_is_and_how_to_use_it(served: Served, token: str, era: str) -> None:
    # "auto" asks a 2026-07-28 server to describe itself; naming the version skips that.
    async with served.official(token, "legacy" if era == "legacy" else "auto") as client:
        assert client.protocol_version == ("2025-11-25" if era == "legacy" else MODERN)
        assert client.instructions == INSTRUCTIONS
        info, capabilities = client.server_info, client.server_capabilities
    assert info is not None
    assert capabilities is not None
    assert (info.name, info.title, info.version) == ("guildhall", "Guildhall", product_version())
    assert capabilities.tools is not None
    assert capabilities.tools.list_changed is True
    assert capabilities.resources is not None
    assert capabilities.resources.subscribe is True
    assert capabilities.prompts is capabilities.completions is None


async def test_a_read_only_client_is_offered_no_write(served: Served, era: str) -> None:
    _, token = await served.token(read_only=True)
    async with served.official(token, era) as client:
        tools = (await client.list_tools()).tools
    assert tools
    assert all(tool.annotations is not None and tool.annotations.read_only_hint for tool in tools)
