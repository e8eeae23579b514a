"""Cases of moderation, and effects that end by themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SECONDS = sa.Double[float]()
AWAITED = sa.text("state IN ('waiting', 'ending')")


def _of_installation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["installation_id"],
        ["guild_installation.id"],
        name=f"fk_{table}_installation_id_guild_installation",
        ondelete="CASCADE",
    )


def upgrade() -> None:
    op.create_table(
        "case_book",
        sa.Column("installation_id", sa.String(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("seen_entry_id", sa.BigInteger(), nullable=False),
        _of_installation("case_book"),
        sa.PrimaryKeyConstraint("installation_id", name="pk_case_book"),
    )
    op.create_table(
        "case",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("installation_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("moderator_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("reason_by", sa.BigInteger(), nullable=True),
        sa.Column("channel_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("notice", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=True),
        sa.Column("discord_entry_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("expires_at", SECONDS, nullable=True),
        sa.Column("edited_at", SECONDS, nullable=True),
        sa.Column("edited_by", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", SECONDS, nullable=True),
        sa.Column("closed_by", sa.BigInteger(), nullable=True),
        _of_installation("case"),
        sa.PrimaryKeyConstraint("id", name="pk_case"),
    )
    op.create_index("uq_case_installation_id_number", "case", ["installation_id", "number"], unique=True)
    op.create_index(
        "uq_case_installation_id_discord_entry_id", "case", ["installation_id", "discord_entry_id"], unique=True
    )
    op.create_index("ix_case_installation_id_user_id_number", "case", ["installation_id", "user_id", "number"])
    op.create_index("ix_case_call_id", "case", ["call_id"])
    op.create_index("ix_case_reason_by", "case", ["reason_by"])
    op.create_table(
        "case_note",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", SECONDS, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_case_note_case_id_case", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_case_note"),
    )
    op.create_index("ix_case_note_case_id", "case_note", ["case_id"])
    op.create_index("ix_case_note_author_id", "case_note", ["author_id"])
    op.create_table(
        "temporary_effect",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("installation_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("ends_at", SECONDS, nullable=False),
        sa.Column("executor", sa.String(), nullable=True),
        sa.Column("lease_until", SECONDS, nullable=True),
        sa.Column("end_call_id", sa.String(), nullable=True),
        sa.Column("settled_at", SECONDS, nullable=True),
        _of_installation("temporary_effect"),
        sa.PrimaryKeyConstraint("id", name="pk_temporary_effect"),
    )
    op.create_index(
        "ix_temporary_effect_ends_at",
        "temporary_effect",
        ["ends_at"],
        sqlite_where=AWAITED,
        postgresql_where=AWAITED,
    )
    op.create_index("ix_temporary_effect_installation_id_user_id", "temporary_effect", ["installation_id", "user_id"])
    op.create_index("ix_temporary_effect_call_id", "temporary_effect", ["call_id"])


def downgrade() -> None:
    for table in ("temporary_effect", "case_note", "case", "case_book"):
        op.drop_table(table)
