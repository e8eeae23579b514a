"""How long this instance keeps what, and what leaves it: from its settings."""

from __future__ import annotations

from urllib.parse import urlsplit

from bot.settings import Settings
from storage.crypto import Keyring
from storage.forgetting import Forgetting
from storage.keeping import KEEPERS
from storage.keeping.base import DAY_SECONDS, Periods


def periods_of(settings: Settings) -> Periods:
    return Periods(
        arguments_seconds=settings.arguments_kept_days * DAY_SECONDS,
        inverses_seconds=settings.inverses_kept_days * DAY_SECONDS,
        conversations_seconds=settings.conversations_kept_days * DAY_SECONDS,
        audit_seconds=settings.audit_kept_days * DAY_SECONDS,
        left_guild_seconds=settings.left_guild_kept_days * DAY_SECONDS,
    )


def leaving(settings: Settings) -> tuple[str, ...]:
    """What leaves this instance, in words."""
    found = [
        "To Discord: what you ask to be done there.",
        "To a program that you gave a token: what it asks for, as far as you can see it yourself.",
    ]
    if settings.agent_enabled:
        host = urlsplit(settings.agent_base_url).hostname if settings.agent_base_url else None
        provider = host or "the model's provider"
        found.append(f"To {provider}, when you talk to the agent: the conversation, and what the agent reads for it.")
    return tuple(found)


def forgetting_of(settings: Settings, keyring: Keyring) -> Forgetting:
    return Forgetting(KEEPERS, keyring, periods_of(settings), leaving(settings))
