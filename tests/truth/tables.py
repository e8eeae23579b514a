"""What a write leaves in Guildhall's own tables: done in a transaction that is taken back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import SQLModel

from operations.base import Context, Model, WriteOperation
from operations.errors import Refused
from operations.execution import kept_by
from operations.platform_writes import PlatformWrite
from policy.model import Installation
from storage import calls
from storage.call_record import CallRecord, CallState
from storage.database import Database
from storage.session import Session

Row = Mapping[str, Any]
# Who wrote last, and when: no change of what is kept.
BOOKKEEPING = frozenset({"updated_at", "updated_by"})


@dataclass(frozen=True, slots=True)
class RowChange:
    """``before`` None: it is new; ``after`` None: it is gone."""

    table: str
    before: Row | None
    after: Row | None


@dataclass(frozen=True, slots=True)
class Written:
    """``refusal``: "" when it was done."""

    refusal: str = ""
    changes: tuple[RowChange, ...] = ()


class _TakenBack(Exception):
    """Ends a transaction that was only for looking."""


async def applied(database: Database, operation: PlatformWrite[Any, Any, Any], ctx: Context, effect: Model) -> Written:
    """What applying the effect writes."""
    return await _tried(database, lambda session: operation.apply(ctx, session, effect))


async def kept(
    database: Database,
    operation: WriteOperation[Any, Any, Any],
    ctx: Context,
    installation: Installation,
    effect: Model,
    result: Model,
) -> Written | None:
    """What is written with the outcome of an effect on Discord; None where the operation keeps nothing."""
    record = record_of(operation, ctx, installation, effect)
    keep = kept_by(operation, record, effect, result)
    return None if keep is None else await _tried(database, keep, record)


async def _tried(
    database: Database, work: Callable[[Session], Awaitable[Any]], record: CallRecord | None = None
) -> Written:
    """``record``: of the call, which is there before its outcome is."""
    found: tuple[RowChange, ...] = ()
    try:
        async with database.unit_of_work() as session:
            if record is not None:
                await calls.insert(session, database.keyring, record)
            before = await _rows(session)
            await work(session)
            await session.flush()
            found = tuple(_changes(before, await _rows(session)))
            raise _TakenBack
    except _TakenBack:
        return Written("", found)
    except Refused as refused:
        return Written(f"{refused.refusal.code}: {refused.refusal.reason}")


async def _rows(session: Session) -> dict[tuple[str, tuple[Any, ...]], Row]:
    """All of them."""
    found: dict[tuple[str, tuple[Any, ...]], Row] = {}
    for table in SQLModel.metadata.sorted_tables:
        keys = [column.name for column in table.primary_key.columns]
        for row in (await session.execute(select(table))).mappings():
            found[table.name, tuple(row[key] for key in keys)] = {
                name: value for name, value in row.items() if name not in BOOKKEEPING
            }
    return found


def _changes(
    before: dict[tuple[str, tuple[Any, ...]], Row], after: dict[tuple[str, tuple[Any, ...]], Row]
) -> list[RowChange]:
    return [
        RowChange(key[0], before.get(key), after.get(key))
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key)
    ]


def record_of(
    operation: WriteOperation[Any, Any, Any], ctx: Context, installation: Installation, effect: Model
) -> CallRecord:
    return CallRecord(
        call_id=ctx.call_id,
        operation=operation.name,
        state=CallState.EXECUTING,
        tier=operation.tier,
        installation_id=installation.id,
        workspace_id=installation.workspace_id,
        guild_id=installation.guild_id,
        client_id=ctx.caller.client_id,
        user_id=ctx.caller.user_id,
        caller_kind=ctx.caller.kind,
        face=ctx.caller.face,
        reason=ctx.reason or "",
        effect=effect.model_dump_json(),
        effect_version=operation.effect_version,
        fingerprint="",
        preview="{}",
        created_at=ctx.now,
        started_at=ctx.now,
    )
