"""Who may confirm a plan: the rules of a guild's policy, and the approver's own eight steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from operations.base import Model, WriteOperation
from operations.decider import Decider, Prepared
from operations.plan_refusals import FOUR_EYES, NO_APPROVER_ROLE
from operations.refusals import Rejected
from operations.services import Services
from policy.model import Caller, Refuse
from policy.rules import GuildRules
from storage.calls import CallRecord
from storage.facts import PlatformFacts

Operation = WriteOperation[Any, Any, Any]
NO_RULES = GuildRules()


class Approval:
    """Asks policy about approvers. ``services`` is asked for when it is needed: it holds what holds this."""

    def __init__(self, decider: Decider, facts: PlatformFacts, services: Callable[[], Services]) -> None:
        self._decider = decider
        self._facts = facts
        self._services = services

    def rules(self, installation_id: str | None) -> GuildRules:
        return self._facts.snapshot.guild_rules.get(installation_id or "", NO_RULES)

    async def refusal(
        self, operation: Operation, effect: Model, record: CallRecord, requester: Caller, by: Caller
    ) -> Refuse | None:
        """Why this person may not confirm; None when he may, as far as rates go.

        He needs, at every target, what is asked of the requester; whose own a message is, is asked of the requester.
        """
        rules = self.rules(record.installation_id)
        is_requester = by.user_id is not None and by.user_id == record.user_id
        if rules.four_eyes and is_requester:
            return FOUR_EYES
        prepared = await self.prepared(operation, effect, record, by, owner=requester)
        if isinstance(prepared, Refuse):
            return prepared
        if rules.approver_role_ids and (rules.four_eyes or not is_requester):
            held = {role.id for role in prepared.ctx.guild.actor.roles}
            if not held & set(rules.approver_role_ids):
                return NO_APPROVER_ROLE
        decision = prepared.decide(0.0)
        return decision if isinstance(decision, Refuse) else None

    async def prepared(
        self,
        operation: Operation,
        effect: Model,
        record: CallRecord,
        caller: Caller,
        *,
        owner: Caller | None = None,
        audit_reason: str | None = None,
    ) -> Prepared | Refuse:
        """A stored effect with a caller's facts of now. ``owner``: whose own its messages must be; then ``caller``
        approves, for whom no face is asked.
        """
        try:
            return await self._decider.prepare_stored(
                operation, effect, caller, record, self._services(), audit_reason=audit_reason, owner=owner
            )
        except Rejected as rejected:
            return rejected.truth
