"""Whom a message may notify: those that the caller names, and nobody else."""

from __future__ import annotations

from operations.base import Context
from operations.discord.message_models import PingEffect
from policy.model import Target


def ping_of(targets: tuple[Target, ...]) -> PingEffect:
    return PingEffect(
        everyone=any(target.kind == "everyone" for target in targets),
        # Discord refuses a list that names somebody twice.
        role_ids=tuple(dict.fromkeys(target.id for target in targets if target.kind == "role")),
        user_ids=tuple(dict.fromkeys(target.id for target in targets if target.kind == "member")),
    )


def pings_beyond_members(ctx: Context, ping: PingEffect) -> bool:
    """Everyone, or a role that not anybody may mention: Discord asks for mention_everyone, of the requester too."""
    guild = ctx.guild.discord
    roles = [guild.get_role(role_id) for role_id in ping.role_ids]
    return ping.everyone or any(role is not None and not role.mentionable for role in roles)


def pinged(ping: PingEffect) -> list[str]:
    """As a preview shows them."""
    return [
        *(["everyone"] if ping.everyone else []),
        *(f"role {role_id}" for role_id in ping.role_ids),
        *(f"member {user_id}" for user_id in ping.user_ids),
    ]
