"""Writes whose effect is in Guildhall's own tables alone: effect and outcome are one transaction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, Never

from operations.base import Context, EffectT, InputT, Reconcile, ResultT, WriteOperation
from storage.session import Session


class PlatformWrite(WriteOperation[InputT, EffectT, ResultT], ABC, Generic[InputT, EffectT, ResultT]):
    """A write without a request to Discord. It is done or it is not: after a crash nothing has to be found again."""

    reconcile = Reconcile.ATOMIC

    @abstractmethod
    async def apply(self, ctx: Context, session: Session, effect: EffectT) -> ResultT:
        """Writes exactly ``effect``, in the transaction that records the outcome. May raise Refused: then nothing is
        kept of it. It must not wait for anything but the database.
        """

    async def execute(self, ctx: Context, effect: EffectT) -> Never:
        raise TypeError(f"{self.name} is applied in a transaction, not executed")
