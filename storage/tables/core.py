"""Tenants, policy, calls, audit."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    text,
)
from sqlmodel import Field

from storage.tables.base import NULLABLE_JSON, ROW_NUMBER, Table


class User(Table, table=True):
    """A person known to the platform, by the id that Discord gives."""

    user_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    name: str = Field(default="", sa_type=String)
    created_at: float = Field(sa_type=Double)


class Workspace(Table, table=True):
    """A tenant."""

    id: str = Field(primary_key=True, sa_type=String)
    name: str = Field(sa_type=String)
    created_at: float = Field(sa_type=Double)


class WorkspaceMembership(Table, table=True):
    """An explicit role of a person in a workspace; ``role`` is a policy.model.PlatformRole."""

    workspace_id: str = Field(
        sa_column=Column(String, ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True)
    )
    user_id: int = Field(
        sa_column=Column(
            BigInteger,
            ForeignKey("user.user_id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
            index=True,
        )
    )
    role: int = Field(sa_type=Integer)
    created_at: float = Field(sa_type=Double)


class GuildInstallation(Table, table=True):
    """A guild inside a workspace, from its installation to its removal. At most one of a guild is active.

    ``claimed_by``: the member who claimed it; None where the instance installed it by itself.
    """

    __table_args__ = (
        Index(
            "uq_guild_installation_active",
            "guild_id",
            unique=True,
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        ),
    )

    id: str = Field(primary_key=True, sa_type=String)
    workspace_id: str = Field(
        sa_column=Column(String, ForeignKey("workspace.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    guild_id: int = Field(sa_type=BigInteger)
    installed_at: float = Field(sa_type=Double)
    removed_at: float | None = Field(default=None, sa_type=Double)
    claimed_by: int | None = Field(default=None, sa_type=BigInteger)


class BotConfig(Table, table=True):
    """What the instance remembers of itself, by key."""

    key: str = Field(primary_key=True, sa_type=String)
    value: str = Field(sa_type=String)


class GuildPolicy(Table, table=True):
    """``rules``: a policy.rules.GuildRules as JSON."""

    installation_id: str = Field(
        sa_column=Column(String, ForeignKey("guild_installation.id", ondelete="CASCADE"), primary_key=True)
    )
    rules: str = Field(sa_type=String)
    updated_at: float = Field(sa_type=Double)
    updated_by: int | None = Field(default=None, sa_type=BigInteger)


class ChannelPolicy(Table, table=True):
    """``rules``: a policy.rules.ChannelRules as JSON."""

    installation_id: str = Field(
        sa_column=Column(String, ForeignKey("guild_installation.id", ondelete="CASCADE"), primary_key=True)
    )
    channel_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    rules: str = Field(sa_type=String)
    updated_at: float = Field(sa_type=Double)
    updated_by: int | None = Field(default=None, sa_type=BigInteger)


class MCPClient(Table, table=True):
    """One grant in a workspace. The token itself is nowhere: ``token_mac`` is its HMAC."""

    id: str = Field(primary_key=True, sa_type=String)
    workspace_id: str = Field(
        sa_column=Column(String, ForeignKey("workspace.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    user_id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger, ForeignKey("user.user_id", ondelete="CASCADE"), index=True),
    )
    name: str = Field(sa_type=String)
    kind: str = Field(sa_type=String)
    token_mac: str = Field(sa_type=String, unique=True)
    scopes: list[str] = Field(sa_type=JSON)
    toolsets: list[str] | None = Field(default=None, sa_type=NULLABLE_JSON)
    guild_ids: list[int] | None = Field(default=None, sa_type=NULLABLE_JSON)
    read_only: bool = Field(default=False, sa_type=Boolean)
    direct_writes: bool = Field(default=False, sa_type=Boolean)
    created_at: float = Field(sa_type=Double)
    created_by: int | None = Field(default=None, sa_type=BigInteger)
    expires_at: float | None = Field(default=None, sa_type=Double)
    revoked_at: float | None = Field(default=None, sa_type=Double)


class Call(Table, table=True):
    """A write from its intent to its outcome; a plan is one that awaits confirmation. See storage.calls.

    ``asked``: whether its caller wants it executed (a dry run stores its plan, too). ``payload_mac``, ``effect_mac``:
    keyed hashes of what was asked for and of what would be done. ``started_at``: when it began to be executed.
    ``card_state``: the state that its card shows.
    ``erase_at``: when the next part of a settled call must be erased.
    """

    __table_args__ = (
        Index("ix_call_state_client_id", "state", "client_id"),
        Index("ix_call_installation_id_state", "installation_id", "state"),
        Index("ix_call_workspace_id", "workspace_id"),
        Index("ix_call_erase_at", "erase_at"),
        Index("ix_call_installation_id_effect_mac", "installation_id", "effect_mac"),
        Index(
            "ix_call_card_message_id",
            "card_message_id",
            sqlite_where=text("card_message_id IS NOT NULL"),
            postgresql_where=text("card_message_id IS NOT NULL"),
        ),
    )

    call_id: str = Field(primary_key=True, sa_type=String)
    operation: str = Field(sa_type=String)
    state: str = Field(sa_type=String)
    tier: int = Field(sa_type=Integer)
    workspace_id: str = Field(sa_column=Column(String, ForeignKey("workspace.id", ondelete="CASCADE"), nullable=False))
    installation_id: str | None = Field(
        default=None, sa_column=Column(String, ForeignKey("guild_installation.id", ondelete="CASCADE"))
    )
    guild_id: int | None = Field(default=None, sa_type=BigInteger)
    client_id: str = Field(sa_type=String)
    user_id: int | None = Field(default=None, sa_type=BigInteger)
    caller_kind: str = Field(sa_type=String)
    face: str = Field(sa_type=String)
    reason: bytes = Field(sa_type=LargeBinary)
    effect: bytes = Field(sa_type=LargeBinary)
    effect_version: int = Field(sa_type=Integer)
    fingerprint: str = Field(sa_type=String)
    preview: bytes = Field(sa_type=LargeBinary)
    inverse: bytes | None = Field(default=None, sa_type=LargeBinary)
    result: bytes | None = Field(default=None, sa_type=LargeBinary)
    strength: int = Field(sa_type=Integer)
    tainted: bool = Field(sa_type=Boolean)
    sources: str = Field(sa_type=String)
    created_at: float = Field(sa_type=Double)
    expires_at: float | None = Field(default=None, sa_type=Double)
    executor: str | None = Field(default=None, sa_type=String)
    lease_until: float | None = Field(default=None, sa_type=Double)
    started_at: float | None = Field(default=None, sa_type=Double)
    settled_at: float | None = Field(default=None, sa_type=Double)
    confirmed_by: int | None = Field(default=None, sa_type=BigInteger)
    card_guild_id: int | None = Field(default=None, sa_type=BigInteger)
    card_channel_id: int | None = Field(default=None, sa_type=BigInteger)
    card_message_id: int | None = Field(default=None, sa_type=BigInteger)
    card_state: str | None = Field(default=None, sa_type=String)
    asked: bool = Field(sa_type=Boolean)
    payload_mac: str = Field(sa_type=String)
    effect_mac: str = Field(sa_type=String)
    origin_channel_id: int | None = Field(default=None, sa_type=BigInteger)
    error_code: int | None = Field(default=None, sa_type=Integer)
    detail: bytes = Field(default=b"", sa_type=LargeBinary)
    erase_at: float | None = Field(default=None, sa_type=Double)


class SentMessage(Table, table=True):
    """A message that the bot sent for somebody (``user_id``; None: nobody stands behind ``client_id``)."""

    message_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    channel_id: int = Field(sa_type=BigInteger, index=True)
    installation_id: str = Field(sa_type=String, index=True)
    user_id: int | None = Field(default=None, sa_type=BigInteger, index=True)
    client_id: str = Field(sa_type=String)
    call_id: str = Field(sa_type=String)
    sent_at: float = Field(sa_type=Double)


class IdempotencyRecord(Table, table=True):
    """``key_mac``: the HMAC of installation, user, client, operation and the caller's key."""

    key_mac: str = Field(primary_key=True, sa_type=String)
    call_id: str = Field(sa_type=String, index=True)
    installation_id: str = Field(sa_type=String, index=True)
    user_id: int = Field(sa_type=BigInteger, index=True)
    payload_mac: str = Field(sa_type=String)
    outcome: bytes | None = Field(default=None, sa_type=LargeBinary)
    created_at: float = Field(sa_type=Double, index=True)


