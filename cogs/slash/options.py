"""Options of slash commands, made from the fields of an operation's input.

What an option gives is already the JSON value that the operation takes: ids of what was picked, seconds for ``10m``,
a list for what is separated by commas. The operation checks it all again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import discord
from discord import app_commands
from discord.enums import AppCommandOptionType as Kind

from cogs import texts
from cogs.card_text import words
from cogs.slash.answering import Interaction
from cogs.slash.autocomplete import MOST, Autocomplete, Autocompletes, Offer, choices
from cogs.slash.faces import SlashFace
from operations import durations
from operations.base import Operation
from operations.refs import RefField
from operations.schemas import input_schema

DESCRIPTION_LIMIT = 100
STRING_LIMIT = 6000
"""https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-structure"""
_SEPARATORS = re.compile(r"[,;\n]+")

Schema = Mapping[str, Any]


class BadValue(app_commands.AppCommandError):
    """What was written does not fit an option; the text is for whoever wrote it."""


class Option(app_commands.Transformer):
    """One option. ``convert`` makes of what Discord gives what the operation takes; raises BadValue."""

    def __init__(
        self,
        kind: Kind,
        convert: Callable[[Any], Any],
        *,
        picks: Sequence[str] = (),
        least: float | None = None,
        most: float | None = None,
        channels: Sequence[discord.ChannelType] = (),
    ) -> None:
        self._kind = kind
        self._convert = convert
        self._picks = picks
        self._least = least
        self._most = most
        self._channels = channels

    @property
    def type(self) -> Kind:
        return self._kind

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        return list(self._channels)

    @property
    def min_value(self) -> Any:
        return self._least

    @property
    def max_value(self) -> Any:
        return self._most

    @property
    def choices(self) -> list[app_commands.Choice[Any]] | None:
        return [app_commands.Choice(name=pick, value=pick) for pick in self._picks] or None

    async def transform(self, interaction: Interaction, value: Any, /) -> Any:
        return self._convert(value)


class OfferedOption(Option):
    """A text for which Discord offers what the member may see."""

    def __init__(self, convert: Callable[[Any], Any], offers: Autocomplete) -> None:
        super().__init__(Kind.string, convert)
        self._offers = offers

    async def autocomplete(self, interaction: Interaction, value: float | str, /) -> list[Any]:
        return list(await self._offers(interaction, str(value)))


@dataclass(frozen=True, slots=True)
class Field:
    """An option of a command. ``name``: as people see it. ``field``: of the input."""

    name: str
    field: str
    description: str
    required: bool
    option: Option


def fields(operation: Operation, face: SlashFace, offers: Autocompletes) -> list[Field]:
    """The options for an input, the required ones first. Raises ValueError for a field that can be none."""
    schema = input_schema(operation.Input, more={})
    required = (set(schema.get("required", ())) - ({"channel"} if face.here else set())) | face.needs
    # The described schema leaves out bounds that hardly anybody meets; what Discord checks should be exact.
    exact = operation.Input.model_json_schema().get("properties", {})
    left_out = face.without | {"guild", "cursor"}
    if "message" in schema.get("required", ()):
        # A message's link names its channel; a bare id means the channel of the command.
        left_out |= {"channel"}
    found: list[Field] = []
    for field, part in schema["properties"].items():
        if field in left_out:
            continue
        ref, bounds = operation.refs.get(field), _bounds(exact.get(field, {}))
        is_time = ref is None and field.endswith("_seconds") and part.get("type") == "integer"
        option = _length_of_time(bounds) if is_time else _option(operation, field, part, ref, bounds, offers)
        name = face.named.get(field) or (field.removesuffix("_seconds") if is_time else field)
        described = part.get("description") or _described(name, ref)
        if is_time:
            described = texts.LENGTH_OF_TIME.format(description=described)
        elif part.get("type") == "array":
            described = texts.LISTED.format(description=described)
        found.append(Field(name, field, cut(described), field in required, option))
    return sorted(found, key=lambda field: not field.required)


def cut(text: str) -> str:
    """A description as long as Discord takes it, without the marks of code."""
    text = " ".join(text.replace("`", "").split())
    return text if len(text) <= DESCRIPTION_LIMIT else text[: DESCRIPTION_LIMIT - 1] + "…"


def _described(name: str, ref: RefField | None) -> str:
    if ref is not None and ref.kind == "message":
        return "Its link (Copy Message Link), or its id in this channel."
    return texts.OPTIONS.get(name) or name.replace("_", " ").capitalize() + "."


def _bounds(part: Schema) -> Schema:
    """The alternative of a field that isn't null."""
    for each in part.get("anyOf", ()):
        if each.get("type") != "null":
            return cast("Schema", each)
    return part


