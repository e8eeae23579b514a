"""What Guildhall says in Discord, in one place: English templates, filled with ``str.format``.

Each is whole sentences, so that it can be translated as it stands; whatever is filled in is made safe before.
"""

from __future__ import annotations

# ------------------------------------------------------------------------ anybody, anywhere
TOO_LATE = "Discord gave this up before Guildhall could answer."
NOT_IN_A_GUILD = "This works in a guild only. Use it in one of its channels."
NOT_SET_UP = (
    "Guildhall is not set up in this guild yet, so it does nothing here. "
    "A member with Manage Server runs `/setup`; the one who runs this instance can also list the guild in "
    "`ALLOWED_GUILD_IDS`."
)
BROKEN = (
    "Something went wrong inside Guildhall, and it may not have been done. Look before you repeat it; "
    "the one who runs this instance finds the reason in its log."
)
UNKNOWN_COMMAND = (
    "This command is not one of this version of Guildhall any more. Restart Discord to see today's; `/help` lists them."
)
CHANGED_COMMAND = (
    "This command has changed, and your Discord still shows the old one. Restart Discord (Ctrl+R), then try again."
)
BAD_OPTION = "`{value}` does not fit here. Pick one that Discord offers."
NOT_ALLOWED = "You may not use this command here. `/help` shows what you may use."

# ----------------------------------------------------------------------------------- buttons
OLD_BUTTON = (
    "This button is of another time or not Guildhall's own, so it does nothing. Run the command again for new ones."
)
NOT_YOUR_BUTTON = "This button belongs to somebody else. Nothing was done; run the command yourself."
NOT_THIS_LOG = (
    "This button is not one of Guildhall's about an entry of this guild's log, so it does nothing. "
    "`/audit` shows the log's entries."
)
CONFIRM = "Confirm"
CANCEL = "Cancel"
DENY = "Deny"
DETAILS = "Details"
UNDO = "Undo"
NEWER = "Newer"
OLDER = "Older"
PREVIOUS = "Previous"
NEXT = "Next"

# ---------------------------------------------------------------------------------- outcomes
DONE = "**Done:** {title}"
PREVIEW = "NOT DONE – preview only: {title}"
PREVIEW_FAILS = "It would fail as it stands:"
PREVIEW_RUN = "To do it, run the command again without `preview`."
PREVIEW_CONFIRM = "To do it, press **Confirm**, until {until}."
WAITS = (
    "NOT DONE – {title} is critical. Press **Confirm** to do it; nothing happens before that. It waits until {until}."
)
WAITS_FOR_ANOTHER = (
    "NOT DONE – {title} waits for another person: this guild asks for the approval of two. It waits until {until}."
)
WAITS_FOR_A_PERSON = "NOT DONE – {title} waits for somebody who may approve it, until {until}."
CARD = "Card"
CARD_AT = "Its card: {url}"
NO_CARD = "`/approvals` shows it to those who may approve it."
NOT_KNOWN_BEFORE = "Not known before:"
REFUSED = "**Not done.** {why}"
FAILED = "**Failed:** {why} Nothing was changed."
UNKNOWN = "**Unknown:** {why} It may or may not have taken effect, and is not sent again. Look before you repeat it."
APPROVED = "It is approved, and will be done in a moment."
CALL = "`{call_id}`"
CALL_UNDO = "`{call_id}` – to undo it: `/undo call:{call_id}`"
NOTHING_FOUND = "Nothing was found."
WHOLE_IN_FILE = "The rest stands in the file."
WORKING = "Working… {done} of {total}. {message}"
WORKING_ON = "Working… {done}. {message}"
TAKEN_BACK = "Taken back. Nothing was done."
DENIED = "Denied. The same effect can't be asked for again for an hour."
ENDED = "{why} Nothing more was done."
HIDDEN_TEXT = (
    "This plan touches, or comes from, a place that you can't see, so its text is not shown to you. "
    "What its facts say is all that you may know of it."
)
TYPE_NAME_TITLE = "Confirm something critical"
TYPE_NAME = "Type the name of the {kind}"
TYPE_NAME_WHY = "As the preview names it. Nothing happens before you send this."

