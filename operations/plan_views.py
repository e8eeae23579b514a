"""Plans as people and programs see them, made from their rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from operations import stored_preview
from operations.base import Inverse, Model, Outcome, PlanInfo, Preview, Status, WriteOperation
from operations.outcomes import STATUS_OF_STATE, structured
from operations.plan_refusals import ended
from operations.plans import PlanView
from operations.sanitise import inline
from policy.model import Face, Kind, Refuse, Strength, Target, Tier
from storage.calls import CallRecord, CallState
from storage.facts import PlatformFacts
from storage.plans import CardPlace

Operation = WriteOperation[Any, Any, Any]


def plan_view(record: CallRecord, operation: Operation | None, facts: PlatformFacts) -> PlanView:
    """``operation`` None: it is not in the catalogue any more."""
    preview = stored_preview.load(record.preview)
    client = facts.snapshot.clients.get(record.client_id)
    return PlanView(
        plan_id=record.call_id,
        operation=record.operation,
        title=record.operation if operation is None else operation.title,
        tier=record.tier,
        strength=record.strength,
        state=record.state,
        workspace_id=record.workspace_id,
        installation_id=record.installation_id or "",
        guild_id=record.guild_id or 0,
        requester_id=record.user_id,
        requester_kind=record.caller_kind,
        client_id=record.client_id,
        client_name="" if client is None else client.name,
        face=record.face,
        tainted=record.tainted,
        sources=stored_preview.load_sources(record.sources),
        reason=record.reason,
        targets=preview.targets,
        name_to_type=_name_to_type(record, operation, preview.targets),
        summary=preview.summary,
        changes=preview.changes,
        unknowns=preview.unknowns,
        reversible=preview.reversible,
        created_at=record.created_at,
        expires_at=record.expires_at or record.created_at,
        asked=record.asked,
        origin_channel_id=record.origin_channel_id,
        card=card_place(record),
        confirmed_by=record.confirmed_by,
        settled_at=record.settled_at,
        outcome=structured(outcome_of(record, operation)) if record.state.terminal else None,
        detail=record.detail,
    )


def card_place(record: CallRecord) -> CardPlace | None:
    if record.card_channel_id is None or record.card_message_id is None:
        return None
    return CardPlace(record.card_guild_id, record.card_channel_id, record.card_message_id)


def _name_to_type(record: CallRecord, operation: Operation | None, targets: tuple[Target, ...]) -> str | None:
    if record.tier is not Tier.CRITICAL or (operation is not None and operation.one_click):
        return None
    by_hand = record.face is Face.SLASH and not record.asked
    if by_hand and operation is not None and operation.one_click_by_hand:
        return None
    # The name of a message is its id, which nobody should have to type.
    named = [target for target in targets if target.name and target.kind != "message"]
    # As cards show it; of one that shows as nothing, the id.
    return (inline(named[0].name) or str(named[0].id)) if named else None


def effect_of(record: CallRecord, operation: Operation) -> Model:
    """Raises pydantic.ValidationError for one of another version."""
    effect: Model = operation.Effect.model_validate_json(record.effect)
    return effect


def inverse_of(record: CallRecord) -> Inverse | None:
    return Inverse.model_validate_json(record.inverse) if record.inverse else None


def plan_info(record: CallRecord, plan_token: str | None = None) -> PlanInfo:
    card = card_place(record)
    url = None
    if card is not None:
        where = "@me" if card.guild_id is None else str(card.guild_id)
        url = f"https://discord.com/channels/{where}/{card.channel_id}/{card.message_id}"
    return PlanInfo(record.call_id, record.expires_at or 0.0, record.strength, plan_token, url)


def shown_preview(record: CallRecord, effect: Model | None = None) -> Preview[Any]:
    """The preview that is stored, for an answer. Its effect is only there where it is given."""
    stored = stored_preview.load(record.preview)
    return Preview(
        summary=stored.summary,
        effect=effect or Model(),
        changes=stored.changes,
        unknowns=stored.unknowns,
        fingerprint=record.fingerprint,
        inverse=inverse_of(record),
        reversible=stored.reversible,
    )


def outcome_of(record: CallRecord, operation: Operation | None) -> Outcome:
    """What a plan's row says, as the answer to a call."""
    base = Outcome(
        STATUS_OF_STATE.get(record.state, Status.REFUSED),
        record.operation,
        Kind.WRITE,
        record.call_id,
        record.tier,
        preview=shown_preview(record),
        detail=record.detail,
        error_code=record.error_code,
    )
    if record.state is CallState.DONE:
        return replace(base, data=orjson.loads(record.result) if record.result else None, detail="")
    if record.state is CallState.REFUSED:
        return replace(base, refusal=_refused(record))
    if base.status is Status.REFUSED or not record.state.terminal:
        return replace(base, status=Status.REFUSED, refusal=ended(record.state))
    return base


def _refused(record: CallRecord) -> Refuse:
    refusal = ended(CallState.REFUSED)
    return replace(refusal, reason=record.detail) if record.detail else refusal


def waiting_outcome(record: CallRecord, status: Status, *, plan_token: str | None, effect: Model | None) -> Outcome:
    """A plan that waits, as the answer to its call."""
    return Outcome(
        status,
        record.operation,
        Kind.WRITE,
        record.call_id,
        record.tier,
        preview=shown_preview(record, effect),
        plan=plan_info(record, plan_token if record.strength is not Strength.PERSON else None),
    )
