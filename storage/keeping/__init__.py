"""Who keeps what: every table belongs to one keeper. New tables need a keeper here, or a place in one."""

from __future__ import annotations

from storage.keeping.audit import AuditKeeper
from storage.keeping.base import Keeper
from storage.keeping.calls import CallKeeper
from storage.keeping.cases import CaseKeeper
from storage.keeping.conversations import ConversationKeeper
from storage.keeping.guilds import GuildKeeper
from storage.keeping.people import PeopleKeeper

KEEPERS: tuple[Keeper, ...] = (
    CallKeeper(),
    CaseKeeper(),
    ConversationKeeper(),
    PeopleKeeper(),
    AuditKeeper(),
    GuildKeeper(),
)

__all__ = ["KEEPERS", "Keeper"]
