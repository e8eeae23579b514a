"""Modals with labels, found by their signed custom id alone: their answers hold over a restart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import discord

from cogs import texts
from cogs.slash.answering import Interaction, say
from operations.failures import DISCORD_FAILED

TITLE_LIMIT = 45
LABEL_LIMIT = 45
WHY_LIMIT = 100
"""https://discord.com/developers/docs/components/reference#label"""


@dataclass(frozen=True, slots=True)
class Question:
    """A text that a modal asks for. ``name``: by which it is found in the answer. ``filled``: what stands there."""

    name: str
    label: str
    why: str
    most: int
    required: bool = True
    long: bool = True
    filled: str = ""


async def ask(interaction: Interaction, title: str, custom_id: str, *questions: Question) -> None:
    """Opens a modal, which has to be the first answer to an interaction."""
    modal = discord.ui.Modal(title=title[:TITLE_LIMIT], custom_id=custom_id, timeout=None)
    for question in questions:
        text = discord.ui.TextInput[Any](
            custom_id=question.name,
            style=discord.TextStyle.long if question.long else discord.TextStyle.short,
            required=question.required,
            default=question.filled or None,
            max_length=question.most,
        )
        modal.add_item(
            discord.ui.Label(text=question.label[:LABEL_LIMIT], description=question.why[:WHY_LIMIT], component=text)
        )
    # discord.py need not remember it.
    modal.stop()
    try:
        await interaction.response.send_modal(modal)
    except DISCORD_FAILED:
        await say(interaction, texts.TOO_LATE)


def answered(interaction: Interaction) -> dict[str, str]:
    """What was written, by the names of the questions; what was left empty is left out."""
    fields = _fields(cast("Mapping[str, Any]", interaction.data or {}))
    return {name: value for name, value in fields if value}


def is_sent(interaction: Interaction) -> bool:
    """Whether it is the answer to a modal, and not the press that opens one."""
    return interaction.type is discord.InteractionType.modal_submit


def _fields(component: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-modal-submit-data-structure"""
    if "value" in component and "custom_id" in component:
        yield str(component["custom_id"]), str(component["value"] or "").strip()
    inner = component.get("component")
    for child in [*component.get("components", ()), *([inner] if inner is not None else [])]:
        if isinstance(child, Mapping):
            yield from _fields(cast("Mapping[str, Any]", child))