def _option(
    operation: Operation, field: str, part: Schema, ref: RefField | None, bounds: Schema, offers: Autocompletes
) -> Option:
    if ref is not None and not ref.many:
        return of_ref(ref.kind, offers)
    match part.get("type"):
        case "boolean":
            return Option(Kind.boolean, bool)
        case "integer" | "number" if "enum" not in part:
            kind = Kind.integer if part["type"] == "integer" else Kind.number
            return Option(kind, _same, least=bounds.get("minimum"), most=bounds.get("maximum"))
        case "array" if ref is not None or part.get("items", {}).get("type") == "string":
            return _list(part.get("items", {}))
        case "string" if part.get("format") == "date-time":
            pass
        case "string" | "integer" | "number":
            return _text(part, bounds)
        case _:
            pass
    raise ValueError(f"{operation.name}: {field} can be no option; leave it out of its face")


def of_ref(kind: str, offers: Autocompletes) -> Option:
    """An option that names an object: with Discord's own picker where there is one."""
    match kind:
        case "channel":
            return Option(Kind.channel, _id)
        case "category":
            return Option(Kind.channel, _id, channels=(discord.ChannelType.category,))
        case "role":
            return Option(Kind.role, _id)
        case "member" | "user" | "person":
            return Option(Kind.user, _id)
        case "mentionable":
            return Option(Kind.mentionable, _id)
        case _ if offers.has(kind):
            return OfferedOption(_same, offers.of(kind))
        case _:
            return Option(Kind.string, _same, most=200)


def _text(part: Schema, bounds: Schema) -> Option:
    picks = [str(pick) for pick in part.get("enum", ())]
    is_number = part["type"] != "string"
    convert = int if is_number else _same
    if not picks:
        most = min(int(bounds.get("maxLength", STRING_LIMIT)), STRING_LIMIT)
        return Option(Kind.string, convert, least=bounds.get("minLength"), most=most)
    if len(picks) <= MOST:
        return Option(Kind.string, convert, picks=picks)
    return OfferedOption(convert, _of_words(picks))


def _list(items: Schema) -> Option:
    """A text of several, with commas between them."""
    picks = [str(pick) for pick in items.get("enum", ())]
    return OfferedOption(_split, _of_last_word(picks)) if picks else Option(Kind.string, _split, most=STRING_LIMIT)


def _of_words(picks: Sequence[str]) -> Autocomplete:
    async def offers(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return choices([Offer(pick, pick) for pick in picks], current)

    return offers


def _of_last_word(picks: Sequence[str]) -> Autocomplete:
    """Offers for what is written after the last comma, each with all that stands before it."""

    async def offers(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        before, comma, last = current.rpartition(",")
        have = set(_split(before))
        found = choices([Offer(pick, pick) for pick in picks if pick not in have], last)
        start = f"{before.strip()}{comma} " if comma else ""
        whole = [f"{start}{choice.value}" for choice in found]
        return [app_commands.Choice(name=text, value=text) for text in whole if len(text) <= DESCRIPTION_LIMIT]

    return offers


def _length_of_time(bounds: Schema) -> Option:
    return length_of_time(bounds.get("minimum"), bounds.get("maximum"))


def length_of_time(least: int | None, most: int | None) -> Option:
    """``10m``, ``2h``, ``7d`` as seconds within these bounds."""

    def convert(value: str) -> int:
        seconds = durations.parsed(value)
        if seconds is not None and (least is None or seconds >= least) and (most is None or seconds <= most):
            return seconds
        first = durations.spoken(least or 0)
        said = texts.AT_LEAST.format(least=first)
        if most is not None:
            said = texts.BETWEEN.format(least=first, most=durations.spoken(most))
        raise BadValue(texts.BAD_DURATION.format(value=words(value, 40), bounds=said))

    return Option(Kind.string, convert, most=40)


def _split(value: str) -> list[str]:
    return [part.strip() for part in _SEPARATORS.split(value) if part.strip()]


def _id(value: Any) -> str:
    return str(value.id)


def _same(value: Any) -> Any:
    return value
