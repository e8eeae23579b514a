"""``/mcp token`` and ``/connect``: how a member's own MCP client reaches Guildhall."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from discord import app_commands

from cogs import texts
from cogs.card_text import block
from cogs.slash.answering import Answer, Interaction, answer, deferred
from cogs.slash.autocomplete import Autocompletes
from cogs.slash.by_hand import ByHand, command_by_hand, offered, option
from cogs.slash.faces import SlashFace
from cogs.slash.running import SlashRunner
from cogs.slash.synthesis import command_of
from operations.client_configurations import client_configurations, told
from operations.registry import Registry
from storage.outages import DatabaseUnavailable

Address = Callable[[], Awaitable[str | None]]
FACES = (
    SlashFace("create", "token_create"),
    SlashFace("list", "token_list"),
)


def mcp_group(registry: Registry, runner: SlashRunner, offers: Autocompletes) -> app_commands.Group:
    """``/mcp token create|list|renew|revoke``, for everybody's own tokens."""
    offers.add_operation("token", "token_list", rows="tokens", label=("name",), value="client")
    group = app_commands.Group(name="mcp", description=texts.MCP_GROUP)
    token = app_commands.Group(name="token", description=texts.TOKEN_GROUP, parent=group)
    for face in FACES:
        operation = registry.get(face.operation)
        if operation is None:
            raise ValueError(f"/mcp token {face.command}: there is no operation {face.operation}")
        token.add_command(command_of(face, operation, runner, offers, None))
    for name, operation_name, description in (
        ("renew", "token_renew", texts.TOKEN_RENEW_COMMAND),
        ("revoke", "token_revoke", texts.TOKEN_REVOKE_COMMAND),
    ):
        client = option("token", texts.TOKEN_OPTION, offered("token", offers))
        made = ByHand(name, operation_name, description, (client,), lambda given: {"client": given["token"]})
        token.add_command(command_by_hand(made, registry, runner))
    return group


def connect_command(address: Address) -> app_commands.Command[Any, ..., Any]:
    """``address``: where this instance serves MCP, without the path; None where it does not serve it over HTTP."""

    async def connect(interaction: Interaction) -> None:
        if await deferred(interaction):
            await answer(interaction, await said(address))

    return app_commands.Command(
        name="connect",
        description=texts.CONNECT_COMMAND,
        callback=connect,
    )


async def said(address: Address) -> Answer:
    """How to connect to that address, in words."""
    try:
        base = await address()
    except DatabaseUnavailable:
        return Answer(texts.CONNECT_LATER)
    if base is None:
        return Answer(texts.CONNECT_STDIO)
    url = f"{base.rstrip('/')}/mcp"
    configurations = client_configurations(url, texts.YOUR_TOKEN)
    parts = [
        texts.CONNECT.format(url=url, token=texts.YOUR_TOKEN),
        block(configurations[0].text, 700, "json"),
        texts.CONNECT_LOCAL if _is_local(base) else "",
        texts.CONNECT_FILE,
    ]
    return Answer("\n".join(part for part in parts if part), file=("clients.txt", told(configurations)))


def _is_local(base: str) -> bool:
    return base.startswith(("http://127.", "http://localhost", "http://[::1]"))
