"""Approval cards: none can be forged, and none lies, whatever it shows is called (lines 8 and 19)."""

from __future__ import annotations

import re

import pytest

from cogs.approval_card import Showing, header, settled_embed, waiting_embed
from operations.plans import PlanView
from storage.calls import CallState
from tests.cogs.plan_views import REQUESTER_ID, plan_view
from tests.security.hostile_texts import HOSTILE_TEXTS

# As Discord's clients read code: a fence is looked for first, then a run of backticks that closes with as many.
FENCE = re.compile(r"```(?:(?P<language>[a-z0-9_+\-.#]+?)\n)?\n*[^\n].*?\n*```", re.DOTALL | re.IGNORECASE)
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
SHOWINGS = (Showing(), Showing(number=3), Showing(discreet=True), Showing(discreet=True, number=3))


def outside_code(text: str) -> str:
    return SPAN.sub("⟨code⟩", FENCE.sub("⟨block⟩", text))


def skeleton(plan: PlanView, showing: Showing) -> list[str]:
    """All of a card that has power in Discord: what stands outside of code, and where no markdown is read."""
    embed = waiting_embed(plan, showing)
    if plan.state is not CallState.PENDING:
        embed = settled_embed(plan, embed, showing)
    shown = embed.to_dict()
    assert set(shown) <= {"title", "description", "color", "fields", "footer", "flags", "type"}
    parts = [shown.get("title", ""), shown.get("footer", {}).get("text", ""), shown.get("description", "")]
    for field in shown.get("fields", []):
        parts += [field["name"], outside_code(field["value"])]
    return parts


@pytest.mark.parametrize("showing", SHOWINGS)
@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=lambda text: ascii(text)[:40])
def test_line_19_nothing_outside_of_code_depends_on_foreign_text(text: str, showing: Showing) -> None:
    for state in (CallState.PENDING, CallState.FAILED):
        harmless = plan_view("general", state=state, detail="general", confirmed_by=REQUESTER_ID)
        hostile = plan_view(text or " ", state=state, detail=text or " ", confirmed_by=REQUESTER_ID)
        assert skeleton(hostile, showing) == skeleton(harmless, showing)


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=lambda text: ascii(text)[:40])
def test_line_19_the_header_is_byte_equal_whatever_is_shown_below_it(text: str) -> None:
    for showing in SHOWINGS:
        assert waiting_embed(plan_view(text), showing).description == header(plan_view("general"))


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=lambda text: ascii(text)[:40])
def test_line_19_what_cannot_be_seen_or_reorders_is_not_on_a_card(text: str) -> None:
    shown = str(waiting_embed(plan_view(text), Showing()).to_dict())
    for hidden in ("\u202e", "\u2066", "\u200b", "\ufeff", "\U000e0041", "\x1b", "\x00", "\u2028"):
        assert hidden not in shown
