"""Cases as their readers may see them, and what Guildhall's own effects leave behind as cases."""

from __future__ import annotations

from typing import Literal, cast

from operations.base import Context, Model
from operations.discord.names import channel_name, member_name
from operations.errors import Refused
from operations.outcomes import timestamp
from operations.refusals import hidden
from operations.sanitise import sanitise
from operations.thread_visibility import sees
from policy.model import Refuse, Step
from policy.permissions import Bits
from policy.taint import Source
from storage import cases
from storage.call_record import CallRecord
from storage.cases import CaseKind, CaseRecord, NewCase, Notice
from storage.session import Session

MAX_TEXT = 1_000
# A list is looked through; one case is read.
MAX_LISTED_TEXT = 200
MODERATE = int(Bits.moderate_members)

CaseKindName = Literal[
    "warn", "note", "report", "timeout", "timeout_remove", "kick", "ban", "unban", "purge", "lock", "unlock"
]
CaseStateName = Literal["open", "closed"]

UNKNOWN_CASE = Refuse(
    Step.RESOLVE, "unknown_case", "There is no case of that number here.", "case_list shows the cases of this guild."
)
# What a member must never learn of himself, also where he moderates.
_NEVER_SHOWN = frozenset({CaseKind.NOTE, CaseKind.REPORT})


class CasePerson(Model):
    """``name``: where the person is at hand."""

    id: str
    name: str | None = None


class CaseRow(Model):
    """``case``: its number. ``member``: whom it is about; ``by``: who did or reported it. ``notice``: what became of
    the direct message. ``call_id``: of the call that did it. ``withheld``: its text and its place are not for you,
    since you don't see the channel or it is about you.
    """

    case: int
    kind: str
    state: str
    at: str
    member: CasePerson | None = None
    by: CasePerson | None = None
    reason: str | None = None
    expires_at: str | None = None
    channel_id: str | None = None
    channel_name: str | None = None
    message_link: str | None = None
    notice: str | None = None
    call_id: str | None = None
    withheld: bool | None = None


def installation_id(ctx: Context) -> str:
    """Raises Refused where the guild is installed no more."""
    installation = ctx.services.facts.snapshot.installations.get(ctx.guild.id)
    if installation is None:
        raise Refused(hidden("guild", "guild"))
    return installation.id


def moderators_list(ctx: Context) -> Source:
    """Where the text of cases comes from: a list that those who moderate members read."""
    return Source(ctx.guild.id, None, MODERATE)


# -------------------------------------------------------------------- readers
def is_about_reader(ctx: Context, case: CaseRecord) -> bool:
    """Whether it must not be shown to him whom it is about, and he it is who asks."""
    return case.kind in _NEVER_SHOWN and case.user_id is not None and case.user_id == ctx.guild.user_id


async def is_readable(ctx: Context, case: CaseRecord) -> bool:
    """Whether the requester may see the text of a case and where it comes from.

    What a channel holds is for those who see it. One that is not at hand may be a private thread, or gone: it is for
    administrators, who saw every channel.
    """
    if is_about_reader(ctx, case):
        return False
    if case.channel_id is None:
        return True
    channel = ctx.guild.channel(case.channel_id)
    if channel is None:
        return bool(ctx.guild.bits() & Bits.administrator)
    return await sees(ctx.guild, channel)


async def row(ctx: Context, case: CaseRecord, limit: int = MAX_LISTED_TEXT) -> CaseRow:
    """A case as the requester sees it; the channel that its text speaks of taints him."""
    readable = await is_readable(ctx, case)
    if readable and case.channel_id is not None and case.reason:
        ctx.services.decisions.taint(ctx.caller, [Source(ctx.guild.id, case.channel_id)])
    channel_id = case.channel_id if readable else None
    link = None
    if channel_id is not None and case.message_id is not None:
        link = f"https://discord.com/channels/{ctx.guild.id}/{channel_id}/{case.message_id}"
    return CaseRow(
        case=case.number,
        kind=case.kind.value,
        state=case.state.value,
        at=timestamp(case.created_at),
        member=person(ctx, case.user_id),
        by=None if is_about_reader(ctx, case) else person(ctx, case.moderator_id),
        reason=sanitise(case.reason, limit=limit) or None if readable else None,
        expires_at=None if case.expires_at is None else timestamp(case.expires_at),
        channel_id=None if channel_id is None else str(channel_id),
        channel_name=channel_name(ctx.guild, channel_id),
        message_link=link,
        notice=case.notice.value or None,
        call_id=case.call_id,
        withheld=None if readable else True,
    )


def person(ctx: Context, user_id: int | None) -> CasePerson | None:
    return None if user_id is None else CasePerson(id=str(user_id), name=member_name(ctx.guild, user_id))


async def find(ctx: Context, session: Session, number: int) -> CaseRecord:
    """Raises Refused for a number that no case here has."""
    case = await cases.get(session, installation_id(ctx), number)
    if case is None:
        raise Refused(UNKNOWN_CASE)
    return case


def kind_of(name: CaseKindName | None) -> CaseKind | None:
    return None if name is None else CaseKind(cast("str", name))


# -------------------------------------------------------------------- keeping
async def keep(
    session: Session,
    call: CallRecord,
    kind: CaseKind,
    user_id: int | None,
    *,
    expires_at: float | None = None,
    channel_id: int | None = None,
    message_id: int | None = None,
    reason: str | None = None,
    notice: Notice = Notice.NONE,
    now: float | None = None,
) -> int | None:
    """The number of the case that a call leaves behind; for WriteOperation.keep. None outside of an installation.

    ``reason`` None: the call's own. ``now``: None is when it began to be executed.
    """
    if call.installation_id is None:
        return None
    return await cases.add(
        session,
        NewCase(
            installation_id=call.installation_id,
            kind=kind,
            created_at=call.began_at if now is None else now,
            user_id=user_id,
            moderator_id=call.user_id,
            reason=call.reason if reason is None else reason,
            channel_id=channel_id,
            message_id=message_id,
            notice=notice,
            call_id=call.call_id,
            expires_at=expires_at,
        ),
    )
