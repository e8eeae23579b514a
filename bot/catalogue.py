"""The explicit list of operations, by toolset."""

from __future__ import annotations

from operations.base import Operation
from operations.discord.channel_create import CreateChannel
from operations.discord.channel_delete import DeleteChannel
from operations.discord.channel_edit import EditChannel
from operations.discord.channels import GetChannel, ListChannels
from operations.discord.guild_modify import ModifyGuild
from operations.discord.guilds import GetGuild, ListGuilds
from operations.discord.message_bulk_delete import BulkDeleteMessages
from operations.discord.message_delete import DeleteMessage
from operations.discord.message_edit import EditMessage
from operations.discord.message_send import SendMessage
from operations.discord.messages import GetMessage, ListRecentMessages
from operations.discord.reaction_add import AddReaction
from operations.discord.thread_create import CreateThread
from operations.discord.threads import ListThreads
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
    ModifyGuild,
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
    # reactions
    AddReaction,
    # moderation
    DeleteMessage,
    BulkDeleteMessages,
    # threads
    CreateThread,
    ListThreads,
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
