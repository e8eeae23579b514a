"""The assistant of this process, for whoever reaches it otherwise than by a mention."""

from __future__ import annotations

from dataclasses import dataclass

from cogs.agent.asides import Asides
from cogs.agent.turns import Turns


@dataclass(slots=True)
class Running:
    """None while it doesn't run: switched off, or without a gateway. Mutable: it starts after the commands are made."""

    turns: Turns | None = None
    asides: Asides | None = None
