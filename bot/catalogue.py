"""The explicit list of operations, by toolset."""

from __future__ import annotations

from operations.base import Operation
from operations.discord.channel_create import CreateChannel
from operations.discord.channel_delete import DeleteChannel
from operations.discord.channel_edit import EditChannel
from operations.discord.channels import GetChannel, ListChannels
from operations.discord.discord_audit import ListDiscordAudit
from operations.discord.guilds import GetGuild, ListGuilds
from operations.discord.invite_create import CreateInvite
from operations.discord.invite_delete import DeleteInvite
from operations.discord.invites import GetInvite, ListInvites
from operations.discord.message_edit import EditMessage
from operations.discord.message_send import SendMessage
from operations.discord.messages import GetMessage, ListRecentMessages
from operations.discord.webhook_create import CreateWebhook
from operations.discord.webhook_delete import DeleteWebhook
from operations.discord.webhook_execute import ExecuteWebhook
from operations.discord.webhook_modify import ModifyWebhook
from operations.discord.webhooks import GetWebhook, ListWebhooks
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
    # moderation
    ListDiscordAudit,
    # webhooks
    CreateWebhook,
    ListWebhooks,
    GetWebhook,
    ModifyWebhook,
    DeleteWebhook,
    ExecuteWebhook,
    # invites
    CreateInvite,
    ListInvites,
    GetInvite,
    DeleteInvite,
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
