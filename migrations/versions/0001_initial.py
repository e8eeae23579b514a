"""The tables of the first version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SECONDS = sa.Double[float]()
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ACTIVE = sa.text("removed_at IS NULL")
UNCHAINED = sa.text("seq IS NULL")

# The audit is append-only: an entry gets its place in the chain once, and nothing else of it ever changes. It can be
# deleted only when the signed checkpoint of its workspace has passed it: that is retention's way, and the only one.
BEYOND_CHECKPOINT = """OLD.seq IS NULL OR OLD.seq > COALESCE(
    (SELECT checkpoint_seq FROM audit_head WHERE workspace_id = OLD.workspace_id), 0)"""
FIXED = (
    "id",
    "call_id",
    "opening",
    "entry",
    "at",
    "workspace_id",
    "installation_id",
    "guild_id",
    "channel_id",
    "caller_kind",
    "face",
    "client_id",
    "user_id",
    "operation",
    "tier",
    "arguments",
    "step",
    "code",
    "reason",
    "outward_step",
    "status",
    "target_ids",
    "error_code",
    "duration_ms",
)
SQLITE_TRIGGERS = (
    f"""CREATE TRIGGER audit_event_update BEFORE UPDATE ON audit_event
    WHEN OLD.seq IS NOT NULL OR NEW.seq IS NULL OR NEW.mac IS NULL
        OR {" OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in FIXED)}
    BEGIN SELECT RAISE(ABORT, 'audit_event is append-only'); END""",
    f"""CREATE TRIGGER audit_event_delete BEFORE DELETE ON audit_event
    WHEN {BEYOND_CHECKPOINT}
    BEGIN SELECT RAISE(ABORT, 'audit_event is append-only'); END""",
)
POSTGRESQL_TRIGGERS = (
    f"""CREATE FUNCTION audit_event_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF OLD.seq IS NULL AND NEW.seq IS NOT NULL AND NEW.mac IS NOT NULL
                AND to_jsonb(OLD) - 'seq' - 'mac' = to_jsonb(NEW) - 'seq' - 'mac' THEN
                RETURN NEW;
            END IF;
        ELSIF TG_OP = 'DELETE' THEN
            IF NOT ({BEYOND_CHECKPOINT}) THEN
                RETURN OLD;
            END IF;
        END IF;
        RAISE EXCEPTION 'audit_event is append-only';
    END $$""",
    """CREATE TRIGGER audit_event_change BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_event_guard()""",
    """CREATE TRIGGER audit_event_truncate BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_event_guard()""",
)


def upgrade() -> None:
    op.create_table(
        "audit_event",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("mac", sa.String(), nullable=True),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("opening", sa.Boolean(), nullable=False),
        sa.Column("entry", sa.String(), nullable=False),
        sa.Column("at", SECONDS, nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("installation_id", sa.String(), nullable=True),
        sa.Column("guild_id", sa.BigInteger(), nullable=True),
        sa.Column("channel_id", sa.BigInteger(), nullable=True),
        sa.Column("caller_kind", sa.String(), nullable=False),
        sa.Column("face", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("arguments", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("outward_step", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("target_ids", sa.String(), nullable=False),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("duration_ms", SECONDS, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit_event"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_event_call_id", "audit_event", ["call_id"])
    op.create_index("ix_audit_event_guild_id_opening_id", "audit_event", ["guild_id", "opening", "id"])
    op.create_index(
        "ix_audit_event_unchained", "audit_event", ["id"], sqlite_where=UNCHAINED, postgresql_where=UNCHAINED
    )
    op.create_index("ix_audit_event_user_id_opening_id", "audit_event", ["user_id", "opening", "id"])
    op.create_index("ix_audit_event_workspace_id_opening_id", "audit_event", ["workspace_id", "opening", "id"])
    op.create_index("uq_audit_event_workspace_id_seq", "audit_event", ["workspace_id", "seq"], unique=True)
    op.create_table(
        "audit_head",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.String(), nullable=False),
        sa.Column("checkpoint_seq", sa.BigInteger(), nullable=False),
        sa.Column("checkpoint_mac", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name="pk_audit_head"),
    )
    op.create_table(
        "bot_config",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_bot_config"),
    )
    op.create_table(
        "fact_revision",
        sa.Column("noun", sa.String(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("noun", name="pk_fact_revision"),
    )
    op.create_table(
        "idempotency_record",
        sa.Column("key_mac", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("installation_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("payload_mac", sa.String(), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.PrimaryKeyConstraint("key_mac", name="pk_idempotency_record"),
    )
    op.create_index("ix_idempotency_record_call_id", "idempotency_record", ["call_id"])
    op.create_index("ix_idempotency_record_created_at", "idempotency_record", ["created_at"])
    op.create_index("ix_idempotency_record_installation_id", "idempotency_record", ["installation_id"])
    op.create_index("ix_idempotency_record_user_id", "idempotency_record", ["user_id"])
    op.create_table(
        "process_lease",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("expires_at", SECONDS, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_process_lease"),
    )
    op.create_table(
        "read_count",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "client_id", "user_id", "operation", "day", name="pk_read_count"),
    )
    op.create_index("ix_read_count_day", "read_count", ["day"])
    op.create_table(
        "sent_message",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("installation_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("sent_at", SECONDS, nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_sent_message"),
    )
    op.create_index("ix_sent_message_channel_id", "sent_message", ["channel_id"])
    op.create_index("ix_sent_message_installation_id", "sent_message", ["installation_id"])
    op.create_index("ix_sent_message_user_id", "sent_message", ["user_id"])
    op.create_table(
        "user",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_user"),
    )
    op.create_table(
        "workspace",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workspace"),
    )
    op.create_table(
        "guild_installation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("installed_at", SECONDS, nullable=False),
        sa.Column("removed_at", SECONDS, nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_guild_installation_workspace_id_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_guild_installation"),
    )
    op.create_index("ix_guild_installation_workspace_id", "guild_installation", ["workspace_id"])
    op.create_index(
        "uq_guild_installation_active",
        "guild_installation",
        ["guild_id"],
        unique=True,
        sqlite_where=ACTIVE,
        postgresql_where=ACTIVE,
    )
    op.create_table(
        "mcp_client",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("token_mac", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("toolsets", sa.JSON(), nullable=True),
        sa.Column("guild_ids", sa.JSON(), nullable=True),
        sa.Column("read_only", sa.Boolean(), nullable=False),
        sa.Column("direct_writes", sa.Boolean(), nullable=False),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", SECONDS, nullable=True),
        sa.Column("revoked_at", SECONDS, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.user_id"], name="fk_mcp_client_user_id_user", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_mcp_client_workspace_id_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_mcp_client"),
        sa.UniqueConstraint("token_mac", name="uq_mcp_client_token_mac"),
    )
    op.create_index("ix_mcp_client_user_id", "mcp_client", ["user_id"])
    op.create_index("ix_mcp_client_workspace_id", "mcp_client", ["workspace_id"])
    op.create_table(
        "taint_mark",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("gate", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("expires_at", SECONDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_taint_mark_workspace_id_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "user_id", "client_id", "guild_id", "channel_id", "gate", name="pk_taint_mark"
        ),
    )
    op.create_index("ix_taint_mark_expires_at", "taint_mark", ["expires_at"])
    op.create_table(
        "workspace_membership",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role", sa.Integer(), nullable=False),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.user_id"], name="fk_workspace_membership_user_id_user", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name="fk_workspace_membership_workspace_id_workspace",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "user_id", name="pk_workspace_membership"),
    )
    op.create_index("ix_workspace_membership_user_id", "workspace_membership", ["user_id"])
    op.create_table(
        "call",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("installation_id", sa.String(), nullable=True),
        sa.Column("guild_id", sa.BigInteger(), nullable=True),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("caller_kind", sa.String(), nullable=False),
        sa.Column("face", sa.String(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("effect", sa.LargeBinary(), nullable=False),
        sa.Column("effect_version", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("preview", sa.LargeBinary(), nullable=False),
        sa.Column("inverse", sa.LargeBinary(), nullable=True),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.Column("strength", sa.Integer(), nullable=False),
        sa.Column("tainted", sa.Boolean(), nullable=False),
        sa.Column("sources", sa.String(), nullable=False),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("expires_at", SECONDS, nullable=True),
        sa.Column("executor", sa.String(), nullable=True),
        sa.Column("lease_until", SECONDS, nullable=True),
        sa.Column("sent_at", SECONDS, nullable=True),
        sa.Column("settled_at", SECONDS, nullable=True),
        sa.Column("confirmed_by", sa.BigInteger(), nullable=True),
        sa.Column("card_guild_id", sa.BigInteger(), nullable=True),
        sa.Column("card_channel_id", sa.BigInteger(), nullable=True),
        sa.Column("card_message_id", sa.BigInteger(), nullable=True),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.Column("erase_at", SECONDS, nullable=True),
        sa.ForeignKeyConstraint(
            ["installation_id"],
            ["guild_installation.id"],
            name="fk_call_installation_id_guild_installation",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_call_workspace_id_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("call_id", name="pk_call"),
    )
    op.create_index("ix_call_erase_at", "call", ["erase_at"])
    op.create_index("ix_call_installation_id_state", "call", ["installation_id", "state"])
    op.create_index("ix_call_state_client_id", "call", ["state", "client_id"])
    op.create_index("ix_call_workspace_id", "call", ["workspace_id"])
    op.create_table(
        "channel_policy",
        sa.Column("installation_id", sa.String(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rules", sa.String(), nullable=False),
        sa.Column("updated_at", SECONDS, nullable=False),
        sa.Column("updated_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["installation_id"],
            ["guild_installation.id"],
            name="fk_channel_policy_installation_id_guild_installation",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("installation_id", "channel_id", name="pk_channel_policy"),
    )
    op.create_table(
        "guild_policy",
        sa.Column("installation_id", sa.String(), nullable=False),
        sa.Column("rules", sa.String(), nullable=False),
        sa.Column("updated_at", SECONDS, nullable=False),
        sa.Column("updated_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["installation_id"],
            ["guild_installation.id"],
            name="fk_guild_policy_installation_id_guild_installation",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("installation_id", name="pk_guild_policy"),
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_TRIGGERS if sqlite else POSTGRESQL_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    # Indexes and triggers go with their tables; children go before parents.
    for table in (
        "guild_policy",
        "channel_policy",
        "call",
        "workspace_membership",
        "taint_mark",
        "mcp_client",
        "guild_installation",
        "workspace",
        "user",
        "sent_message",
        "read_count",
        "process_lease",
        "idempotency_record",
        "fact_revision",
        "bot_config",
        "audit_head",
        "audit_event",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_event_guard()")
