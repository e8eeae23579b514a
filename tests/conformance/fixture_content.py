"""Resources, prompts and completions that the conformance suite asks for."""

from __future__ import annotations

from typing import Any

import mcp.types as t
from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError

Context = ServerRequestContext[Any, Any]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="

_TEMPLATE = "test://template/{id}/data"


def text(content: str) -> t.TextContent:
    return t.TextContent(type="text", text=content)


def resource(uri: str, content: str, mime_type: str = "text/plain") -> t.EmbeddedResource:
    return t.EmbeddedResource(
        type="resource", resource=t.TextResourceContents(uri=uri, mime_type=mime_type, text=content)
    )


def image() -> t.ImageContent:
    return t.ImageContent(type="image", data=PNG, mime_type="image/png")


async def list_resources(ctx: Context, params: t.PaginatedRequestParams | None) -> t.ListResourcesResult:
    return t.ListResourcesResult(
        resources=[
            t.Resource(uri="test://static-text", name="static-text", description="Text", mime_type="text/plain"),
            t.Resource(uri="test://static-binary", name="static-binary", description="A PNG", mime_type="image/png"),
            t.Resource(uri="test://watched-resource", name="watched", description="Watched", mime_type="text/plain"),
        ]
    )


async def list_templates(ctx: Context, params: t.PaginatedRequestParams | None) -> t.ListResourceTemplatesResult:
    return t.ListResourceTemplatesResult(
        resource_templates=[
            t.ResourceTemplate(
                uri_template=_TEMPLATE, name="template", description="One parameter", mime_type="application/json"
            )
        ]
    )


async def read_resource(ctx: Context, params: t.ReadResourceRequestParams) -> t.ReadResourceResult:
    uri = str(params.uri)
    head, tail = _TEMPLATE.split("{id}")
    content: t.TextResourceContents | t.BlobResourceContents
    if uri == "test://static-text":
        content = t.TextResourceContents(
            uri=uri, mime_type="text/plain", text="This is the content of the static text resource."
        )
    elif uri == "test://static-binary":
        content = t.BlobResourceContents(uri=uri, mime_type="image/png", blob=PNG)
    elif uri == "test://watched-resource":
        content = t.TextResourceContents(uri=uri, mime_type="text/plain", text="Watched")
    elif uri.startswith(head) and uri.endswith(tail):
        name = uri[len(head) : -len(tail)]
        body = f'{{"id":"{name}","templateTest":true,"data":"Data for ID: {name}"}}'
        content = t.TextResourceContents(uri=uri, mime_type="application/json", text=body)
    else:
        raise MCPError(t.INVALID_PARAMS, "Resource not found", {"uri": uri})
    return t.ReadResourceResult(contents=[content])


async def accept_subscription(ctx: Context, params: t.SubscribeRequestParams) -> t.EmptyResult:
    return t.EmptyResult()


async def drop_subscription(ctx: Context, params: t.UnsubscribeRequestParams) -> t.EmptyResult:
    return t.EmptyResult()


async def list_prompts(ctx: Context, params: t.PaginatedRequestParams | None) -> t.ListPromptsResult:
    def argument(name: str) -> t.PromptArgument:
        return t.PromptArgument(name=name, description=name, required=True)

    return t.ListPromptsResult(
        prompts=[
            t.Prompt(name="test_simple_prompt", description="No arguments"),
            t.Prompt(
                name="test_prompt_with_arguments",
                description="Two arguments",
                arguments=[argument("arg1"), argument("arg2")],
            ),
            t.Prompt(
                name="test_prompt_with_embedded_resource",
                description="Embeds a resource",
                arguments=[argument("resourceUri")],
            ),
            t.Prompt(name="test_prompt_with_image", description="Holds an image"),
            t.Prompt(name="test_input_required_result_prompt", description="Asks before it answers"),
        ]
    )


async def get_prompt(ctx: Context, params: t.GetPromptRequestParams) -> t.GetPromptResult | t.InputRequiredResult:
    given = params.arguments or {}
    contents: list[t.ContentBlock]
    match params.name:
        case "test_simple_prompt":
            contents = [text("This is a simple prompt for testing.")]
        case "test_prompt_with_arguments":
            contents = [text(f"Prompt with arguments: arg1='{given.get('arg1')}', arg2='{given.get('arg2')}'")]
        case "test_prompt_with_embedded_resource":
            contents = [
                resource(given.get("resourceUri", ""), "Embedded resource content for testing."),
                text("Please process the embedded resource above."),
            ]
        case "test_prompt_with_image":
            contents = [image(), text("Please analyze the image above.")]
        case "test_input_required_result_prompt":
            answer = (params.input_responses or {}).get("user_context")
            if not isinstance(answer, t.ElicitResult):
                return t.InputRequiredResult(
                    input_requests={"user_context": form("What context should the prompt use?", "context")}
                )
            contents = [text(f"Context: {(answer.content or {}).get('context')}")]
        case unknown:
            raise MCPError(t.INVALID_PARAMS, f"Unknown prompt: {unknown}")
    return t.GetPromptResult(messages=[t.PromptMessage(role="user", content=content) for content in contents])


async def complete(ctx: Context, params: t.CompleteRequestParams) -> t.CompleteResult:
    values = [city for city in ("paris", "park", "party") if city.startswith(params.argument.value)]
    return t.CompleteResult(completion=t.Completion(values=values, total=len(values), has_more=False))


def form(message: str, field: str, kind: str = "string") -> t.ElicitRequest:
    """A form elicitation with one required field."""
    return form_of(message, {field: {"type": kind}}, [field])


def form_of(message: str, properties: dict[str, Any], required: list[str] | None = None) -> t.ElicitRequest:
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    return t.ElicitRequest(params=t.ElicitRequestFormParams(message=message, requested_schema=schema))
