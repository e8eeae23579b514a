"""What a log channel is shown: one compact embed for each piece of news, ids and names alone. Pure.

Nothing that anybody wrote stands here: no text, no topic, no reason given. Names of channels are shown where everybody
who reads the log may see that channel, others by their id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import discord

from cogs.card_text import code, words
from cogs.log_ids import LogIds, LogPress
from cogs.log_news import Batch, News, counted
from operations.pauses import CALLER_PAUSE
from policy.model import CallerKind, Face, Target

LINES_LIMIT = 450
"""Characters of an embed's lines: ten of them and their titles stay below 6,000."""
TARGETS_SHOWN = 4
SUMMED_UP_SHOWN = 12
WORDS = {
    "done": ("Done", discord.Colour.green()),
    "failed": ("Failed", discord.Colour.dark_red()),
    "unknown": ("Outcome unknown", discord.Colour.gold()),
    "refused": ("Refused", discord.Colour.orange()),
    "confirmed": ("Approved", discord.Colour.blue()),
    "denied": ("Denied", discord.Colour.dark_grey()),
    "expired": ("Expired", discord.Colour.light_grey()),
    "cancelled": ("Cancelled", discord.Colour.light_grey()),
}
PAUSED_BY_ITSELF = {
    "refusals": "too many of its writes were refused in a short time",
    "destructions": "it asked for too many deletions and the like in a short time",
}
_THROUGH = {
    CallerKind.OAUTH: "an MCP client",
    CallerKind.TOKEN: "an MCP client",
    CallerKind.OPERATOR: "an operator's client",
    CallerKind.MEMBER: "Discord",
    CallerKind.COMMAND_LINE: "the command line",
    CallerKind.AUTOMATION: "an automation",
    CallerKind.SYSTEM: "Guildhall itself",
}
# Kinds whose names every member of a guild may know; those of channels are asked of the channel.
_NAMED = frozenset({"guild", "role", "member", "everyone"})
_CHANNELS = frozenset({"channel", "category", "thread"})

ClientName = Callable[[str], str]
"""What a client calls itself, by its id; '' for one that is not known."""
Naming = Callable[[Target], Target]
"""A target as the readers of the log may know it: without its name where they may not."""


def embeds_of(batch: Batch, naming: Naming, client_name: ClientName) -> list[discord.Embed]:
    numbered = len(batch.shown) > 1
    found = [
        embed_of(news, number if numbered else 0, naming, client_name)
        for number, news in enumerate(batch.shown, start=1)
    ]
    if batch.summed_up:
        found.append(summary_of(batch.summed_up, f"And {len(batch.summed_up)} more"))
    return found


def embed_of(news: News, number: int, naming: Naming, client_name: ClientName) -> discord.Embed:
    """``number``: its place in a message that tells several; 0 alone."""
    word, colour = WORDS.get(news.entry.status, (news.entry.status, discord.Colour.light_grey()))
    title = f"{word}: {news.known.title}"
    if news.entry.operation == CALLER_PAUSE:
        title, colour = "⚠️ Paused by itself: a caller", discord.Colour.red()
    elif news.loosened:
        title, colour = f"⚠️ Policy loosened: {news.known.title}", discord.Colour.red()
    embed = discord.Embed(
        title=f"{number}. {title}" if number else title,
        description=_joined(_lines(news, naming, client_name)),
        colour=colour,
        timestamp=datetime.fromtimestamp(news.entry.at, UTC),
    )
    embed.set_footer(text=news.call_id)
    return embed


def _joined(lines: Iterator[str]) -> str:
    kept, room = list[str](), LINES_LIMIT
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join(kept)


def _lines(news: News, naming: Naming, client_name: ClientName) -> Iterator[str]:
    entry, opening = news.entry, news.opening
    if entry.operation == CALLER_PAUSE:
        yield f"**Who** {_of_client(entry.client_id, client_name)}{_in_the_name_of(entry.target_ids)}"
        yield f"**Why** {PAUSED_BY_ITSELF.get(entry.code, 'a burst of calls')}"
        yield "**Ends** after ten minutes, or by /resume"
        return
    yield f"**By** {_person(opening.user_id, opening.caller_kind)}"
    yield f"**Through** {_through(news, client_name)}"
    yield f"**Operation** `{entry.operation}`{f', {opening.tier}' if opening.tier else ''}"
    if news.loosened:
        yield f"**Loosened** {words('; '.join(news.loosened), 200)}"
    if entry.status in ("confirmed", "denied", "cancelled") and entry.user_id is not None:
        verb = {"confirmed": "Approved", "denied": "Denied", "cancelled": "Taken back"}[entry.status]
        yield f"**{verb} by** {_mention(entry.user_id)}"
    if news.confirmed_by is not None:
        yield f"**Approved by** {_mention(news.confirmed_by)}"
    if entry.status == "refused":
        step = entry.outward_step or entry.step
        yield f"**Why** {'`unknown`' if news.masked else code(entry.code, 60)} at step {step or 'execute'}"
    elif entry.error_code is not None:
        yield f"**Discord's code** `{entry.error_code}`"
    if not news.masked:
        yield from _targets(news, naming)


