"""Whom a message may notify: those that the caller names, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator

from operations.base import Context
from operations.discord.message_models import PingEffect
from operations.preflight.mentions import mention_is_there
from operations.sanitise import inline
from policy.model import Target

MAX_NAME = 40
# Of a text without any mention, no more is told than this: the first says it all.
MAX_TOLD = 5


def ping_of(targets: tuple[Target, ...], replied_to: int | None = None) -> PingEffect:
    """``replied_to``: who wrote the message that is answered."""
    # Discord refuses a list that names somebody twice.
    user_ids = tuple(dict.fromkeys(target.id for target in targets if target.kind == "member"))
    return PingEffect(
        everyone=any(target.kind == "everyone" for target in targets),
        role_ids=tuple(dict.fromkeys(target.id for target in targets if target.kind == "role")),
        user_ids=user_ids,
        replied_user=replied_to in user_ids,
    )


def pings_beyond_members(ctx: Context, ping: PingEffect) -> bool:
    """Everyone, or a role that not anybody may mention: Discord asks for mention_everyone, of the requester too."""
    guild = ctx.guild.discord
    roles = [guild.get_role(role_id) for role_id in ping.role_ids]
    return ping.everyone or any(role is not None and not role.mentionable for role in roles)


def pinged(targets: tuple[Target, ...]) -> list[str]:
    """As a preview shows them."""
    return list(dict.fromkeys(_called(target) for target in targets))


def unmentioned(targets: tuple[Target, ...], content: str, replied_to: int | None = None) -> Iterator[str]:
    """Who would be notified, did the text but mention them. ``replied_to``: whom a reply notifies as it is."""
    told = 0
    for target in dict.fromkeys(targets):
        if target.kind == "member" and target.id == replied_to:
            continue
        problem = mention_is_there(target.kind, target.id, _called(target), content)
        if problem is not None and told < MAX_TOLD:
            told += 1
            yield problem


def _called(target: Target) -> str:
    if target.kind == "everyone":
        return target.name or "everyone"
    return f"{target.kind} {target.id} {'@' if target.name else ''}{inline(target.name, MAX_NAME)}".strip()
