"""Refusals that arise before the pipeline: bad arguments, unknown or ambiguous objects.

What a caller may not see answers exactly as what does not exist: ``hidden`` depends on the field he filled in, on
nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

from operations.sanitise import inline
from policy.model import Installation, Refuse, Step, Target

REMEDIES = {
    "guild": "guild_list shows the guilds that you can reach.",
    "channel": "channel_list shows the channels that you can see.",
    "category": "channel_list shows the categories that you can see.",
    "message": "message_list_recent shows the messages of a channel, with their ids.",
    "member": "Give the member's id or exact username.",
    "role": "role_list shows the roles.",
    "user": "Give a member's id or exact username, or anybody's id.",
    "person": "Give a member's id or exact username, or the id of somebody about whom there is a case.",
    "ban": "ban_list shows who is banned, with ids.",
    "mentionable": "Give a member, a role, or everyone.",
    "webhook": "webhook_list shows the webhooks of the channels in which you may manage them.",
    "invite": "invite_list shows the invites of this guild.",
}


class Rejected(Exception):
    """A call is refused: ``truth`` is for the audit, ``outward`` for the caller."""

    def __init__(
        self, truth: Refuse, outward: Refuse | None = None, *, installation: Installation | None = None
    ) -> None:
        super().__init__(truth.reason)
        self.truth = truth
        self.outward = outward if truth.hidden and outward is not None else truth
        self.installation = installation


def hidden(field: str, kind: str) -> Refuse:
    """The one answer for what does not exist and for what may not be seen."""
    return Refuse(
        Step.RESOLVE,
        f"unknown_{kind}",
        f"No {kind} that you can see matches `{field}`.",
        REMEDIES.get(kind, "Check the id."),
    )


def ambiguous(field: str, kind: str, candidates: Sequence[Target]) -> Refuse:
    listed = ", ".join(str(target.id) for target in candidates[:10])
    return Refuse(
        Step.RESOLVE,
        f"ambiguous_{kind}",
        f"{len(candidates)} {kind}s match `{field}`: {listed}.",
        "Give the id instead.",
    )


def look_alike(field: str, kind: str, candidates: Sequence[Target]) -> Refuse:
    listed = ", ".join(str(target.id) for target in candidates[:10])
    return Refuse(
        Step.RESOLVE,
        f"look_alike_{kind}",
        f"The name in `{field}` looks like that of other {kind}s: {listed}.",
        "Give the id instead.",
    )


def which_guild(names: Sequence[str]) -> Refuse:
    if not names:
        return Refuse(
            Step.RESOLVE,
            "unknown_guild",
            "There is no guild that you can reach.",
            "Join a guild of this workspace, or ask its owner to install one.",
        )
    return Refuse(
        Step.VALIDATE,
        "guild_missing",
        "`guild` is missing, and you can reach several.",
        f"Give `guild`: {', '.join(inline(name) for name in names[:20])}.",
    )


def guild_starting(retry_after_seconds: float) -> Refuse:
    return Refuse(
        Step.DISCORD,
        "guild_starting",
        "The guild has not arrived from Discord yet.",
        f"Come back in {retry_after_seconds:.0f} s.",
        retry_after_seconds=retry_after_seconds,
    )


def guild_uncertain(cause: Refuse) -> Refuse:
    """``guild`` was left out or given as a name, and a guild that may be meant cannot be asked about."""
    return Refuse(
        Step.DISCORD,
        "guild_uncertain",
        f"Which guild is meant cannot be told now. {cause.reason}",
        "Give `guild` as an id, or come back in a few seconds.",
        retry_after_seconds=cause.retry_after_seconds or 2.0,
    )


DATABASE_DOWN = Refuse(
    Step.EXECUTE,
    "database_unavailable",
    "The database does not answer, so the call could not be recorded; nothing was sent.",
    "Try again when GET /ready says that the database is up.",
    retry_after_seconds=5.0,
)
SHUTTING_DOWN = Refuse(
    Step.EXECUTE,
    "shutting_down",
    "Guildhall is shutting down; nothing was sent.",
    "Call again in a minute.",
    retry_after_seconds=60.0,
)
NOT_ACTIVE = Refuse(
    Step.EXECUTE,
    "not_active",
    "This process does not hold the lease of the active one (the database did not answer, or another took over).",
    "Try again in a few seconds; GET /ready shows the lease.",
    retry_after_seconds=5.0,
)


def unreachable(error: Exception) -> Refuse:
    """Discord could not be asked; nothing was changed."""
    return Refuse(
        Step.DISCORD,
        "discord_unreachable",
        f"Discord could not be reached ({type(error).__name__}).",
        "Try again in a few seconds; nothing was changed.",
        retry_after_seconds=5.0,
    )
