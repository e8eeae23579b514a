"""What is kept, of whom, and how it is forgotten: /privacy, /my-data, /forget-me, /export-guild."""

from __future__ import annotations

import base64
import json
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs import texts
from cogs.slash.answering import Answer, Interaction, answer, deferred, row
from cogs.slash.button_ids import ButtonId, ButtonIds
from cogs.slash.buttons import SlashButtonsCog
from cogs.slash.running import SlashRunner
from operations.base import Outcome, Status
from operations.outcomes import plain
from operations.platform.privacy import STAYS

FORGET = "forget"
PRIVACY, MY_DATA, FORGET_ME, EXPORT = "privacy_get", "my_data_get", "data_forget", "guild_export"
DESCRIPTION_LIMIT = 4096
"""https://discord.com/developers/docs/resources/message#embed-object-embed-limits"""


class PrivacyCog(commands.Cog, name="Privacy"):
    def __init__(self, runner: SlashRunner, ids: ButtonIds, buttons: SlashButtonsCog) -> None:
        self._runner = runner
        self._ids = ids
        buttons.on(FORGET, self.forget)

    @app_commands.command(
        description="What Guildhall keeps, how long, and what leaves it.", extras={"operation": PRIVACY}
    )
    @app_commands.guild_only()
    async def privacy(self, interaction: Interaction) -> None:
        await self._answered(interaction, PRIVACY, _told)

    @app_commands.command(
        name="my-data",
        description="Everything that Guildhall keeps of you here, as a file.",
        extras={"operation": MY_DATA},
    )
    @app_commands.guild_only()
    async def my_data(self, interaction: Interaction) -> None:
        await self._answered(interaction, MY_DATA, _data)

    @app_commands.command(
        name="forget-me", description="Erase what Guildhall keeps of you here.", extras={"operation": FORGET_ME}
    )
    @app_commands.guild_only()
    async def forget_me(self, interaction: Interaction) -> None:
        """Shows what would go and what stays, with one button."""
        if not await deferred(interaction):
            return
        outcome = await self._runner.outcome(interaction, FORGET_ME, {}, preview=True)
        if outcome is None:
            return
        said = await self._runner.said(interaction, outcome)
        if outcome.status is Status.PREVIEW and outcome.plan is None:
            lines = [texts.FORGET_ASKED, *(f"- {stays}" for stays in STAYS), texts.FORGET_PRESS]
            said = Answer("\n".join(lines), buttons=self._button(interaction))
        await answer(interaction, said)

    @app_commands.command(
        name="export-guild",
        description="Guildhall's policy, cases and audit of this guild, as a file.",
        extras={"operation": EXPORT},
    )
    @app_commands.guild_only()
    @app_commands.default_permissions(administrator=True)
    async def export_guild(self, interaction: Interaction) -> None:
        await self._answered(interaction, EXPORT, _export)

    async def forget(self, interaction: Interaction, found: ButtonId) -> None:
        """The press of the button: what was shown is replaced by what was done, and the button is gone."""
        if not await deferred(interaction, in_place=True):
            return
        outcome = await self._runner.outcome(interaction, FORGET_ME, {})
        if outcome is None:
            return
        said = await self._runner.said(interaction, outcome)
        if outcome.status is Status.DONE:
            counts: dict[str, int] = plain(outcome.data)["forgotten"]
            gone = [f"- {texts.FORGOTTEN.get(name, name)}: {count}" for name, count in counts.items() if count]
            said = Answer("\n".join([texts.FORGOTTEN_NOW, *(gone or [texts.FORGOTTEN_NOTHING])]))
        await answer(interaction, said)

    async def _answered(self, interaction: Interaction, name: str, told: Any) -> None:
        if not await deferred(interaction):
            return
        outcome: Outcome | None = await self._runner.outcome(interaction, name, {})
        if outcome is None:
            return
        done = outcome.status is Status.DONE
        await answer(interaction, told(plain(outcome.data)) if done else await self._runner.said(interaction, outcome))

    def _button(self, interaction: Interaction) -> discord.ui.View:
        custom_id = self._ids.make(FORGET, "", guild_id=interaction.guild_id or 0, user_id=interaction.user.id)
        style = discord.ButtonStyle.danger
        return row(discord.ui.Button(label=texts.FORGET, style=style, custom_id=custom_id))


def _told(data: dict[str, Any]) -> Answer:
    """All words are Guildhall's own."""
    parts = (
        (texts.KEPT, [f"{kept['what']} – {kept['how_long']}" for kept in data["kept"]]),
        (texts.LEAVES, data["leaves"]),
        (texts.STAYS, data["stays_when_forgotten"]),
    )
    embeds = [
        discord.Embed(title=title, description="\n".join(f"- {line}" for line in lines)[:DESCRIPTION_LIMIT])
        for title, lines in parts
    ]
    return Answer(texts.YOUR_DATA, embeds=tuple(embeds))


def _data(data: dict[str, Any]) -> Answer:
    lines = [texts.MY_DATA]
    lines += [f"- {section.replace('_', ' ')}: {len(things)}" for section, things in data["data"].items()]
    if data["left_out"]:
        left = ", ".join(f"{section} {count}" for section, count in data["left_out"].items())
        lines.append(texts.MY_DATA_LEFT_OUT.format(left=left))
    return Answer("\n".join(lines), file=("my-data.json", json.dumps(data, ensure_ascii=False, indent=1)))


def _export(data: dict[str, Any]) -> Answer:
    lines = [texts.EXPORTED, *(f"- {section.replace('_', ' ')}: {count}" for section, count in data["lines"].items())]
    if data["left_out"]:
        lines.append(texts.EXPORTED_LEFT_OUT.format(count=data["left_out"]))
    return Answer("\n".join(lines), file=(data["file_name"], base64.b64decode(data["content"])))
