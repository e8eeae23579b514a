"""The explicit list of operations, by toolset."""

from __future__ import annotations

from operations.base import Operation
from operations.discord.ban_list import ListBans
from operations.discord.channel_create import CreateChannel
from operations.discord.channel_delete import DeleteChannel
from operations.discord.channel_edit import EditChannel
from operations.discord.channels import GetChannel, ListChannels
from operations.discord.guilds import GetGuild, ListGuilds
from operations.discord.member_ban import BanMember
from operations.discord.member_edit import EditMember
from operations.discord.member_kick import KickMember
from operations.discord.member_list import ListMembers
from operations.discord.member_timeout import TimeoutMember
from operations.discord.member_timeout_remove import RemoveMemberTimeout
from operations.discord.member_unban import UnbanMember
from operations.discord.members import GetMember, SearchMembers
from operations.discord.message_edit import EditMessage
from operations.discord.message_send import SendMessage
from operations.discord.messages import GetMessage, ListRecentMessages
from operations.platform.audit import ListAudit
from operations.platform.meta import (
    ExplainPolicy,
    OperationDestroy,
    OperationRead,
    OperationWrite,
    SearchTools,
    Whoami,
)

CATALOGUE: tuple[type[Operation], ...] = (
    # guilds
    ListGuilds,
    GetGuild,
    # channels
    ListChannels,
    GetChannel,
    CreateChannel,
    EditChannel,
    DeleteChannel,
    # messages
    ListRecentMessages,
    GetMessage,
    SendMessage,
    EditMessage,
    # members
    GetMember,
    ListMembers,
    KickMember,
    BanMember,
    TimeoutMember,
    UnbanMember,
    SearchMembers,
    RemoveMemberTimeout,
    EditMember,
    ListBans,
    # audit
    ListAudit,
    # meta
    Whoami,
    SearchTools,
    ExplainPolicy,
    OperationRead,
    OperationWrite,
    OperationDestroy,
)
