"""What a guild is served with."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from operations.base import Context, Model
from operations.platform.guild_rules import GuildRulesWrite, RulesEffect
from operations.refs import GuildRef
from policy.presets import ALL, PresetName
from policy.rules import GuildRules


class PresetSetInput(Model):
    guild: GuildRef | None = None
    preset: PresetName = Field(description="The operations that are served, whoever asks and through whatever.")


class SetPreset(GuildRulesWrite[PresetSetInput]):
    """Choose what a guild is served with: a preset of operations, for commands, agent and MCP clients alike.
    Administration, the audit and undoing stay. Once one is chosen, changing it is critical.
    """

    name = "preset_set"
    title = "Choose what is served in a guild"

    def changed(self, ctx: Context, arguments: PresetSetInput, before: GuildRules) -> GuildRules:
        return before.model_copy(update={"preset": None if arguments.preset == ALL else arguments.preset})

    def back(self, effect: RulesEffect) -> dict[str, Any]:
        return {"preset": effect.before.preset or ALL}
