"""Writes in a guild that nobody has installed yet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic

from operations.base import EffectT, InputT, ResultT
from operations.platform_writes import PlatformWrite
from policy.model import Installation
from storage.session import Session


class InertGuildWrite(PlatformWrite[InputT, EffectT, ResultT], ABC, Generic[InputT, EffectT, ResultT]):
    """Makes the guild's installation; it takes the road of operations.claims."""

    of_inert_guild = True

    @abstractmethod
    async def made(self, session: Session, effect: EffectT) -> Installation:
        """The installation that ``apply`` made in this transaction: the call is recorded under it."""