# --------------------------------------------------------------------------- administration
POLICY_GROUP = "What this guild lets through, who confirms, and where"
POLICY_TIER_COMMAND = "Raise the tier of an operation, so that it takes a confirmation"
POLICY_OPERATION = "The operation, as /help and docs/operations.md name it"
POLICY_TIER = "The tier to raise it to; none: what it has by itself"
POLICY_ROLE_COMMAND = "Say which platform role the holders of a Discord role have here"
POLICY_ROLE = "The role in Discord"
POLICY_PLATFORM_ROLE = "viewer reads, member acts, manager tightens, admin loosens; none: takes it out"
POLICY_APPROVERS_COMMAND = "Set all the roles of which an approver holds one; none named: the rights alone count"
POLICY_APPROVER = "A role whose holders confirm"
POLICY_TEST_COMMAND = "Tell whether a member's call would pass, and what would help. Nothing is done"
POLICY_TEST_MEMBER = "The member who would call"
POLICY_TEST_ARGUMENTS = 'Arguments of the call as JSON, such as {"channel": "general", "content": "hi"}'
POLICY_TEST_THROUGH = "How he would call: a command here, an MCP client, or the agent"
BAD_JSON = '`arguments` is not one JSON object. Write it like `{"channel": "general", "content": "hi"}`.'
MCP_GROUP = "Your own MCP clients"
TOKEN_GROUP = "Tokens with which an MCP client acts as you"  # noqa: S105 - the word, not a secret
TOKEN_OPTION = "The token: pick one that Discord offers"  # noqa: S105
TOKEN_RENEW_COMMAND = "Replace a token of yours by a new one, which is shown once"  # noqa: S105
TOKEN_REVOKE_COMMAND = "End a token at once"  # noqa: S105
SHOWN_ONCE = (
    "**Your token**, shown this once and kept nowhere: copy it now, and give it to nobody. It acts as you.\n"
    "```\n{token}\n```\n`/connect` shows where it goes; `/mcp token revoke` ends it."
)
TOKEN_NOT_SHOWN = "Its person is shown the token by `/mcp token renew`; nobody else ever is."  # noqa: S105
CONNECT_COMMAND = "Show how your own MCP client connects to Guildhall"
YOUR_TOKEN = "YOUR_TOKEN"  # noqa: S105
CONNECT = (
    "**MCP address:** <{url}>\n"
    "1. Make a token with `/mcp token create`.\n"
    "2. Put this into your client's configuration, with your token in the place of `{token}`:"
)
CONNECT_FILE = "The file has it for Claude Code, VS Code, Cursor, and clients that start a program."
CONNECT_LOCAL = (
    "Only the machine that Guildhall runs on reaches this address. Whoever runs it sets `PUBLIC_URL` for others."
)
CONNECT_STDIO = (
    "This instance does not serve MCP over HTTP (`MCP_TRANSPORT=stdio`): only whoever runs it connects a client, with "
    "`guildhall stdio` on its machine."
)
CONNECT_LATER = "The database does not answer, so the address is not known now. Try again in a minute."

# What would help, for people at a keyboard, where the operation's own words are meant for programs. By refusal code.
REMEDIES = {
    "unknown_channel": "Pick a channel that Discord offers for this option.",
    "unknown_category": "Pick a category that Discord offers for this option.",
    "unknown_role": "Pick a role that Discord offers for this option.",
    "unknown_member": "Pick a member that Discord offers, or give the id or the exact username.",
    "unknown_user": "Pick a member that Discord offers, or give anybody's id.",
    "unknown_ban": "Pick somebody whom the list of the option offers, or give the id.",
    "unknown_message": "Give the message's link: Copy Message Link in Discord's menu on the message.",
    "unknown_invite": "Pick an invite that the list of the option offers.",
    "unknown_webhook": "Pick a webhook that the list of the option offers.",
    "unknown_call": "`/audit` shows the calls that you may see.",
    "unknown_plan": "`/approvals` shows the plans that you may know of.",
    "not_revertible": "`/audit` says which calls can be undone.",
    "channel_missing": "Give the message's link instead: Copy Message Link in Discord's menu on the message.",
    "unknown_token": "`/mcp token list` shows your tokens.",
    "would_fail": "Mend this and run the command again.",
    "invalid_arguments": "Correct it and run the command again.",
}

