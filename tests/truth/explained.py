"""Where the product says no and Discord would not, or asks another thing of a person than Discord does; and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stricter:
    """``operation``: a pattern of names; ``said``: a pattern of the product's reason; ``why``: for the report."""

    operation: str
    said: str
    why: str

    def covers(self, operation: str, said: str) -> bool:
        return re.fullmatch(self.operation, operation) is not None and re.search(self.said, said) is not None


STRICTER: tuple[Stricter, ...] = (
    Stricter(".*", r"platform_post", "what the bot posted for nobody is touched by no operation (security 7)"),
    Stricter(".*", r"channel_missing", "a message is named together with its channel"),
    Stricter("reaction_add", r"unknown_emoji", "the preview stops at an emoji that Discord does not know"),
    Stricter(
        "message_delete",
        r"You lack manage_messages",
        "what somebody wrote by hand he may delete by hand; own is what was sent for this requester (security 7)",
    ),
    Stricter(
        "message_delete",
        r"You lack connect at",
        "his own by the bot, in a voice channel that is closed to him now: connect is asked there of everybody",
    ),
    Stricter(
        "member_edit",
        r"lack manage_nicknames at (@Guildhall|Random)|cannot rename me",
        "the bot renames itself by a route of its own, by which nobody else is renamed",
    ),
    Stricter(
        "message_(bulk_)?delete",
        r"I lack.* read_message_history",
        "the preview reads what would be deleted, which takes this right",
    ),
    Stricter(
        "message_send|webhook_execute",
        r"The text does not mention",
        "Discord takes a list of whom to notify that the text does not mention, and notifies nobody of them",
    ),
    Stricter(
        "message_(delete|purge)",
        r"you_are_timed_out",
        "who is timed out does nothing through Guildhall, where Discord might let him delete what is his own",
    ),
    Stricter(
        "channel_permissions_delete|channel_unlock",
        r"lack (?!.*(manage_roles|view_channel|connect))",
        "taking an overwrite away gives back what it denied; Discord documents that bound for edits, and Guildhall "
        "holds to it here too",
    ),
    Stricter(
        "webhook_execute",
        r"The message is empty",
        "the line that says through whom it was sent would be all that it holds",
    ),
    Stricter(
        "webhook_modify",
        r"lack.* connect",
        "denying connect denies all else in a voice channel; the simulated Discord does not hold webhooks to that",
    ),
    Stricter(
        "message_bulk_delete",
        r"At least 2 messages|given twice",
        "discord.py would send another request than the one asked for",
    ),
    Stricter(
        "message_purge",
        r"(I|You) lack manage_messages",
        "what somebody has said himself he may delete without it; a purge is asked for as one of anybody's messages",
    ),
    Stricter(
        "message_purge",
        r"You lack read_message_history",
        "the preview reads for the requester what would be deleted, and nobody reads through the bot what he cannot",
    ),
    Stricter(
        "member_ban",
        r"no message would be deleted with it",
        "of somebody who is banned Discord is asked for nothing, so that the messages would stay",
    ),
    Stricter(
        "member_ban",
        r"A temporary ban ends",
        "when a ban ends is Guildhall's own: Discord takes the ban, and knows of no end",
    ),
    Stricter("message_purge", r"^No message would be deleted", "nothing is sent where nothing is found"),
    Stricter(
        "channel_unlock",
        r"not_locked",
        "where Guildhall has locked nothing there is nothing to give back, so that Discord is asked for nothing",
    ),
    Stricter("channel_(un)?lock", r"not_lockable", "nobody writes in a category itself"),
    Stricter(
        "role_reorder", r"A position here goes from|Nothing stands below", "an effect holds places that there are"
    ),
    Stricter(
        "thread_create",
        r"no_threads_here|No visible channel",
        "the preview stops where Discord documents that no thread can be: "
        "https://discord.com/developers/docs/topics/threads",
    ),
    Stricter("role_modify", r"has permissions only", "Discord passes over such settings of @everyone"),
    Stricter("role_reorder", r"always the lowest role", "nothing is sent for @everyone, which stays where it is"),
    Stricter("guild_modify", r"Only Community guilds have", "the simulated Discord keeps such settings for any guild"),
    Stricter("channel_.*", r"That is a thread", "threads have operations of their own"),
    Stricter(".*", r"^Nothing would change", "Discord takes a change that changes nothing; the caller is told instead"),
    Stricter(
        "message_edit", r"I did not send that message for you", "own is what was sent for this requester (security 7)"
    ),
    Stricter(
        "channel_(create|edit)",
        r"has no (topic|nsfw|slowmode|bitrate|user limit|parent)",
        "Discord passes over a setting that the kind of channel lacks; the caller is told instead",
    ),
    Stricter(
        "channel_(create|edit)",
        r"lack.* at #?Category|No visible category",
        "Discord documents no right in the category that a channel goes to; Guildhall asks for that in a channel",
    ),
    Stricter(
        "channel_create",
        r"A category cannot stand in another category",
        "discord.py's request for a new category names none: Discord would make it outside",
    ),
    Stricter(
        "channel_create",
        r"slowmode is set after it is made",
        "discord.py cannot send it with the request that makes the channel",
    ),
    Stricter(
        "channel_create",
        r"allowed and denied at once",
        "which of the two Discord would keep is documented nowhere",
    ),
    Stricter(
        "channel_create",
        r"named in two overwrites",
        "an effect holds one for each; which of two was meant, nobody knows",
    ),
    Stricter(
        "message_send|webhook_execute",
        r"lack.* mention_everyone",
        "Discord sends the message and notifies nobody; the caller asked that somebody be notified",
    ),
    Stricter(
        "message_send",
        r"Only messages in an announcement channel can be published",
        "the message would stand and not be published",
    ),
    Stricter(
        "message_(send|edit)",
        r"File \d+",
        "without its bytes the file cannot be part of an effect: Discord would be sent the message without it",
    ),
    Stricter(
        "message_edit",
        r"lack.* embed_links",
        "Discord documents no right for the embeds of an edit; Guildhall asks for the same as when sending",
    ),
    Stricter(
        "channel_create",
        r"lack.* manage_roles at Random",
        "Discord documents that overwrites at a channel's making are bounded by bits alone; Guildhall asks for "
        "manage_roles as when they are edited",
    ),
    Stricter(
        "message_purge", r"no_messages: A \w+ channel", "it holds no messages of its own, so that nothing is sent"
    ),
    Stricter(
        "member_warn", r"reason_missing", "a warning says what for (member_warn in docs/operations.md): nothing is sent"
    ),
    Stricter(
        "member_warn", r"A bot reads no warnings", "Discord lets no bot write to a bot; the case alone would stand"
    ),
    Stricter(
        "member_note",
        r"a note about yourself",
        "nobody reads what is noted about himself (member_note), the writer least",
    ),
    Stricter("member_report", r"You can't report yourself", "moderators are asked about others (member_report)"),
    Stricter("case_edit", r"What a member reported stays", "a report is its member's own words; moderators add notes"),
    Stricter(
        "(approvals|log)_channel_set",
        r"not a channel that messages are sent to|A thread is archived",
        "Guildhall could not post there, or what it posted would be archived by itself",
    ),
    Stricter("approvals_channel_set", r"With four_eyes on", "plans would wait where nobody is asked"),
    Stricter(
        "chat_channel_allow",
        r"A thread follows its channel|Nobody writes messages in a category",
        "the agent answers in channels; threads follow theirs",
    ),
    Stricter("agent_budget_set", r"The operator's limit is", "a guild's limit above the operator's would bind nothing"),
    Stricter("agent_model_set", r"configured no smaller model", "nothing would answer by that name"),
    Stricter("approvers_set", r"Everybody holds @everyone", "a role that everybody holds says nothing"),
    Stricter("policy_set", r"is not an operation that writes", "a tier of what writes nothing binds nothing"),
    Stricter(
        "policy_set", r"by itself; \w+ would raise nothing", "a tier that the operation has anyway raises nothing"
    ),
    Stricter("policy_set", r"so nothing can be lifted", "the rest would be done, and the caller believe in all of it"),
    Stricter("policy_set", r"is not a role of this guild", "nobody can hold it"),
    Stricter("policy_set", r"Without an approvals channel", "no second person would see what waits"),
    Stricter("token_create", r"administration is never offered", "no token reaches administration (policy.md)"),
    Stricter("token_create", r"There is no toolset|invalid_scope", "it would be limited to what there is not"),
    Stricter("token_(renew|revoke)", r"has ended already", "what has ended is not ended again"),
    Stricter(
        ".*", r"pending|accepted this guild's rules", "the simulated Discord lets newcomers act; Discord documents it"
    ),
)
"""Each is a refusal that is stricter than the simulated Discord, and on purpose."""

