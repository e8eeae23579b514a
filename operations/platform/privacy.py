"""What is kept, of whom, and how it is forgotten: for the person himself."""

from __future__ import annotations

from pydantic import Field

from operations.base import Change, Context, Model, Preview, ReadOperation
from operations.durations import spoken
from operations.errors import Refused
from operations.platform_writes import PlatformWrite
from operations.refs import GuildRef
from policy.model import Face, Need, PlatformRole, Reach, Refuse, Step
from policy.scopes import OWN_DATA
from storage.forgetting import Kept
from storage.keeping.base import Person
from storage.session import Session

# For somebody who asks in person: a model that asked for him would read, or end, what is his alone.
IN_PERSON = frozenset({Face.SLASH, Face.CONSOLE, Face.CLI})
NOBODY = Refuse(
    Step.CLIENT,
    "no_person",
    "No person stands behind this caller, so nothing is kept of one.",
    "Ask as the person whose data it is.",
)
STAYS = (
    "The audit, until its time has come: of text it holds lengths and keyed hashes, beside ids and names of channels.",
    "Your role in the workspace, and for an hour in which channels you have read text of others: both also bind you.",
    "What moderators have recorded about you.",
    "Messages in Discord; delete them there. Those that I sent for you are nobody's own from now on.",
    "What other workspaces of this instance keep; ask there as well.",
)


def person_of(ctx: Context) -> Person:
    """Who asks, in the workspace that he asks in. Raises Refused where nobody stands behind the caller."""
    if ctx.caller.user_id is None or ctx.caller.workspace_id is None:
        raise Refused(NOBODY)
    return Person(ctx.caller.workspace_id, ctx.caller.user_id)


class PrivacyInput(Model):
    guild: GuildRef | None = None


class KeptThing(Model):
    """``how_long``: in words."""

    what: str
    how_long: str


class PrivacyResult(Model):
    kept: list[KeptThing]
    leaves: list[str]
    stays_when_forgotten: list[str]


class GetPrivacy(ReadOperation[PrivacyInput, PrivacyResult]):
    """Read what Guildhall keeps, how long, and what leaves it."""

    name = "privacy_get"
    title = "Read what is kept"
    toolset = "meta"
    scope = OWN_DATA
    faces = IN_PERSON

    def needs(self, ctx: Context, arguments: PrivacyInput) -> tuple[Need, ...]:
        return (Need(ctx.guild_target),)

    async def read(self, ctx: Context, arguments: PrivacyInput) -> PrivacyResult:
        forgetting = ctx.services.forgetting
        return PrivacyResult(
            kept=[KeptThing(what=kept.what, how_long=how_long(kept)) for kept in forgetting.kept()],
            leaves=list(forgetting.leaves),
            stays_when_forgotten=list(STAYS),
        )


def how_long(kept: Kept) -> str:
    """``7 days after the call has ended``, or until when."""
    if kept.seconds is None:
        return kept.until
    return f"{spoken(int(kept.seconds))} {kept.since}" if kept.seconds else kept.since


class ForgetInput(Model):
    guild: GuildRef | None = None


class ForgetEffect(Model):
    workspace_id: str
    user_id: int


class ForgetResult(Model):
    """``forgotten``: how much of what. ``stays``: what is not, and why."""

    forgotten: dict[str, int]
    stays: list[str] = Field(default_factory=list[str])


class ForgetData(PlatformWrite[ForgetInput, ForgetEffect, ForgetResult]):
    """Erase what Guildhall keeps of you in this workspace: end your tokens and plans, erase what your calls said. It
    cannot be undone.
    """

    name = "data_forget"
    title = "Forget me"
    toolset = "meta"
    scope = OWN_DATA
    # Its face shows the preview and one button. A card would show others that somebody asks to be forgotten.
    reach = Reach.SAME_CHANNEL
    faces = IN_PERSON
    min_role = PlatformRole.VIEWER
    open_to_members = "It concerns nobody but the person who asks."
    idempotent = True
    works_paused = True

    def needs(self, ctx: Context, arguments: ForgetInput) -> tuple[Need, ...]:
        return (Need(ctx.guild_target),)

    def needs_of(self, ctx: Context, effect: ForgetEffect) -> tuple[Need, ...]:
        return (Need(ctx.guild_target),)

    async def preview(self, ctx: Context, arguments: ForgetInput) -> Preview[ForgetEffect]:
        person = person_of(ctx)
        return Preview(
            summary="Forget you in this workspace: your tokens and plans end, and what your calls said is erased; it "
            "cannot be undone (privacy_get tells what stays)",
            effect=ForgetEffect(workspace_id=person.workspace_id, user_id=person.user_id),
            changes=(
                Change(
                    target=f"user {person.user_id}",
                    field="tokens, plans and what calls said",
                    before="kept",
                    after="erased",
                ),
            ),
        )

    async def apply(self, ctx: Context, session: Session, effect: ForgetEffect) -> ForgetResult:
        person = Person(effect.workspace_id, effect.user_id)
        if person != person_of(ctx):
            raise Refused(NOBODY)
        counts = await ctx.services.forgetting.person_forgotten(session, person, ctx.now)
        return ForgetResult(forgotten=counts, stays=list(STAYS))
