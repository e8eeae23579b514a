"""Tools that the conformance suite asks for by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import mcp.types as t
import orjson
from mcp.server.subscriptions import PromptsListChanged, SubscriptionBus, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata

from tests.conformance.fixture_content import WAV, Context, form, form_of, image, resource, text

Answer = t.CallToolResult | t.InputRequiredResult
Handler = Callable[[Context, t.CallToolRequestParams], Awaitable[Answer]]

_ADDRESS = {
    "$anchor": "addressDef",
    "type": "object",
    "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
}
SCHEMA_2020_12: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {"address": _ADDRESS},
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def says(content: str) -> t.CallToolResult:
    return t.CallToolResult(content=[text(content)])


def related(ctx: Context) -> ServerMessageMetadata:
    return ServerMessageMetadata(related_request_id=ctx.request_id)


def fixed(*content: t.ContentBlock) -> Handler:
    async def answer(ctx: Context, params: t.CallToolRequestParams) -> Answer:
        return t.CallToolResult(content=list(content))

    return answer


async def fail(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    return t.CallToolResult(content=[text("This tool intentionally returns an error for testing")], is_error=True)


async def log(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    opted_in = ctx.protocol_version < "2026-07-28" or t.LOG_LEVEL_META_KEY in (ctx.meta or {})
    for line in ("Tool execution started", "Tool processing data", "Tool execution completed") if opted_in else ():
        await ctx.session.send_notification(
            t.LoggingMessageNotification(params=t.LoggingMessageNotificationParams(level="info", data=line)),
            related_request_id=ctx.request_id,
        )
    return says("Tool with logging executed successfully")


async def progress(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    for done in (0, 50, 100):
        await ctx.session.report_progress(done, 100, f"Completed step {done} of 100")
    return says("Tool with progress executed successfully")


def sampling(prompt: str, max_tokens: int = 100) -> t.CreateMessageRequest:
    return t.CreateMessageRequest(
        params=t.CreateMessageRequestParams(
            messages=[t.SamplingMessage(role="user", content=text(prompt))], max_tokens=max_tokens
        )
    )


def said(result: object) -> str:
    content = getattr(result, "content", None)
    return content.text if isinstance(content, t.TextContent) else "nothing"


async def sample(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    if ctx.session.client_capabilities is None or ctx.session.client_capabilities.sampling is None:
        return t.CallToolResult(content=[text("The client declares no sampling capability")], is_error=True)
    request = sampling(str((params.arguments or {}).get("prompt", "")))
    result = await ctx.session.send_request(request, t.CreateMessageResult, metadata=related(ctx))
    return says(f"LLM response: {said(result)}")


def elicits(request: Callable[[dict[str, Any]], t.ElicitRequest], opening: str) -> Handler:
    async def answer(ctx: Context, params: t.CallToolRequestParams) -> Answer:
        result = await ctx.session.send_request(request(params.arguments or {}), t.ElicitResult, metadata=related(ctx))
        return says(f"{opening}: action={result.action}, content={orjson.dumps(result.content or {}).decode()}")

    return answer


def user_form(arguments: dict[str, Any]) -> t.ElicitRequest:
    fields = {
        "username": {"type": "string", "description": "User's response"},
        "email": {"type": "string", "description": "User's email address"},
    }
    return form_of(str(arguments.get("message", "")), fields, ["username", "email"])


def defaults_form(_: dict[str, Any]) -> t.ElicitRequest:
    return form_of(
        "Please review the defaults",
        {
            "name": {"type": "string", "default": "John Doe"},
            "age": {"type": "integer", "default": 30},
            "score": {"type": "number", "default": 95.5},
            "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
            "verified": {"type": "boolean", "default": True},
        },
    )


def enums_form(_: dict[str, Any]) -> t.ElicitRequest:
    def titled(*pairs: tuple[str, str]) -> list[dict[str, str]]:
        return [{"const": const, "title": title} for const, title in pairs]

    options = ["option1", "option2", "option3"]
    choices = titled(("value1", "First Option"), ("value2", "Second Option"), ("value3", "Third Option"))
    return form_of(
        "Please choose",
        {
            "untitledSingle": {"type": "string", "enum": options},
            "titledSingle": {"type": "string", "oneOf": choices},
            "legacyEnum": {
                "type": "string",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            },
            "untitledMulti": {"type": "array", "items": {"type": "string", "enum": options}},
            "titledMulti": {"type": "array", "items": {"anyOf": choices}},
        },
    )


def asks(requests: t.InputRequests, then: str, state: str | None = None) -> Handler:
    """Answer `input_required` until every request has its response, and the state came back where one was given."""

    async def answer(ctx: Context, params: t.CallToolRequestParams) -> Answer:
        given = params.input_responses or {}
        wanted = {key: ask for key, ask in requests.items() if not _answers(ask, given.get(key))}
        if wanted or (state is not None and params.request_state != state):
            return t.InputRequiredResult(input_requests=wanted or requests, request_state=state)
        return says(f"{then}: {orjson.dumps({key: str(value) for key, value in given.items()}).decode()}")

    return answer


def _answers(request: t.InputRequest, response: t.InputResponse | None) -> bool:
    match request:
        case t.ElicitRequest():
            return isinstance(response, t.ElicitResult) and bool(response.content)
        case t.ListRootsRequest():
            return isinstance(response, t.ListRootsResult)
        case t.CreateMessageRequest():
            return isinstance(response, t.CreateMessageResult | t.CreateMessageResultWithTools)


async def rounds(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    given = params.input_responses or {}
    if params.request_state == "round-2" and "step2" in given:
        return says("Both steps are done")
    if params.request_state == "round-1" and "step1" in given:
        return t.InputRequiredResult(
            input_requests={"step2": form("Step 2: What is your favorite color?", "color")}, request_state="round-2"
        )
    return t.InputRequiredResult(
        input_requests={"step1": form("Step 1: What is your name?", "name")}, request_state="round-1"
    )


async def ask_by_capability(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    declared = ctx.session.client_capabilities or t.ClientCapabilities()
    requests: t.InputRequests = {}
    if declared.sampling is not None:
        requests["sampled"] = sampling("Say hello")
    if declared.elicitation is not None:
        requests["elicited"] = form("What is your name?", "name")
    return t.InputRequiredResult(input_requests=requests) if requests else says("Nothing to ask with")


async def need_sampling(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    declared = ctx.session.client_capabilities
    if declared is None or declared.sampling is None:
        raise MCPError(
            t.MISSING_REQUIRED_CLIENT_CAPABILITY,
            "This tool needs the sampling capability",
            {"requiredCapabilities": {"sampling": {}}},
        )
    return says("Sampling is there")


def publishes(bus: SubscriptionBus, event: ToolsListChanged | PromptsListChanged) -> Handler:
    async def answer(ctx: Context, params: t.CallToolRequestParams) -> Answer:
        await bus.publish(event)
        return says("Published")

    return answer


def handlers(bus: SubscriptionBus) -> dict[str, Handler]:
    name = form("What is your name?", "name")
    confirm = form("Please confirm", "ok", "boolean")
    return {
        "test_simple_text": fixed(text("This is a simple text response for testing.")),
        "test_image_content": fixed(image()),
        "test_audio_content": fixed(t.AudioContent(type="audio", data=WAV, mime_type="audio/wav")),
        "test_embedded_resource": fixed(resource("test://embedded-resource", "This is an embedded resource content.")),
        "test_multiple_content_types": fixed(
            text("Multiple content types test:"),
            image(),
            resource("test://mixed-content-resource", '{"test":"data","value":123}', "application/json"),
        ),
        "test_error_handling": fail,
        "test_tool_with_logging": log,
        "test_logging_tool": log,
        "test_tool_with_progress": progress,
        "test_sampling": sample,
        "test_elicitation": elicits(user_form, "User response"),
        "test_elicitation_sep1034_defaults": elicits(defaults_form, "Elicitation completed"),
        "test_elicitation_sep1330_enums": elicits(enums_form, "Elicitation completed"),
        "json_schema_2020_12_tool": fixed(text("Valid")),
        "test_x_mcp_header": fixed(text("The header matches")),
        "test_missing_capability": need_sampling,
        "test_streaming_elicitation": asks({"user_name": name}, "Hello"),
        "test_trigger_tool_change": publishes(bus, ToolsListChanged()),
        "test_trigger_prompt_change": publishes(bus, PromptsListChanged()),
        "test_input_required_result_elicitation": asks({"user_name": name}, "Hello"),
        "test_input_required_result_sampling": asks(
            {"capital_question": sampling("What is the capital of France?")}, "It is"
        ),
        "test_input_required_result_list_roots": asks({"client_roots": t.ListRootsRequest()}, "Roots"),
        "test_input_required_result_request_state": asks({"confirm": confirm}, "state-ok", "opaque"),
        "test_input_required_result_tampered_state": asks({"confirm": confirm}, "state-ok", "sealed"),
        "test_input_required_result_multiple_inputs": asks(
            {
                "user_name": name,
                "greeting": sampling("Generate a greeting", 50),
                "client_roots": t.ListRootsRequest(),
            },
            "All of it",
            "opaque",
        ),
        "test_input_required_result_multi_round": rounds,
        "test_input_required_result_capabilities": ask_by_capability,
    }


def schema_of(name: str) -> dict[str, Any]:
    def needs(**properties: dict[str, Any]) -> dict[str, Any]:
        return {"type": "object", "properties": properties, "required": list(properties)}

    match name:
        case "json_schema_2020_12_tool":
            return SCHEMA_2020_12
        case "test_x_mcp_header":
            return needs(region={"type": "string", "x-mcp-header": "Region"})
        case "test_sampling":
            return needs(prompt={"type": "string"})
        case "test_elicitation":
            return needs(message={"type": "string"})
        case _:
            return {"type": "object", "properties": {}}
