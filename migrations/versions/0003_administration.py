"""Chat channels."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SECONDS = sa.Double[float]()


def upgrade() -> None:
    op.create_table(
        "allowed_chat_channel",
        sa.Column("installation_id", sa.String(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("added_by", sa.BigInteger(), nullable=True),
        sa.Column("added_at", SECONDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["installation_id"],
            ["guild_installation.id"],
            name=op.f("fk_allowed_chat_channel_installation_id_guild_installation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("installation_id", "channel_id", name=op.f("pk_allowed_chat_channel")),
    )


def downgrade() -> None:
    op.drop_table("allowed_chat_channel")