# ----------------------------------------------------------------------------------- options
REASON_OPTION = "Why: it stands in Discord's audit log, and in Guildhall's"
PREVIEW_OPTION = "Only show what would happen"
BAD_DURATION = "`{value}` is no length of time that fits here. Write it like `10m`, `2h`, `7d` or `1d12h`, {bounds}."
BETWEEN = "from {least} to {most}"
AT_LEAST = "at least {least}"
BAD_TIME = "`{value}` is no time. Write how long ago (`2h`, `7d`), or a date like `2026-01-31`."
LISTED = "{description} Several: commas between them."
LENGTH_OF_TIME = "{description} Like 10m, 2h, 7d."

# Options whose field says nothing of itself; by name.
OPTIONS = {
    "limit": "How many at most.",
    "channel": "The channel or thread.",
    "category": "The category.",
    "member": "The member.",
    "role": "The role.",
    "call": "The call: its id, as `/audit` shows it.",
    "user_limit": "Of a voice channel: how many may be in it.",
    "bitrate": "Of a voice channel, in bits per second.",
    "content": "The text.",
    "name": "Its name.",
    "topic": "Its topic.",
}

# ----------------------------------------------------------------------------------- privacy
YOUR_DATA = "`/my-data` gives you what is kept of you; `/forget-me` erases it."
KEPT = "What is kept, and how long"
LEAVES = "What leaves this instance"
STAYS = "What stays when you ask to be forgotten"
MY_DATA = "Everything that is kept of you here stands in the file. What moderators keep for themselves is not in it."
MY_DATA_LEFT_OUT = (
    "Not all fits into a file for Discord; older ones are left out: {left}. Ask the one who runs this instance."
)
FORGET = "Forget me"
FORGET_ASKED = (
    "**This ends your tokens and plans here, and erases what your calls said.** It can't be undone. What stays:"
)
FORGET_PRESS = "Press **Forget me** to do it."
FORGOTTEN_NOW = "**You are forgotten.** What was still under way is erased as soon as it has ended."
FORGOTTEN_NOTHING = "There was nothing left to forget."
FORGOTTEN = {
    "plans_cancelled": "plans cancelled",
    "calls_erased": "calls erased",
    "idempotency_keys_deleted": "answers kept for repeated calls",
    "messages_disowned": "messages that are nobody's own now",
    "reports_erased": "reports erased",
    "conversation_messages_deleted": "things said to the agent, and its answers",
    "usage_days_deleted": "days of what you used of the agent",
    "tokens_revoked": "tokens revoked",
}
EXPORTED = "What is kept of this guild, as JSON lines (gzip)."
EXPORTED_LEFT_OUT = "{count} older calls did not fit into a file for Discord; `guildhall audit export` writes them all."
# ------------------------------------------------------------------------------------ /status
STATUS_COMMAND = "How Guildhall is doing, and what it lacks in this guild"
BUDGET = "**Requests to Discord** {total} in the last minute, {waiting} wait; at most {limit} a second leave."
BUDGET_HERE = "This guild's share of them: {count}."
BUDGET_OF = "- {who}: {count}"
ITSELF = "Guildhall itself"
NO_ANSWER = "It does not answer ({kind})."
NOT_LOOKED_AT = "Part of this could not be looked at; the log of the instance says why."
COMMANDS_REFUSED = "Discord did not take the slash commands, so some may be missing or old: {why}"
LOG_CHANNEL = "the log channel"
APPROVALS_CHANNEL = "the approvals channel"
LOST_CHANNELS = (
    "{which} of this guild is gone or closed to the bot, which needs View Channel, Send Messages and "
    "Embed Links there. Give it these, or set another channel."
)