class AuditEvent(Table, table=True):
    """One entry of the audit. Append-only: triggers refuse changes (made by the migration).

    ``opening``: the first entry of its call. ``seq`` and ``mac`` are given once, by storage.audit_chain.Chain. Nothing
    refers to other tables: the audit outlives what it speaks of.
    """

    __table_args__ = (
        Index("uq_audit_event_workspace_id_seq", "workspace_id", "seq", unique=True),
        Index(
            "ix_audit_event_unchained",
            "id",
            sqlite_where=text("seq IS NULL"),
            postgresql_where=text("seq IS NULL"),
        ),
        Index("ix_audit_event_workspace_id_opening_id", "workspace_id", "opening", "id"),
        Index("ix_audit_event_guild_id_opening_id", "guild_id", "opening", "id"),
        Index("ix_audit_event_user_id_opening_id", "user_id", "opening", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, sa_column=Column(ROW_NUMBER, primary_key=True, autoincrement=True))
    seq: int | None = Field(default=None, sa_type=BigInteger)
    mac: str | None = Field(default=None, sa_type=String)
    call_id: str = Field(sa_type=String, index=True)
    opening: bool = Field(sa_type=Boolean)
    entry: str = Field(sa_type=String)
    at: float = Field(sa_type=Double)
    workspace_id: str = Field(sa_type=String)
    installation_id: str | None = Field(default=None, sa_type=String)
    guild_id: int | None = Field(default=None, sa_type=BigInteger)
    channel_id: int | None = Field(default=None, sa_type=BigInteger)
    caller_kind: str = Field(sa_type=String)
    face: str = Field(sa_type=String)
    client_id: str = Field(sa_type=String)
    user_id: int | None = Field(default=None, sa_type=BigInteger)
    operation: str = Field(sa_type=String)
    tier: str = Field(sa_type=String)
    arguments: str = Field(sa_type=String)
    step: str = Field(sa_type=String)
    code: str = Field(sa_type=String)
    reason: str = Field(sa_type=String)
    outward_step: str = Field(sa_type=String)
    status: str = Field(sa_type=String)
    target_ids: str = Field(sa_type=String)
    error_code: int | None = Field(default=None, sa_type=Integer)
    duration_ms: float | None = Field(default=None, sa_type=Double)


class AuditHead(Table, table=True):
    """Where the chain of a workspace ends (``seq``, ``mac``).

    The part that is kept begins after ``checkpoint_seq``. ``signature`` is an HMAC over the other columns.
    """

    workspace_id: str = Field(primary_key=True, sa_type=String)
    seq: int = Field(sa_type=BigInteger)
    mac: str = Field(sa_type=String)
    checkpoint_seq: int = Field(sa_type=BigInteger)
    checkpoint_mac: str = Field(sa_type=String)
    signature: str = Field(sa_type=String)


class ReadCount(Table, table=True):
    """How often a caller read with an operation on a day (``YYYY-MM-DD``, UTC); ``user_id`` 0 is nobody."""

    workspace_id: str = Field(primary_key=True, sa_type=String)
    client_id: str = Field(primary_key=True, sa_type=String)
    user_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    operation: str = Field(primary_key=True, sa_type=String)
    day: str = Field(primary_key=True, sa_type=String, index=True)
    count: int = Field(sa_type=BigInteger)


class TaintMark(Table, table=True):
    """A place that a caller has read foreign text from; ``user_id`` 0 is nobody, ``channel_id`` 0 a guild-wide list."""

    workspace_id: str = Field(
        sa_column=Column(String, ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True)
    )
    user_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    client_id: str = Field(primary_key=True, sa_type=String)
    guild_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    channel_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    gate: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    expires_at: float = Field(sa_type=Double, index=True)


class FactRevision(Table, table=True):
    """How often the rows of a noun have changed; bumped in the same transaction."""

    noun: str = Field(primary_key=True, sa_type=String)
    revision: int = Field(sa_type=BigInteger)


class ProcessLease(Table, table=True):
    """Which process may do what only one may do at a time."""

    name: str = Field(primary_key=True, sa_type=String)
    holder: str = Field(sa_type=String)
    expires_at: float = Field(sa_type=Double)