NOT_AS_A_PERSON: Mapping[str, str] = {
    "message_edit": "nobody edits another's message in Discord: the requester's right to speak there is asked instead",
    "message_delete": "what the bot said for somebody is his own here, and the bot's in Discord",
}
"""Operations on the bot's own messages: there the requester's own attempt proves nothing when it fails."""

ABOUT_ITSELF = frozenset({"member_edit"})
"""Operations that have a route of their own for oneself: sent as the requester, they would be about him."""

BEYOND: tuple[Stricter, ...] = (
    Stricter(
        "role_(delete|remove|assign)",
        r"^(member \d+ gained 0x[0-9a-f]+ in (\d+|the guild), which the requester lacks(; )?)+$",
        "what a role gives or takes comes and goes with it, for whoever outranks it",
    ),
)
"""Effects that give more than the requester holds, although Discord lets him do the same by hand."""


TOO_STRICT: tuple[Stricter, ...] = (
    Stricter(
        "role_modify",
        r"^403 50013",
        "simcord holds all permissions of a role against whoever edits it; Discord documents what is granted only: "
        "https://discord.com/developers/docs/topics/permissions#permission-hierarchy",
    ),
)
"""Refusals of the simulation that Discord does not document; the oracle of rights looks at these effects as well."""


def simulated(operation: str, refusal: str) -> str | None:
    """Why the simulated Discord's answer to the requester is too strict; None when nobody has explained it."""
    return next((each.why for each in TOO_STRICT if each.covers(operation, refusal)), None)


def beyond(operation: str, found: str) -> str | None:
    """Why an effect may give more than its requester holds; None when nobody has explained it."""
    return next((each.why for each in BEYOND if each.covers(operation, found)), None)


def stricter(operation: str, said: str) -> str | None:
    """Why the product refuses what Discord would take; None when nobody has explained it."""
    return next((each.why for each in STRICTER if each.covers(operation, said)), None)