# ------------------------------------------------------------------------------------ /whoami
WHOAMI_COMMAND = "Who you are to Guildhall, and what that lets you do here"
WHOAMI = "You are <@{user_id}> (`{user_id}`), with the role **{role}** in the workspace of this guild."
NO_ROLE = "none"
ROLES = {
    "viewer": "You may look: nothing is changed for you.",
    "member": "You may do what your own rights in Discord allow.",
    "manager": "You may do what your own rights in Discord allow, and tighten this guild's policy.",
    "admin": "You may do what your own rights in Discord allow, and change this guild's policy.",
    "owner": "You may do what your own rights in Discord allow, change this guild's policy, and manage the workspace.",
}
WHOAMI_APPROVER = "You have an approver role: you may approve plans whose rights you hold."
WHOAMI_FOUR_EYES = "This guild asks for a second person: what is risky or critical waits on a card for somebody else."
WHOAMI_TAINTED = (
    "Your MCP clients have read text of others within the last hour: what is risky through them waits for a person."
)
WHOAMI_HELP = "`/help` shows the commands that you may use."

# -------------------------------------------------------------------------------------- /help
HELP_COMMAND = "The commands that you may use here, or one of them in detail"
HELP_OPTION = "A command, to read all about it"
HELP_TITLE = "**Commands that you may use here** ({first}–{last} of {total})"
HELP_LINE = "`/{command}` {description}"
HELP_ONE = "For one in detail: `/help command:…`. What you may use is decided again each time, at each object."
HELP_UNKNOWN = "There is no such command that you may use here. `/help` lists them."
HELP_OPTIONS = "**Options**"
HELP_OPTIONAL = "(optional)"
HELP_NEEDS = "**You need** {names}, where it is done"
HELP_OPEN = "**You need** nothing beyond your membership; each object asks for its own rights"
HELP_OPERATION = "**Operation** `{name}`, {tier}: {means}"
TIERS = {
    "read": "it changes nothing",
    "write": "it is done at once",
    "risky": "it is done at once, since you name it yourself; programs have to ask",
    "critical": "it shows what would happen, and waits for one more press",
}

# ------------------------------------------------------------------------------------- /audit
AUDIT_COMMAND = "What was done, refused or asked for through Guildhall"
AUDIT_MEMBER = "Only what this person asked for"
AUDIT_OPERATION = "Only this operation"
AUDIT_STATUS = "Only what came to this"
AUDIT_SINCE = "Only since then: how long ago (2h, 7d), or a date like 2026-01-31"
AUDIT_MINE = "Only your own"
AUDIT_CALL = "One call, to read all about it"
AUDIT_TITLE = "**What went through Guildhall here**, newest first"
AUDIT_LINE = "<t:{at}:R> {who} {operation} – **{status}** {code} `{call_id}`"
AUDIT_PICK = "Look at one of them…"
AUDIT_NOTHING = "Nothing that you may see fits. Others' calls need View Audit Log, and sight of their channel."
AUDIT_OLD_LIST = "This list is from an earlier time, and Guildhall has not kept it. Run `/audit` again."
AUDIT_ONE = "**{operation}** – {status} `{call_id}`"
AUDIT_REVERTIBLE = "It can be undone: `/undo call:{call_id}`"
NOBODY_BEHIND = "(a client without a person)"

# --------------------------------------------------------------------------- /approvals, /confirm
APPROVALS_COMMAND = "The plans that wait: yours, and those that you may approve"
APPROVALS_TITLE = "**Plans that wait here** ({first}–{last} of {total})"
APPROVALS_NOTHING = "Nothing waits for you here."
APPROVALS_MINE = "yours"
CONFIRM_COMMAND = "Confirm a plan, also where its card is gone"
CONFIRM_OPTION = "The plan: its id, as the card or `/approvals` shows it"
CONFIRM_SHOWN = "Press **Confirm** to do it; nothing happens before that. It waits until {until}."
