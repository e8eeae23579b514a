"""What the log channel is told, and pauses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SECONDS = sa.Double[float]()


def upgrade() -> None:
    op.create_table(
        "pause",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("installation_id", sa.String(), nullable=True),
        sa.Column("caller_key", sa.String(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("began_at", SECONDS, nullable=False),
        sa.Column("began_by", sa.BigInteger(), nullable=True),
        sa.Column("until", SECONDS, nullable=True),
        sa.ForeignKeyConstraint(
            ["installation_id"],
            ["guild_installation.id"],
            name="fk_pause_installation_id_guild_installation",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("scope", name="pk_pause"),
    )
    op.create_index("ix_pause_installation_id", "pause", ["installation_id"])
    op.create_table(
        "log_position",
        sa.Column("installation_id", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("sending_to", sa.BigInteger(), nullable=True),
        sa.Column("sending_at", SECONDS, nullable=True),
        sa.Column("channel_id", sa.BigInteger(), nullable=True),
        sa.Column("nonce", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["installation_id"],
            ["guild_installation.id"],
            name="fk_log_position_installation_id_guild_installation",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("installation_id", name="pk_log_position"),
    )


def downgrade() -> None:
    op.drop_table("log_position")
    op.drop_index("ix_pause_installation_id", "pause")
    op.drop_table("pause")
