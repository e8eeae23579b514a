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
