"""The explicit list of operations, by toolset."""

from __future__ import annotations

from operations.base import Operation
from operations.discord.channel_create import CreateChannel
from operations.discord.channel_delete import DeleteChannel
from operations.discord.channel_edit import EditChannel
from operations.discord.channels import GetChannel, ListChannels
from operations.discord.guilds import GetGuild, ListGuilds
from operations.discord.message_edit import EditMessage
from operations.discord.message_send import SendMessage
from operations.discord.messages import GetMessage, ListRecentMessages
from operations.platform.audit import ListAudit
from operations.platform.audit_entry import GetAudit, RevertAudit
from operations.platform.meta import (
    ExplainPolicy,
    OperationDestroy,
    OperationRead,
    OperationWrite,
    SearchTools,
    Whoami,
)
from operations.platform.plans import CancelPlan, ConfirmPlan, GetPlan

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
    # audit
    ListAudit,
    GetAudit,
    RevertAudit,
    # meta
    Whoami,
    SearchTools,
    ExplainPolicy,
    GetPlan,
    ConfirmPlan,
    CancelPlan,
    OperationRead,
    OperationWrite,
    OperationDestroy,
)
