"""The tables of the database.

Row ids are strings with a prefix that names the table (``ws_``, ``in_``, ``mc_``, ``cl_``). Discord ids are 64-bit
integers. Times are seconds since the epoch (UTC). Sealed columns hold what storage.crypto.Keyring.seal made of a text;
empty bytes stand for an empty or erased one.
"""

from __future__ import annotations

from storage.tables.administration import AllowedChatChannel
from storage.tables.base import Table, metadata
from storage.tables.cases import Case, CaseBook, CaseNote, TemporaryEffect
from storage.tables.conversations import (
    Conversation,
    ConversationMessage,
    ConversationPart,
    UsageRecord,
    UsageReservation,
)
from storage.tables.core import (
    AuditEvent,
    AuditHead,
    BotConfig,
    Call,
    ChannelPolicy,
    FactRevision,
    GuildInstallation,
    GuildPolicy,
    IdempotencyRecord,
    MCPClient,
    ProcessLease,
    ReadCount,
    SentMessage,
    TaintMark,
    User,
    Workspace,
    WorkspaceMembership,
)
from storage.tables.moderation import ChannelLock
from storage.tables.notices import LogPosition, Pause
from storage.tables.privacy import CallMessage, ErasureRequest
from storage.tables.setup import SetupCard

__all__ = [
    "AllowedChatChannel",
    "AuditEvent",
    "AuditHead",
    "BotConfig",
    "Call",
    "CallMessage",
    "Case",
    "CaseBook",
    "CaseNote",
    "ChannelLock",
    "ChannelPolicy",
    "Conversation",
    "ConversationMessage",
    "ConversationPart",
    "ErasureRequest",
    "FactRevision",
    "GuildInstallation",
    "GuildPolicy",
    "IdempotencyRecord",
    "LogPosition",
    "MCPClient",
    "Pause",
    "ProcessLease",
    "ReadCount",
    "SentMessage",
    "SetupCard",
    "Table",
    "TaintMark",
    "TemporaryEffect",
    "UsageRecord",
    "UsageReservation",
    "User",
    "Workspace",
    "WorkspaceMembership",
    "metadata",
]
