"""What a card shows of a plan: an embed and its row of buttons. Pure.

The header is the embed's description. It consists of facts alone (names of operations, ids, counts, times), so it is
the same whatever anybody calls himself; every foreign string stands below it, in code, capped with its length told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import discord

from cogs.card_text import NOTHING, block, code
from cogs.custom_ids import CustomId, CustomIds, Press
from operations.base import Change
from operations.plans import PlanView
from policy.model import CallerKind, Face, Target, Tier
from storage.calls import CallState

# https://discord.com/developers/docs/resources/message#embed-object-embed-limits
FIELD_LIMIT = 1024
MOST_ON_A_CARD = 5
"""Plans that share a card: a message has 5 rows of buttons, and 6,000 characters in all its embeds."""
SHORT_SUMMARY = 300
NAMES_SHOWN = 10
VALUE_LIMIT = 200

WAITING = "Approval needed"
SETTLED = {
    CallState.DONE: ("Done", discord.Colour.green()),
    CallState.FAILED: ("Failed", discord.Colour.dark_red()),
    CallState.UNKNOWN: ("Outcome unknown", discord.Colour.gold()),
    CallState.CANCELLED: ("Cancelled", discord.Colour.light_grey()),
    CallState.EXPIRED: ("Expired", discord.Colour.light_grey()),
    CallState.DENIED: ("Denied", discord.Colour.dark_grey()),
    CallState.REFUSED: ("Refused", discord.Colour.dark_grey()),
}
OUTCOME = "Outcome"
_THROUGH = {
    CallerKind.OAUTH: "an MCP client",
    CallerKind.TOKEN: "an MCP client",
    CallerKind.OPERATOR: "an operator's client",
    CallerKind.MEMBER: "Discord",
    CallerKind.COMMAND_LINE: "the command line",
    CallerKind.AUTOMATION: "an automation",
    CallerKind.SYSTEM: "Guildhall itself",
}


@dataclass(frozen=True, slots=True)
class Showing:
    """How much of a plan a card may say.

    ``discreet``: no foreign text, since not everybody who sees the card may know it. ``number``: its place on a card
    that several plans share, and on which each is short; 0 where it has one of its own.
    """

    discreet: bool = False
    number: int = 0

    @property
    def short(self) -> bool:
        return self.number > 0


def footer(plan_id: str) -> str:
    """By which a plan's embed is found again on its card."""
    return f"plan {plan_id}"


def waiting_embed(plan: PlanView, showing: Showing) -> discord.Embed:
    """A plan that waits for its confirmation."""
    colour = discord.Colour.red() if plan.tier is Tier.CRITICAL else discord.Colour.orange()
    embed = discord.Embed(title=_title(WAITING, plan, showing), description=header(plan), colour=colour)
    embed.set_footer(text=footer(plan.plan_id))
    if showing.discreet:
        embed.add_field(
            name="What exactly",
            value="Not everybody who reads this channel may know. Press **Details**: those who may will see it.",
            inline=False,
        )
        return embed
    embed.add_field(name="What would happen", value=_summary(plan, showing), inline=False)
    if showing.short:
        return embed
    for name, value in _body(plan):
        embed.add_field(name=name, value=value, inline=False)
    return embed


def settled_embed(plan: PlanView, shown: discord.Embed | None, showing: Showing) -> discord.Embed:
    """What became of a plan. ``shown``: its embed on the card, of which everything stays but the buttons."""
    word, colour = SETTLED[plan.state]
    embed = waiting_embed(plan, showing) if shown is None else shown
    # One that shares its card makes room; one that is told again says it once.
    kept = [] if showing.short else [field for field in embed.fields if field.name != OUTCOME]
    embed.clear_fields()
    for field in kept:
        embed.add_field(name=field.name, value=field.value, inline=False)
    embed.title, embed.colour = _title(word, plan, showing), colour
    embed.add_field(name=OUTCOME, value=_outcome(plan, showing), inline=False)
    return embed


def _title(word: str, plan: PlanView, showing: Showing) -> str:
    number = f"{showing.number}. " if showing.short else ""
    return f"{number}{word}: {plan.title}"


def header(plan: PlanView) -> str:
    """Facts alone, one a line: the same bytes whatever names and texts surround it."""
    lines = [
        f"**Operation** `{plan.operation}`, {plan.tier.label}",
        f"**Target** {_target(plan)}",
        f"**Objects touched** {len(plan.targets)}",
        f"**Asked by** {_requester(plan)}",
        f"**Through** {_through(plan)}",
        f"**Has read text of others** {'yes' if plan.tainted else 'no'}",
        f"**Can be undone** {'yes' if plan.reversible else 'no'}",
        f"**Expires** <t:{int(plan.expires_at)}:R>",
    ]
    return "\n".join(lines)


def _target(plan: PlanView) -> str:
    if not plan.targets:
        return f"guild `{plan.guild_id}`"
    first = plan.targets[0]
    said = f"{first.kind} `{first.id}`"
    if first.kind in ("member", "user") and len(plan.targets) == 1:
        # When an account was made stands in its id: https://discord.com/developers/docs/reference#snowflakes
        said += f", account made <t:{int(discord.utils.snowflake_time(first.id).timestamp())}:D>"
    return said


def _requester(plan: PlanView) -> str:
    if plan.requester_id is None:
        return "nobody: no person stands behind it"
    return f"<@{plan.requester_id}> (`{plan.requester_id}`)"


def _through(plan: PlanView) -> str:
    if plan.requester_kind is CallerKind.MEMBER:
        return "the assistant" if plan.face is Face.AGENT else "Discord"
    return f"{_THROUGH[plan.requester_kind]}, `{plan.client_id}`"