def _targets(news: News, naming: Naming) -> Iterator[str]:
    if news.targets:
        targets = [naming(target) for target in news.targets]
    else:
        guild_id = news.opening.guild_id or 0
        targets = [naming(Target("", target_id, guild_id)) for target_id in news.opening.target_ids]
    targets = [target for target in targets if target.kind != "guild"]
    for target in targets[:TARGETS_SHOWN]:
        yield f"**Target** {_target(target)}"
    if len(targets) > TARGETS_SHOWN:
        yield f"and {len(targets) - TARGETS_SHOWN} more"


def _target(target: Target) -> str:
    said = f"{target.kind or 'object'} `{target.id}`"
    if target.name and target.kind in _NAMED | _CHANNELS:
        said += f" {code(target.name, 40)}"
    return said if target.channel_id is None else f"{said} in channel `{target.channel_id}`"


def _person(user_id: int | None, kind: CallerKind) -> str:
    if user_id is not None:
        return _mention(user_id)
    if kind is CallerKind.COMMAND_LINE:
        return "whoever runs this instance"
    return "Guildhall itself" if kind is CallerKind.SYSTEM else "nobody: no person stands behind it"


def _mention(user_id: int) -> str:
    return f"<@{user_id}> (`{user_id}`)"


def _through(news: News, client_name: ClientName) -> str:
    kind, face = news.opening.caller_kind, news.opening.face
    if kind is CallerKind.MEMBER:
        return {Face.AGENT: "the assistant", Face.CONSOLE: "the console"}.get(face, "Discord")
    said = _THROUGH[kind]
    return (
        said
        if kind in (CallerKind.COMMAND_LINE, CallerKind.SYSTEM)
        else f"{said}, " + _of_client(news.opening.client_id, client_name)
    )


def _of_client(client_id: str, client_name: ClientName) -> str:
    name = client_name(client_id)
    return f"{code(client_id, 60)} {code(name, 40)}" if name else code(client_id, 60)


def _in_the_name_of(user_ids: Sequence[int]) -> str:
    return f", in the name of {_mention(user_ids[0])}" if user_ids else ""


def summary_of(news: Sequence[News], title: str) -> discord.Embed:
    """What is too much to be told one by one."""
    counts = counted(news)
    lines = [
        f"{count} × {WORDS.get(status, (status,))[0].lower()}: `{operation}`"
        + (f" by <@{user_id}>" if user_id is not None else "")
        for (status, operation, user_id), count in counts[:SUMMED_UP_SHOWN]
    ]
    rest = sum(count for _, count in counts[SUMMED_UP_SHOWN:])
    if rest:
        lines.append(f"{rest} × others")
    embed = discord.Embed(title=title, description="\n".join(lines), colour=discord.Colour.dark_grey())
    embed.set_footer(text="/audit shows each")
    return embed


def buttons_of(batch: Batch, ids: LogIds, guild_id: int) -> discord.ui.View:
    """*Details* of each, and *Undo* where it can be undone: two pieces of news a row."""
    view = discord.ui.View(timeout=None)
    made: set[str] = set()
    for place, news in enumerate(batch.shown):
        number = f" {place + 1}" if len(batch.shown) > 1 else ""
        offered = [(LogPress.DETAILS, "Details")] + ([(LogPress.UNDO, "Undo")] if news.revertible else [])
        for press, label in offered:
            custom_id = ids.make(press, news.call_id, guild_id)
            if custom_id in made:
                # Of a call that is told twice; Discord takes each id once a message.
                continue
            made.add(custom_id)
            view.add_item(
                discord.ui.Button(
                    label=label + number,
                    style=discord.ButtonStyle.secondary,
                    custom_id=custom_id,
                    row=place // 2,
                )
            )
    # It is recognised by its custom ids alone: discord.py need not remember it.
    view.stop()
    return view
