"""What the set-up card and its answers say."""

from __future__ import annotations

TITLE = "Set up Guildhall"
INERT = (
    "Guildhall has joined this guild and does nothing here yet. A member with **Manage Server** claims it: press "
    "**Claim**, or run `/setup`."
)
INERT_IN_DM = (
    "Guildhall has joined **{guild}** and does nothing there yet. It may not write in a channel that your staff "
    "reads, so you are told here. Press **Claim**; the rest is set with `/setup` in the guild."
)
UNLISTED = (
    "This instance of Guildhall serves listed guilds only. Whoever runs it has to add {guild_id} to "
    "`ALLOWED_GUILD_IDS`."
)
CLAIMED = (
    "Choose below; each choice counts at once, within your own rights. Nothing has to be set: `/setup` opens this "
    "again."
)
CLAIMED_IN_DM = "The guild is claimed. The rest is set with `/setup` in the guild."
FINISHED = "Guildhall is set up. `/setup` opens this again."
HOW_TO_CLAIM = (
    "Guildhall is not claimed in this guild yet: a member with Manage Server runs `/setup` and presses **Claim**."
)
CHAT_CHANNELS = "Chat channels"
CHAT_CHANNELS_ARE = "Where the agent answers: {channels}"
LOG_CHANNEL = "Log channel"
LOG_CHANNEL_IS = "Where it tells what was done: {channel}"
APPROVERS = "Approvers"
APPROVERS_ARE = "Who confirms, beside the rights that a plan asks for: {roles}"
ANYBODY_WITH_RIGHTS = "the rights alone count"
PRESET = "Preset"
PRESET_IS = "What is served here: **{preset}**"
NONE = "none"
LACKING = "What I may not do here"
LACKS_NOTHING = "Nothing: I have every permission that this preset asks for."
AND_MORE = "… and {count} more permissions."
GRANT = "Grant these permissions"
CLAIM = "Claim"
LOOK_AGAIN = "Look again"
DONE = "Done"
CHOOSE_CHAT = "Chat channels: where the agent answers"
CHOOSE_LOG = "Log channel: where it tells what was done"
CHOOSE_APPROVERS = "Approvers: roles that confirm what is critical"
CHOOSE_PRESET = "Preset: what is served here"
PRESETS = {
    "everyday": "Messages, threads, roles of members, timeouts",
    "moderation": "Members, messages, cases, the audit log",
    "builder": "Channels, roles, webhooks, the guild's settings",
    "read_only": "Looking only; nothing is changed",
    "all": "Everything, within each member's own rights",
}
NOT_A_CARD = "This is not Guildhall's own card, or one of another time. `/setup` gives you a new one."
NOT_IN_GUILD = "You are not a member of that guild any more, or Guildhall is not."
MAY_NOT = (
    "Setting up takes **Manage Server** in this guild, or the role manager in its workspace. Ask somebody who has it."
)
CLAIM_FIRST = "Claim the guild first: press **Claim**."
CLAIMED_NOW = "Claimed. Guildhall serves this guild from now on, and you are its admin there. Now choose on the card."
LOOKED = "This is how it stands now."
SAME = "Nothing changed; it is so already."
UNREACHABLE = "Discord does not answer in time. Nothing was done; press again in a few seconds."
MISTAKE = "Guildhall made a mistake; its log has the details. Press again, or run `/setup`."
COMMAND = "Set up Guildhall in this guild: claim it, choose channels, approvers and preset"
