"""Calls and plans, what they sent, and their idempotency keys."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Collection
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, delete, or_, select, update
from sqlmodel import col

from storage import call_messages, call_retention, idempotency, plans
from storage.call_messages import MessagePlace
from storage.call_record import OPEN_STATES, CallRecord, from_row, unseal
from storage.calls import update_returning
from storage.crypto import Keyring
from storage.keeping.base import Keeper, Kept, Periods, Person, Told
from storage.paging import newest_first
from storage.session import Session
from storage.tables import Call, GuildInstallation, IdempotencyRecord, SentMessage

OPEN = tuple(state.value for state in OPEN_STATES)


class CallKeeper(Keeper):
    tables = ("call", "call_message", "sent_message", "idempotency_record")

    def kept(self, periods: Periods) -> tuple[Kept, ...]:
        ended = "after the call has ended"
        return (
            Kept(
                what="What a call was asked to do, its preview, reason and result (encrypted)",
                seconds=periods.arguments_seconds,
                since=ended,
                erase=call_retention.erase_arguments,
            ),
            Kept(
                what="What undoes a call (encrypted)",
                seconds=periods.inverses_seconds,
                since=ended,
                erase=call_retention.erase_inverses,
            ),
            Kept(
                what="That there was a call: operation, ids, times, outcome",
                seconds=periods.audit_seconds,
                since=ended,
                erase=call_retention.delete_rows,
            ),
            Kept(
                what="Answers to calls with an idempotency key (encrypted)",
                seconds=idempotency.KEPT_SECONDS,
                since="after the call",
                erase=idempotency.erase_older,
            ),
            Kept(
                what="For whom the bot sent which message, by ids",
                until="until the message is deleted, that person asks to be forgotten, or the guild's data goes",
            ),
        )

    # --------------------------------------------------------------- messages
    async def messages_deleted(
        self, session: Session, keyring: Keyring, message_ids: Collection[int], now: float
    ) -> int:
        erased = await self._erase(session, call_messages.calls_about("message_id", message_ids), now)
        gone = delete(SentMessage).where(col(SentMessage.message_id).in_(message_ids), self._of_settled())
        return erased + await _count(session, gone.returning(col(SentMessage.message_id)))

    async def channels_deleted(
        self, session: Session, keyring: Keyring, channel_ids: Collection[int], now: float
    ) -> int:
        erased = await self._erase(session, call_messages.calls_about("channel_id", channel_ids), now)
        gone = delete(SentMessage).where(col(SentMessage.channel_id).in_(channel_ids), self._of_settled())
        return erased + await _count(session, gone.returning(col(SentMessage.message_id)))

    @staticmethod
    def _of_settled() -> ColumnElement[bool]:
        """A row whose call is still open is needed to find that call's text once it has ended."""
        open_calls = select(col(Call.call_id)).where(col(Call.state).in_(OPEN))
        return col(SentMessage.call_id).not_in(open_calls)

    async def _erase(self, session: Session, wanted: CompoundSelect[str], now: float) -> int:
        """Plans about what is gone end; of calls that have ended nothing but ids is left. What is being executed is
        erased by the look that comes after it.
        """
        ids = list((await session.scalars(wanted)).all())
        if not ids:
            return 0
        await plans.cancel(session, ids, now)
        erased = await update_returning(
            session,
            col(Call.call_id).in_(ids),
            col(Call.state).not_in(OPEN),
            _holds_something(),
            **call_retention.ERASED,
            inverse=None,
        )
        return len(erased)

    async def message_edited(self, session: Session, keyring: Keyring, message_id: int, content: str | None) -> int:
        """Of what was said before nothing stays but what undoes the edit itself."""
        wanted = call_messages.calls_about("message_id", [message_id])
        rows = await session.execute(
            select(col(Call.call_id), col(Call.effect))
            .where(col(Call.call_id).in_(wanted), col(Call.state).not_in(OPEN), col(Call.effect) != b"")
            .order_by(col(Call.created_at).desc())
        )
        outdated: list[str] = []
        for place, (call_id, effect) in enumerate(rows.all()):
            said = json.loads(unseal(keyring, effect)).get("content")
            # A call that left the text alone speaks of the message as it is, while no later one has changed it.
            current = place == 0 if said is None else content is not None and said.strip() == content.strip()
            if not current:
                outdated.append(call_id)
        if not outdated:
            return 0
        erased = await update_returning(session, col(Call.call_id).in_(outdated), **call_retention.ERASED)
        return len(erased)

    async def messages_held(self, session: Session, guild_id: int) -> set[MessagePlace]:
        return await call_messages.held_in_guild(session, guild_id)

    # ----------------------------------------------------------------- people
    async def person_forgotten(
        self, session: Session, keyring: Keyring, person: Person, asked_at: float, now: float
    ) -> dict[str, int]:
        cancelled = await plans.cancel_plans_of(
            session, user_id=person.user_id, workspace_id=person.workspace_id, now=now, created_until=asked_at
        )
        his = (col(Call.user_id) == person.user_id, col(Call.workspace_id) == person.workspace_id)
        erased = await update_returning(
            session,
            *his,
            col(Call.created_at) <= asked_at,
            col(Call.state).not_in(OPEN),
            _holds_something(),
            **call_retention.ERASED,
            inverse=None,
        )
        here = _installations(person)
        keys = delete(IdempotencyRecord).where(
            col(IdempotencyRecord.user_id) == person.user_id,
            col(IdempotencyRecord.installation_id).in_(here),
            col(IdempotencyRecord.created_at) <= asked_at,
        )
        # Nobody's from now on, and still told apart from what the bot posts of itself.
        sent = (
            update(SentMessage)
            .where(
                col(SentMessage.user_id) == person.user_id,
                col(SentMessage.installation_id).in_(here),
                col(SentMessage.sent_at) <= asked_at,
            )
            .values(user_id=None, client_id="")
        )
        return {
            "plans_cancelled": len(cancelled),
            "calls_erased": len(erased),
            "idempotency_keys_deleted": await _count(session, keys.returning(col(IdempotencyRecord.key_mac))),
            "messages_disowned": await _count(session, sent.returning(col(SentMessage.message_id))),
        }

    async def data_of(self, session: Session, keyring: Keyring, person: Person) -> AsyncGenerator[Told]:
        his = select(Call).where(col(Call.user_id) == person.user_id, col(Call.workspace_id) == person.workspace_id)
        async for row in newest_first(session, his, Call.created_at, Call.call_id):
            yield "calls", _call(from_row(keyring, row))
        here = _installations(person)
        sent = select(SentMessage).where(
            col(SentMessage.user_id) == person.user_id, col(SentMessage.installation_id).in_(here)
        )
        async for message in newest_first(session, sent, SentMessage.message_id):
            yield (
                "sent_messages",
                {
                    "message_id": str(message.message_id),
                    "channel_id": str(message.channel_id),
                    "call_id": message.call_id,
                    "sent_at": message.sent_at,
                },
            )
        keys = select(IdempotencyRecord).where(
            col(IdempotencyRecord.user_id) == person.user_id, col(IdempotencyRecord.installation_id).in_(here)
        )
        async for key in newest_first(session, keys, IdempotencyRecord.created_at, IdempotencyRecord.key_mac):
            answer = None if key.outcome is None else _json(unseal(keyring, key.outcome))
            yield "idempotency_keys", {"call_id": key.call_id, "created_at": key.created_at, "answer": answer}


def _holds_something() -> ColumnElement[bool]:
    sealed = (Call.reason, Call.effect, Call.preview, Call.detail)
    return or_(
        *(col(column) != b"" for column in sealed), col(Call.inverse).is_not(None), col(Call.result).is_not(None)
    )


def _installations(person: Person) -> Select[str]:
    return select(col(GuildInstallation.id)).where(col(GuildInstallation.workspace_id) == person.workspace_id)


def _call(record: CallRecord) -> dict[str, Any]:
    return {
        "call_id": record.call_id,
        "operation": record.operation,
        "state": record.state.value,
        "tier": record.tier.label,
        "guild_id": None if record.guild_id is None else str(record.guild_id),
        "client_id": record.client_id,
        "through": record.face.value,
        "created_at": record.created_at,
        "settled_at": record.settled_at,
        "reason": record.reason or None,
        "effect": _json(record.effect),
        "preview": _json(record.preview),
        "inverse": _json(record.inverse or ""),
        "result": _json(record.result or ""),
        "detail": record.detail or None,
    }


def _json(text: str) -> Any:
    return json.loads(text) if text else None


async def _count(session: Session, statement: Any) -> int:
    found = await session.scalars(statement.execution_options(synchronize_session=False))
    return len(found.all())
