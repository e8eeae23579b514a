"""The agent's conversations and what they cost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conversation",
        sa.Column("installation_id", sa.String(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("summary", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["installation_id"],
            ["guild_installation.id"],
            name="fk_conversation_installation_id_guild_installation",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("installation_id", "channel_id", name="pk_conversation"),
    )
    op.create_table(
        "conversation_message",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("installation_id", sa.String(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("author_kind", sa.String(), nullable=False),
        sa.Column("for_user_id", sa.BigInteger(), nullable=False),
        sa.Column("by_agent", sa.Boolean(), nullable=False),
        sa.Column("condensed", sa.Boolean(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.Double[float](), nullable=False),
        sa.ForeignKeyConstraint(
            ["installation_id", "channel_id"],
            ["conversation.installation_id", "conversation.channel_id"],
            name="fk_conversation_message_installation_id_channel_id_conversation",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("message_id", name="pk_conversation_message"),
    )
    for column in ("at", "channel_id", "for_user_id"):
        op.create_index(f"ix_conversation_message_{column}", "conversation_message", [column])
    op.create_index(
        "ix_conversation_message_installation_id_channel_id", "conversation_message", ["installation_id", "channel_id"]
    )
    op.create_table(
        "conversation_part",
        sa.Column("part_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["conversation_message.message_id"],
            name="fk_conversation_part_message_id_conversation_message",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("part_id", name="pk_conversation_part"),
    )
    op.create_index("ix_conversation_part_message_id", "conversation_part", ["message_id"])
    op.create_table(
        "usage_record",
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=True),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("reserved_tokens", sa.BigInteger(), nullable=False),
        sa.Column("reserved_micros", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_usage_record_workspace_id_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("day", "scope", "account_id", name="pk_usage_record"),
    )
    for column in ("subject_id", "workspace_id"):
        op.create_index(f"ix_usage_record_{column}", "usage_record", [column])
    op.create_table(
        "usage_reservation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("accounts", sa.String(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.Double[float](), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_usage_reservation"),
    )
    op.create_index("ix_usage_reservation_expires_at", "usage_reservation", ["expires_at"])


def downgrade() -> None:
    for table in (
        "usage_reservation",
        "usage_record",
        "conversation_part",
        "conversation_message",
        "conversation",
    ):
        op.drop_table(table)
