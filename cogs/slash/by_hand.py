"""Commands whose options are not the fields of one operation: each says what it makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from discord import app_commands
from discord.enums import AppCommandOptionType

from cogs.slash.answering import Interaction
from cogs.slash.autocomplete import Autocompletes
from cogs.slash.options import Field, OfferedOption, Option, cut
from cogs.slash.running import SlashRunner
from cogs.slash.synthesis import sign
from operations.registry import Registry
from policy.model import Kind

Given = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ByHand:
    """``arguments``: the operation's, from the options that were given. May raise BadValue."""

    name: str
    operation: str
    description: str
    options: tuple[Field, ...]
    arguments: Callable[[Given], Given] = dict


def command_by_hand(made: ByHand, registry: Registry, runner: SlashRunner) -> app_commands.Command[Any, ..., Any]:
    """Raises ValueError for an operation that is not in the catalogue."""
    operation = registry.get(made.operation)
    if operation is None:
        raise ValueError(f"/{made.name}: there is no operation {made.operation}")

    async def callback(interaction: Interaction, **given: Any) -> None:
        reason, preview = given.pop("reason", None), bool(given.pop("preview", False))
        arguments = made.arguments({name: value for name, value in given.items() if value is not None})
        await runner.run(interaction, made.operation, arguments, reason=reason, preview=preview)

    sign(callback, sorted(made.options, key=lambda option: not option.required), is_write=operation.kind is Kind.WRITE)
    return app_commands.Command(
        name=made.name,
        description=cut(made.description),
        callback=callback,
        extras={"operation": made.operation},
    )


def option(name: str, description: str, kind: Option, *, required: bool = True) -> Field:
    return Field(name, name, cut(description), required, kind)


def pick(picks: Sequence[str]) -> Option:
    """One of a few words."""
    return Option(AppCommandOptionType.string, str, picks=picks)


def written(most: int) -> Option:
    """A text of at most so many characters."""
    return Option(AppCommandOptionType.string, str, most=most)


def offered(kind: str, offers: Autocompletes) -> Option:
    """A text for which Discord offers what there is. Raises KeyError for a kind without offers."""
    return OfferedOption(str, offers.of(kind))
