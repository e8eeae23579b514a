"""Fifty everyday requests, and the most clicks that each may take."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.app import Place
from tests.cogs.slashing import user, uses
from tests.tasks import checks as is_so
from tests.tasks.checks import Check


@dataclass(frozen=True, slots=True)
class Task:
    """One mention in ``channel``. ``clicks``: at most so many. ``types``: what is typed where a card asks for the name
    of what it is about.
    """

    name: str
    who: str
    text: str
    check: Check
    clicks: int = 0
    channel: str = "general"
    types: str = ""
    prepare: Callable[[Place], Awaitable[object]] | None = None


async def _talk(place: Place) -> None:
    await place.says("nina", "general", "shall we meet at the pier on friday?")
    await place.says("bela", "general", "friday is fine, at seven in the evening")
    await place.says("nina", "general", "I bring the lanterns, who brings food?")


async def _spam(place: Place) -> None:
    await place.says("nina", "general", "BUY CHEAP GOLD NOW")


async def _own(place: Place) -> None:
    await place.sent("ada", content="the meeting is at six")


async def _thread(place: Place) -> None:
    await place.thread("bela", "general", "lantern plans")


async def _warned(place: Place) -> None:
    await uses(place, "marlow", "warn", member=user(place, "nina"), reason="spam")


async def _timed_out(place: Place) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = {"communication_disabled_until": until}
    await place.by_hand("ada", "PATCH", f"/guilds/{place.id}/members/{place.member('nina')}", body)


async def _banned(place: Place) -> None:
    await place.by_hand("ada", "PUT", f"/guilds/{place.id}/bans/{place.member('nina')}", {})


TASKS: tuple[Task, ...] = (
    # reading
    Task("summary", "bela", "summarise the last 100 messages", is_so.says("friday", "lantern"), prepare=_talk),
    Task("who-brings", "bela", "who said they would bring something, and what?", is_so.says("lantern"), prepare=_talk),
    Task("when", "nina", "when do they want to meet?", is_so.says("seven|7|19"), prepare=_talk),
    Task("servers", "bela", "list my servers", is_so.says("Harbor")),
    Task("channels", "bela", "which channels are there?", is_so.says("general", "news")),
    Task("roles", "ada", "which roles does this server have?", is_so.says("Moderator", "Member")),
    Task("role-of", "ada", "which roles does marlow have?", is_so.says("Moderator")),
    Task("members-of", "ada", "who has the Moderator role?", is_so.says("marlow")),
    Task("owner", "bela", "who owns this server?", is_so.says("olive|<@")),
    Task("topic", "bela", "what is this channel about?", is_so.says("anything goes")),
    Task("joined", "ada", "since when is nina a member?", is_so.says("20[0-9][0-9]|<t:|ago|today")),
    Task("search", "ada", "did somebody write about lanterns?", is_so.says("nina|<@"), prepare=_talk),
    Task("threads", "bela", "which threads are open?", is_so.says("lantern plans"), prepare=_thread),
    Task("history", "marlow", "has nina been warned before?", is_so.says("warn", "spam"), prepare=_warned),
    Task("can-i", "bela", "may I delete channels here?", is_so.says("no|not|can't|cannot|lack")),
    # messages
    Task("announce", "ada", "announce in news that the ferry is late", is_so.posted("news", "ferry", "late")),
    Task("post-here", "ada", "post 'welcome aboard' in news", is_so.posted("news", "welcome aboard")),
    Task("pinned-words", "ada", "write the rules in news: be kind, no spam", is_so.posted("news", "kind", "spam")),
    Task(
        "react",
        "ada",
        "react with 👍 to my last message sent through you",
        is_so.reacted("general", "👍"),
        prepare=_own,
    ),
    Task(
        "edit-own",
        "ada",
        "change the message that you sent for me: the meeting is at seven, not six",
        is_so.posted("general", "seven"),
        prepare=_own,
    ),
    Task(
        "delete-one",
        "marlow",
        "delete nina's message about gold",
        is_so.is_gone("general", "CHEAP GOLD"),
        1,
        prepare=_spam,
    ),
    Task(
        "delete-own",
        "ada",
        "delete the message about the meeting that you sent for me",
        is_so.is_gone("general", "meeting is at six"),
        1,
        prepare=_own,
    ),
    Task("thread", "ada", "start a thread called summer party here", is_so.has_thread()),
    Task("poll", "ada", "post a poll in news: tea or coffee?", is_so.has_poll("news")),
    # channels
    Task("channel", "ada", "make a text channel harbour-talk", is_so.has_channel("harbour-talk")),
    Task("voice", "ada", "make a voice channel called deck", is_so.has_channel("deck", "voice")),
    Task("category", "ada", "make a category called Projects", is_so.has_channel("Projects", "category")),
    Task("topic-set", "ada", "set the topic of news to ferry times", is_so.topic_holds("news", "ferry times")),
    Task("slow", "ada", "turn on slowmode of 30 seconds in general", is_so.has_channel("general", slowmode_seconds=30)),
    Task("rename", "ada", "rename news to bulletin", is_so.has_channel("bulletin")),
    Task(
        "support", "ada", "make a channel support that only moderators can see", is_so.hides_from_everyone("support"), 1
    ),
    Task(
        "readonly",
        "ada",
        "members must not write in general any more, only read",
        is_so.denies_somebody("general", "send_messages"),
        1,
    ),
    Task("delete-channel", "ada", "delete the channel news", is_so.has_no_channel("news"), 1, types="news"),
    Task(
        "private-note",
        "ada",
        "make a text channel captains-log with the topic 'what happened today'",
        is_so.topic_holds("captains-log", "what happened today"),
    ),
    # roles
    Task("role", "ada", "make a role Sailor", is_so.has_role("Sailor"), 1),
    Task(
        "role-colour",
        "ada",
        "make a role Navigator that is shown separately",
        is_so.has_role("Navigator", hoist=True),
        1,
    ),
    Task("give-role", "ada", "give bela the role Moderator", is_so.holds("bela", "Moderator"), 1),
    Task("take-role", "ada", "take the role Member from nina", is_so.holds("nina", "Member", yes=False), 1),
    Task("role-rename", "ada", "rename the role Member to Crew", is_so.has_role("Crew"), 1),
    Task("role-delete", "ada", "delete the role Member", is_so.has_no_role("Member"), 1, types="Member"),
    # members
    Task(
        "timeout", "marlow", "time nina out for ten minutes for spamming", is_so.is_timed_out("nina"), 1, prepare=_spam
    ),
    Task(
        "timeout-end",
        "marlow",
        "end nina's timeout",
        lambda seen: not is_so.is_timed_out("nina")(seen),
        1,
        prepare=_timed_out,
    ),
    Task("warn", "marlow", "warn nina for spamming", is_so.has_case("warn"), 1, prepare=_spam),
    Task(
        "draft",
        "marlow",
        "draft a warning for nina, but don't send it",
        is_so.says("nina|you|please|spam"),
        prepare=_spam,
    ),
    Task("note", "marlow", "note about nina, for moderators only: asked for a second chance", is_so.has_case("note")),
    Task("kick", "ada", "kick nina", is_so.has_left("nina"), 1),
    Task("ban", "ada", "ban nina for spam", is_so.is_banned("nina"), 1, prepare=_spam),
    Task("unban", "ada", "unban nina", lambda seen: not is_so.is_banned("nina")(seen), 1, prepare=_banned),
    Task("nickname", "ada", "set bela's nickname to Captain", is_so.is_called("bela", "Captain"), 1),
    # the guild
    Task("invite", "ada", "make an invite that expires in a day", is_so.has_invite(), 1),
)
