"""Who claimed a guild, and the set-up cards of guilds that the bot has joined."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("guild_installation") as installation:
        installation.add_column(sa.Column("claimed_by", sa.BigInteger(), nullable=True))
    op.create_table(
        "setup_card",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("joined_at", sa.Double[float](), nullable=False),
        sa.Column("settled_at", sa.Double[float](), nullable=True),
        sa.Column("channel_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("guild_id"),
    )


def downgrade() -> None:
    op.drop_table("setup_card")
    with op.batch_alter_table("guild_installation") as installation:
        installation.drop_column("claimed_by")
