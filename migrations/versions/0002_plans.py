"""What a plan is recognised by, whether somebody was asked for it, and what its card shows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

EMPTY = sa.text("''")
WITH_CARD = sa.text("card_message_id IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("call") as call:
        # Plans of before were asked for by executions only.
        call.add_column(sa.Column("asked", sa.Boolean(), nullable=False, server_default=sa.true()))
        call.add_column(sa.Column("payload_mac", sa.String(), nullable=False, server_default=EMPTY))
        call.add_column(sa.Column("effect_mac", sa.String(), nullable=False, server_default=EMPTY))
        call.add_column(sa.Column("origin_channel_id", sa.BigInteger(), nullable=True))
        call.add_column(sa.Column("card_state", sa.String(), nullable=True))
        call.alter_column("sent_at", new_column_name="started_at")
    with op.batch_alter_table("call") as call:
        for column in ("asked", "payload_mac", "effect_mac"):
            call.alter_column(column, server_default=None)
    op.create_index("ix_call_installation_id_effect_mac", "call", ["installation_id", "effect_mac"])
    op.create_index(
        "ix_call_card_message_id",
        "call",
        ["card_message_id"],
        sqlite_where=WITH_CARD,
        postgresql_where=WITH_CARD,
    )


def downgrade() -> None:
    op.drop_index("ix_call_card_message_id", "call")
    op.drop_index("ix_call_installation_id_effect_mac", "call")
    with op.batch_alter_table("call") as call:
        for column in ("card_state", "origin_channel_id", "effect_mac", "payload_mac", "asked"):
            call.drop_column(column)
        call.alter_column("started_at", new_column_name="sent_at")
