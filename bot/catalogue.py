"""The explicit list of operations, by toolset."""

from __future__ import annotations

from operations.base import Operation
from operations.discord.ban_list import ListBans
from operations.discord.case_edit import EditCase
from operations.discord.cases import GetCase, ListCases, ReadMemberHistory
from operations.discord.channel_create import CreateChannel
from operations.discord.channel_delete import DeleteChannel
from operations.discord.channel_edit import EditChannel
from operations.discord.channel_lock import LockChannel
from operations.discord.channel_permissions import ListChannelPermissions
from operations.discord.channel_permissions_delete import DeleteChannelPermissions
from operations.discord.channel_permissions_edit import EditChannelPermissions
from operations.discord.channel_unlock import UnlockChannel
from operations.discord.channels import GetChannel, ListChannels
from operations.discord.discord_audit import ListDiscordAudit
from operations.discord.guild_modify import ModifyGuild
from operations.discord.guilds import GetGuild, ListGuilds
from operations.discord.invite_create import CreateInvite
from operations.discord.invite_delete import DeleteInvite
from operations.discord.invites import GetInvite, ListInvites
from operations.discord.member_ban import BanMember
from operations.discord.member_edit import EditMember
from operations.discord.member_kick import KickMember
from operations.discord.member_list import ListMembers
from operations.discord.member_note import NoteMember
from operations.discord.member_report import ReportMember
from operations.discord.member_timeout import TimeoutMember
from operations.discord.member_timeout_remove import RemoveMemberTimeout
from operations.discord.member_unban import UnbanMember
from operations.discord.member_warn import WarnMember
from operations.discord.members import GetMember, SearchMembers
from operations.discord.message_bulk_delete import BulkDeleteMessages
from operations.discord.message_delete import DeleteMessage
from operations.discord.message_edit import EditMessage
from operations.discord.message_purge import PurgeMessages
from operations.discord.message_send import SendMessage
from operations.discord.messages import GetMessage, ListRecentMessages
from operations.discord.reaction_add import AddReaction
from operations.discord.role_create import CreateRole
from operations.discord.role_delete import DeleteRole
from operations.discord.role_membership import AssignRole, RemoveRole
from operations.discord.role_modify import ModifyRole
from operations.discord.role_reorder import ReorderRole
from operations.discord.roles import GetRole, ListRoles
from operations.discord.thread_create import CreateThread
from operations.discord.threads import ListThreads
from operations.discord.webhook_create import CreateWebhook
from operations.discord.webhook_delete import DeleteWebhook
from operations.discord.webhook_execute import ExecuteWebhook
from operations.discord.webhook_modify import ModifyWebhook
from operations.discord.webhooks import GetWebhook, ListWebhooks
from operations.platform.agent import GetAgentUsage, ResetConversation, SetAgentBudget, SetAgentModel
from operations.platform.audit import ListAudit
from operations.platform.audit_entry import GetAudit, RevertAudit
from operations.platform.channel_policies import SetChannelPolicy
from operations.platform.chat_channels import AllowChatChannel, DisallowChatChannel
from operations.platform.guild_claim import ClaimGuild
from operations.platform.guild_export import ExportGuild
from operations.platform.meta import (
    ExplainPolicy,
    OperationDestroy,
    OperationRead,
    OperationWrite,
    SearchTools,
    Whoami,
)
from operations.platform.my_data import GetMyData
from operations.platform.pauses import PauseGuild, ResumeGuild
from operations.platform.plans import CancelPlan, ConfirmPlan, GetPlan
from operations.platform.policies import GetPolicy, SetPolicy
from operations.platform.policy_channels import SetApprovalsChannel, SetApprovers, SetLogChannel
from operations.platform.policy_test import TryPolicy
from operations.platform.preset_set import SetPreset
from operations.platform.privacy import ForgetData, GetPrivacy
from operations.platform.tokens import CreateToken, ListTokens, RenewToken, RevokeToken

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
    EditChannelPermissions,
    DeleteChannelPermissions,
    ListChannelPermissions,
    LockChannel,
    UnlockChannel,
    # messages
    ListRecentMessages,
    GetMessage,
    SendMessage,
    EditMessage,
    # roles
    ListRoles,
    CreateRole,
    ModifyRole,
    DeleteRole,
    ReorderRole,
    AssignRole,
    RemoveRole,
    GetRole,
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
    ReadMemberHistory,
    # reactions
    AddReaction,
    # moderation
    DeleteMessage,
    BulkDeleteMessages,
    PurgeMessages,
    WarnMember,
    NoteMember,
    ReportMember,
    ListCases,
    GetCase,
    EditCase,
    # threads
    CreateThread,
    ListThreads,
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
    GetAudit,
    RevertAudit,
    # administration
    ExportGuild,
    ClaimGuild,
    PauseGuild,
    ResumeGuild,
    GetPolicy,
    SetPolicy,
    TryPolicy,
    SetChannelPolicy,
    SetApprovers,
    SetApprovalsChannel,
    SetLogChannel,
    SetPreset,
    SetAgentBudget,
    SetAgentModel,
    GetAgentUsage,
    ResetConversation,
    AllowChatChannel,
    DisallowChatChannel,
    CreateToken,
    ListTokens,
    RenewToken,
    RevokeToken,
    # meta
    Whoami,
    SearchTools,
    ExplainPolicy,
    GetPlan,
    ConfirmPlan,
    CancelPlan,
    GetPrivacy,
    GetMyData,
    ForgetData,
    OperationRead,
    OperationWrite,
    OperationDestroy,
)
