"""The agent's conversations, and what they cost."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String
from sqlmodel import Field

from storage.tables.base import Table


class Conversation(Table, table=True):
    """What is said to the agent in one channel or thread, and what it answers.

    ``summary``: sealed; of what was condensed; its rows stay, without their text.
    """

    installation_id: str = Field(
        sa_column=Column(String, ForeignKey("guild_installation.id", ondelete="CASCADE"), primary_key=True)
    )
    channel_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    summary: bytes = Field(default=b"", sa_type=LargeBinary)


class ConversationMessage(Table, table=True):
    """One thing that was said. ``message_id``: the message in Discord that holds it, the first of several.

    ``for_user_id``: whose turn it belongs to. ``by_agent``: the agent's own words. ``text``: sealed JSON of the
    author's name and what was said; once it is condensed, of a keyed hash of that.
    """

    __table_args__ = (
        ForeignKeyConstraint(
            ["installation_id", "channel_id"],
            ["conversation.installation_id", "conversation.channel_id"],
            ondelete="CASCADE",
            name="fk_conversation_message_installation_id_channel_id_conversation",
        ),
        Index("ix_conversation_message_installation_id_channel_id", "installation_id", "channel_id"),
    )

    message_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    installation_id: str = Field(sa_type=String)
    channel_id: int = Field(sa_type=BigInteger, index=True)
    author_id: int = Field(sa_type=BigInteger)
    author_kind: str = Field(sa_type=String)
    for_user_id: int = Field(sa_type=BigInteger, index=True)
    by_agent: bool = Field(default=False, sa_type=Boolean)
    condensed: bool = Field(default=False, sa_type=Boolean)
    text: bytes = Field(sa_type=LargeBinary)
    at: float = Field(sa_type=Double, index=True)


class ConversationPart(Table, table=True):
    """A further message of the same answer: what happens to it happens to all of it."""

    part_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    message_id: int = Field(
        sa_column=Column(
            BigInteger, ForeignKey("conversation_message.message_id", ondelete="CASCADE"), nullable=False, index=True
        )
    )


class UsageRecord(Table, table=True):
    """What one account used on one day (``YYYY-MM-DD``, UTC). ``micros``: millionths of a dollar.

    ``scope``: workspace, guild, role or user. ``reserved_*``: of calls under way.
    """

    day: str = Field(primary_key=True, sa_type=String)
    scope: str = Field(primary_key=True, sa_type=String)
    account_id: str = Field(primary_key=True, sa_type=String)
    workspace_id: str = Field(
        sa_column=Column(String, ForeignKey("workspace.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    subject_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True, index=True))
    tokens: int = Field(default=0, sa_type=BigInteger)
    micros: int = Field(default=0, sa_type=BigInteger)
    reserved_tokens: int = Field(default=0, sa_type=BigInteger)
    reserved_micros: int = Field(default=0, sa_type=BigInteger)


class UsageReservation(Table, table=True):
    """A call to a model that is under way. ``accounts``: JSON of ``[scope, account_id]`` pairs.

    ``expires_at``: by then it has ended, or its process has died; what it holds is given back.
    """

    id: str = Field(primary_key=True, sa_type=String)
    day: str = Field(sa_type=String)
    accounts: str = Field(sa_type=String)
    tokens: int = Field(sa_type=BigInteger)
    micros: int = Field(sa_type=BigInteger)
    expires_at: float = Field(sa_type=Double, index=True)
