"""What the assistant's commands and buttons say."""

from __future__ import annotations

OFF = (
    "The agent is switched off here. Whoever runs this instance sets `AGENT_ENABLED=true` and starts it again; "
    "everything else works without."
)
# --------------------------------------------------------------------------------- /stop
STOP_COMMAND = "Stop what the agent is doing in this channel for you"
STOPPED = "Stopped. What was done already stays done; `/audit` tells of it."
NOTHING_RUNS = (
    "The agent does nothing here that is yours to stop. Whoever may manage messages stops what it does for others."
)
# -------------------------------------------------------------------------------- /usage
USAGE_COMMAND = "What the agent used today, of whose budget"
USAGE = "**The agent today** ({day}, until midnight UTC)"
USAGE_LINE = "- {of}: {tokens:,} tokens, ${cost:.2f}{limit}"
USAGE_LIMIT = " of {limits}"
USAGE_TOKENS = "{tokens:,} tokens"
USAGE_COST = "${cost:,.2f}"
OF = {"workspace": "Workspace", "guild": "This guild", "role": "Role {role}", "user": "You"}
# -------------------------------------------------------------------------------- /model
MODEL_COMMAND = "Which model answers here; a workspace admin chooses among those that are configured"
MODEL_OPTION = "Which of the configured models shall answer in this guild"
MODEL = "`{model}` answers here."
MODEL_ON = "- {name}: `{model}`"
MODELS = "Configured are:"
MODEL_CHOOSE = "A workspace admin chooses with `/model choice:`."
MODEL_LOW = "When less than a fifth of a budget is left, the smaller one answers."
# ---------------------------------------------------------------------------- /summarize
SUMMARIZE_COMMAND = "Summarise what was said last in this channel, for you alone"
SUMMARIZE_OPTION = "How many of the last messages, up to 100"
SUMMARY_TASK = (
    "Summarise these messages of a channel for somebody who has not read them: what it was about, what was decided, "
    "what is still open and who is waited for. At most 200 words."
)
MENU_SUMMARISE = "Summarise from here"
# -------------------------------------------------------------------------------- drafts
MENU_DRAFT = "Draft a warning"
DRAFT_TASK = (
    "Draft a warning of a moderator to the author of this message: calm, at most 80 words, in the second person; say "
    "what in the message was the matter and what is expected. Only the text of the warning."
)
DRAFT_SEND = "Warn with this text"
# ----------------------------------------------------------------------------------- why
MENU_WHY = "Why did the bot do this?"
NOT_THE_BOTS = "That is no message of mine, so I did nothing there. `/audit` tells what went through me."
WHY_UNKNOWN = "I know of no call that you may see behind this message. `/audit` tells of the calls that you may see."
# -------------------------------------------------------------------------------- gating
ENABLE = "Enable here"
ASK_TO_ENABLE = (
    "I don't answer in this channel yet. You manage this guild: press the button to let me answer here (`/allow-chat` "
    "does the same)."
)
NOT_THIS_BUTTON = "That button is not one of mine, or no longer good. Use `/allow-chat`."
RESET_COMMAND = "Have the agent forget its conversation in this channel, or your part of it"
