"""Slash commands made from operations: names, types, descriptions and bounds come from the input, and what Discord
hides from whom from the declared permissions. Rights are decided at each call all the same.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import discord
from discord import app_commands
from discord.enums import AppCommandOptionType

from cogs import texts
from cogs.slash.answering import Interaction
from cogs.slash.autocomplete import Autocompletes
from cogs.slash.faces import SlashFace
from cogs.slash.options import Field, Option, cut, fields
from cogs.slash.running import SlashRunner
from operations.base import Operation
from operations.registry import Registry
from policy.model import Kind
from policy.permissions import bits

# What everybody has, as a rule: nothing to hide a command by. Who lacks it is refused when he uses it.
EVERYDAY = bits(
    "view_channel",
    "send_messages",
    "read_message_history",
    "add_reactions",
    "create_public_threads",
    "create_instant_invite",
    "change_nickname",
)
REASON_LIMIT = 400

AnyCommand = app_commands.Command[Any, ..., Any] | app_commands.Group


def commands_of(
    faces: Iterable[SlashFace],
    groups: Mapping[str, str],
    registry: Registry,
    runner: SlashRunner,
    offers: Autocompletes,
) -> list[AnyCommand]:
    """The commands of these faces; those whose name has two words stand in a group.

    Raises ValueError for an operation that is not in the catalogue, or that cannot be a command.
    """
    alone: list[AnyCommand] = []
    grouped: dict[str, list[tuple[SlashFace, Operation]]] = {}
    for face in faces:
        operation = registry.get(face.operation)
        if operation is None:
            raise ValueError(f"/{face.command}: there is no operation {face.operation}")
        group, _, _ = face.command.rpartition(" ")
        if group:
            grouped.setdefault(group, []).append((face, operation))
        else:
            alone.append(command_of(face, operation, runner, offers, visible_to((operation,))))
    for name, members in grouped.items():
        group = app_commands.Group(
            name=name,
            description=groups[name],
            default_permissions=visible_to(operation for _, operation in members),
        )
        for face, operation in members:
            group.add_command(command_of(face, operation, runner, offers, None))
        alone.append(group)
    return alone


def visible_to(operations: Iterable[Operation]) -> discord.Permissions | None:
    """Whom Discord shows a command: those with the rights that all of its writes ask for (of a read alone, its own).
    None: everybody.
    """
    listed = list(operations)
    writes = [operation for operation in listed if operation.kind is not Kind.READ] or listed
    common = ~0
    for operation in writes:
        common &= bits(*operation.actor_permissions)
    common &= ~EVERYDAY
    return discord.Permissions(common) if common > 0 else None


def command_of(
    face: SlashFace,
    operation: Operation,
    runner: SlashRunner,
    offers: Autocompletes,
    permissions: discord.Permissions | None,
) -> app_commands.Command[Any, ..., Any]:
    """The command of one face. Raises ValueError for an operation that cannot be one."""
    options = fields(operation, face, offers)
    is_write = operation.kind is Kind.WRITE
    by_name = {option.name: option.field for option in options}

    async def callback(interaction: Interaction, **given: Any) -> None:
        reason, preview = given.pop("reason", None), bool(given.pop("preview", False))
        arguments = {by_name[name]: value for name, value in given.items() if value is not None}
        if _means_here(operation, arguments, here=face.here):
            arguments["channel"] = str(interaction.channel_id)
        await runner.run(interaction, operation.name, arguments, reason=reason, preview=preview)

    sign(callback, options, is_write=is_write)
    command: app_commands.Command[Any, ..., Any] = app_commands.Command(
        name=face.command.rpartition(" ")[2],
        description=cut(face.description or described(operation)),
        callback=callback,
        extras={"operation": operation.name},
    )
    if permissions is not None:
        command.default_permissions = permissions
    return command


def _means_here(operation: Operation, arguments: Mapping[str, Any], *, here: bool) -> bool:
    """Whether the channel of the command is meant: of a message by its bare id, or where nothing else is named."""
    if "channel" in arguments or "channel" not in operation.Input.model_fields:
        return False
    message = arguments.get("message", arguments.get("reply_to"))
    return str(message).isdigit() if message is not None else here


def described(operation: Operation) -> str:
    """Its first sentence."""
    first, dot, _ = operation.description.partition(". ")
    return first + (dot.strip() or "")


def sign(callback: Any, options: list[Field], *, is_write: bool) -> None:
    """Gives the callback the signature from which discord.py makes the command's options."""
    either = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter("interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    described = {option.name: option.description for option in options}
    for option in options:
        default = inspect.Parameter.empty if option.required else None
        parameters.append(inspect.Parameter(option.name, either, default=default, annotation=option.option))
    if is_write:
        described |= {"reason": texts.REASON_OPTION, "preview": texts.PREVIEW_OPTION}
        reason = Option(AppCommandOptionType.string, str, most=REASON_LIMIT)
        preview = Option(AppCommandOptionType.boolean, bool)
        parameters.append(inspect.Parameter("reason", either, default=None, annotation=reason))
        parameters.append(inspect.Parameter("preview", either, default=None, annotation=preview))
    callback.__signature__ = inspect.Signature(parameters)
    app_commands.describe(**described)(callback)
