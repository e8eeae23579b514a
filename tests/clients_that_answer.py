"""MCP clients that answer what they are asked: as a person at the keyboard would, or as a script does for nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import mcp.types as t
from mcp.client import ClientRequestContext

Action = Literal["accept", "decline", "cancel"]


@dataclass
class Answering:
    """An elicitation callback that always answers alike; ``asked`` is what it was asked."""

    action: Action = "accept"
    asked: list[t.ElicitRequestParams] = field(default_factory=list[t.ElicitRequestParams])

    async def __call__(self, context: ClientRequestContext, params: t.ElicitRequestParams) -> t.ElicitResult:
        self.asked.append(params)
        filled_in = isinstance(params, t.ElicitRequestFormParams) and self.action == "accept"
        return t.ElicitResult(action=self.action, content={} if filled_in else None)

    @property
    def forms(self) -> list[t.ElicitRequestFormParams]:
        return [params for params in self.asked if isinstance(params, t.ElicitRequestFormParams)]
