"""The MCP server object, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mcp.types as t
from mcp.server import Server
from mcp.server.caching import CacheHint
from mcp.server.lowlevel import NotificationOptions
from mcp.server.models import InitializationOptions

from mcp_server import request_state
from mcp_server.confirmations import Confirmations
from mcp_server.identities import Identities
from mcp_server.instructions import INSTRUCTIONS
from mcp_server.listing import ListTools, ToolListing
from mcp_server.plan_resource import PlanResource
from mcp_server.product import NAME, TITLE, product_version
from mcp_server.resources import Resources
from mcp_server.results import ResultEncoder
from mcp_server.subscriptions import Subscriptions
from mcp_server.tool_calls import ToolCalls
from mcp_server.tools import ToolCatalogue
from mcp_server.transports import HotPath, ReadyPath
from operations.base import Executor
from operations.plans import Plans
from operations.registry import Registry
from storage.crypto import Keyring
from storage.facts import PlatformFacts

_LIST_TTL_MS = 60_000
"""How long a 2026-07-28 client may keep a list of tools; one that doesn't listen hears nothing of changes."""
_TEMPLATES_TTL_MS = 3_600_000
"""They are the same for everybody, until another version runs."""


class GuildhallServer(Server[dict[str, Any]]):
    """The SDK's server, that says it tells of changes to its list of tools."""

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        options = notification_options or NotificationOptions(tools_changed=True)
        return super().create_initialization_options(options, experimental_capabilities, extensions)


@dataclass(frozen=True, slots=True)
class MCPFace:
    """An MCP server over the operations, for whichever transport. The paths are for those that take them."""

    server: Server[dict[str, Any]]
    hot_path: HotPath
    ready_path: ReadyPath
    listing: ToolListing
    subscriptions: Subscriptions


def mcp_face(
    registry: Registry,
    executor: Executor,
    identities: Identities,
    facts: PlatformFacts,
    plans: Plans,
    keyring: Keyring,
    *,
    catalogue: ToolCatalogue | None = None,
) -> MCPFace:
    """``keyring``: the instance's, so that each of its processes takes up what another one has asked.

    ``catalogue``: the registry's tools, where several faces share them; making them takes about 2 ms each.
    """
    catalogue = catalogue or ToolCatalogue(registry)
    listing = ToolListing(registry, catalogue)
    list_tools = ListTools(listing, identities, facts)
    info = t.Implementation(name=NAME, title=TITLE, version=product_version())
    encoder = ResultEncoder(info.model_dump(by_alias=True, mode="json", exclude_none=True))
    calls = ToolCalls(executor, identities, encoder, Confirmations(plans, identities))
    resources = Resources((PlanResource(plans),), executor, identities)
    subscriptions = Subscriptions(resources, identities, list_tools, facts)
    server = GuildhallServer(
        info.name,
        version=info.version,
        title=info.title,
        instructions=INSTRUCTIONS,
        cache_hints={
            "tools/list": CacheHint(ttl_ms=_LIST_TTL_MS, scope="private"),
            "resources/list": CacheHint(ttl_ms=_TEMPLATES_TTL_MS, scope="public"),
            "resources/templates/list": CacheHint(ttl_ms=_TEMPLATES_TTL_MS, scope="public"),
        },
        lifespan=subscriptions.lifespan,
        get_tool_input_schema=catalogue.input_schema,
        on_list_tools=list_tools.handle,
        on_call_tool=calls.handle,
        on_list_resources=resources.list,
        on_list_resource_templates=resources.templates,
        on_read_resource=resources.read,
        on_subscribe_resource=subscriptions.subscribe,
        on_unsubscribe_resource=subscriptions.unsubscribe,
        on_subscriptions_listen=subscriptions.listen,
    )
    server.middleware.append(request_state.boundary(keyring, identities))
    server.middleware.append(list_tools.remember)
    return MCPFace(server, calls.hot_path, calls.ready_path, listing, subscriptions)
