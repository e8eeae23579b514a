"""What is erased when people ask for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call_message",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.call_id"], name="fk_call_message_call_id_call", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "message_id", name="pk_call_message"),
    )
    op.create_index("ix_call_message_channel_id", "call_message", ["channel_id"])
    op.create_index("ix_call_message_message_id", "call_message", ["message_id"])
    op.create_table(
        "erasure_request",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("asked_at", sa.Double[float](), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_erasure_request_workspace_id_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "user_id", name="pk_erasure_request"),
    )
    op.create_index("ix_erasure_request_asked_at", "erasure_request", ["asked_at"])


def downgrade() -> None:
    op.drop_table("erasure_request")
    op.drop_table("call_message")