def _summary(plan: PlanView, showing: Showing) -> str:
    return block(plan.summary, SHORT_SUMMARY if showing.short else FIELD_LIMIT)


def _body(plan: PlanView) -> Iterable[tuple[str, str]]:
    if plan.targets:
        yield "Targets", _names(plan.targets)
    if plan.changes:
        yield "Before and after", block("\n".join(changed(plan.changes, VALUE_LIMIT)), FIELD_LIMIT, "diff")
    if plan.unknowns:
        yield "Not known before", block("\n".join(plan.unknowns), 700)
    if plan.client_name:
        yield "The client calls itself", code(plan.client_name)
    if plan.reason:
        yield "Reason given", block(plan.reason, 500)


def _names(targets: Sequence[Target]) -> str:
    lines = [f"{target.kind} `{target.id}`: {code(target.name, 40)}" for target in targets[:NAMES_SHOWN]]
    if len(targets) > NAMES_SHOWN:
        lines.append(f"and {len(targets) - NAMES_SHOWN} more")
    return "\n".join(lines)


def changed(changes: Iterable[Change], limit: int | None) -> Iterable[str]:
    """Lines of a diff; ``limit``: the longest of a value. One change takes as many lines as it has sides."""
    for change in changes:
        yield f"{one_line(change.target, limit)}: {one_line(change.field, limit)}"
        if change.before is not None:
            yield f"- {one_line(change.before, limit)}"
        yield f"+ {one_line(change.after, limit)}"


def one_line(value: object, limit: int | None) -> str:
    """A value as JSON, a text as it is, without line breaks."""
    if value is None:
        return NOTHING
    # Not orjson: it raises for a lone surrogate, which sanitising takes out.
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    text = " ".join(text.split())
    return text if limit is None or len(text) <= limit else f"{text[:limit]}… (+{len(text) - limit} characters)"


def _outcome(plan: PlanView, showing: Showing) -> str:
    match plan.state:
        case CallState.DENIED:
            said = f"Denied by <@{plan.confirmed_by}>." if plan.confirmed_by is not None else "Denied."
        case CallState.EXPIRED:
            said = "Nobody approved it in time; nothing was done."
        case CallState.CANCELLED:
            said = "It was taken back; nothing was done."
        case CallState.REFUSED:
            said = "It was not done, since it is no longer allowed, or no longer what was shown."
        case CallState.UNKNOWN:
            said = "It may or may not have taken effect, and is not sent again. Look before you repeat it."
        case CallState.FAILED:
            said = "Discord did not accept it."
        case _:
            said = "It was done."
    if plan.confirmed_by is not None and plan.state in (CallState.DONE, CallState.FAILED, CallState.UNKNOWN):
        said += f" Approved by <@{plan.confirmed_by}>."
    if plan.settled_at is not None:
        said += f" <t:{int(plan.settled_at)}:f>"
    if plan.detail and not showing.discreet:
        said += "\n" + block(plan.detail, SHORT_SUMMARY if showing.short else 700)
    return said


@dataclass(frozen=True, slots=True)
class Row:
    """The buttons of a plan that waits. ``asks_name``: its target's name is typed before it runs."""

    plan_id: str
    guild_id: int
    asks_name: bool = False
    critical: bool = False

    @classmethod
    def of(cls, plan: PlanView) -> Row:
        return cls(plan.plan_id, plan.guild_id, plan.name_to_type is not None, plan.tier is Tier.CRITICAL)


def rows_of(message: discord.Message) -> list[Row]:
    """The rows that stand on a card, in their order; says nothing of who made them."""
    rows: list[Row] = []
    for component in message.components:
        if not isinstance(component, discord.ActionRow):
            continue
        for child in component.children:
            custom_id = child.custom_id if isinstance(child, discord.Button) else None
            found = None if custom_id is None else CustomId.parse(custom_id)
            if found is not None and found.press in (Press.APPROVE, Press.NAME):
                danger = isinstance(child, discord.Button) and child.style is discord.ButtonStyle.danger
                rows.append(Row(found.plan_id, found.guild_id, found.press is Press.NAME, danger))
    return rows


def buttons(rows: Sequence[Row], ids: CustomIds, numbers: Mapping[str, int] | None = None) -> discord.ui.View:
    """Three buttons a plan, and one for all of them where there are several.

    ``numbers``: of the plans on a card that several share. The view is none that discord.py would have to remember: a
    press is recognised by its custom id alone.
    """
    view = discord.ui.View(timeout=None)
    for place, row in enumerate(rows):
        number = f" {numbers[row.plan_id]}" if numbers else ""
        approve = Press.NAME if row.asks_name else Press.APPROVE
        colour = discord.ButtonStyle.danger if row.critical else discord.ButtonStyle.success
        for press, label, style in (
            (approve, "Approve", colour),
            (Press.DENY, "Deny", discord.ButtonStyle.secondary),
            (Press.DETAILS, "Details", discord.ButtonStyle.secondary),
        ):
            custom_id = ids.make(press, row.plan_id, row.guild_id)
            view.add_item(discord.ui.Button(label=label + number, style=style, custom_id=custom_id, row=place))
    if len(rows) > 1:
        first, together = rows[0], [row.plan_id for row in rows]
        custom_id = ids.make(Press.APPROVE_ALL, first.plan_id, first.guild_id, together)
        style = discord.ButtonStyle.success
        view.add_item(discord.ui.Button(label=f"Approve all {len(rows)}", style=style, custom_id=custom_id, row=0))
    view.stop()
    return view
