"""Locked channels."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channel_lock",
        sa.Column("installation_id", sa.String(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("overwrites", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("locked_at", sa.Double[float](), nullable=False),
        sa.ForeignKeyConstraint(
            ["installation_id"],
            ["guild_installation.id"],
            name="fk_channel_lock_installation_id_guild_installation",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("installation_id", "channel_id", name="pk_channel_lock"),
    )


def downgrade() -> None:
    op.drop_table("channel_lock")
