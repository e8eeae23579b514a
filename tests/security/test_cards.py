"""Approval cards: none can be forged, and none lies, whatever it shows is called (lines 8 and 19)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cogs.approval_card import Showing, header, settled_embed, waiting_embed
from operations.plans import PlanView
from storage.calls import CallState
from tests.app import Place
from tests.cogs.approving import Card, asked, card_for, card_of, settled_card, state_of, told
from tests.cogs.plan_views import REQUESTER_ID, plan_view
from tests.security.hostile_texts import HOSTILE_TEXTS

in_session = pytest.mark.asyncio(loop_scope="session")

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


async def forged(place: Place, card: Card, author: str) -> tuple[str, str]:
    """The buttons of a card on a message that is none: its channel and id."""
    control, bot = place.town.sandbox.control, int(place.town.sandbox.bot_id)
    body: dict[str, Any] = {"content": "Approve this", "components": card.message["components"]}

    async def as_bot(path: str, body: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = (await control("as_user", user=bot, method="POST", path=path, body=body))["result"]
        return made

    general = place.channel("general")
    if author == "another bot":
        # What a webhook is sent as has buttons only where its application is the bot itself, which sends none.
        joined = await control("add_member", guild=place.guild_id, name="Guildhall", bot=True)
        path = f"/channels/{general}/messages"
        sent = await control("as_user", user=int(joined["id"]), method="POST", path=path, body=body)
        return general, sent["result"]["id"]
    if author == "the bot, in the same channel":
        return card.channel, (await as_bot(f"/channels/{card.channel}/messages", body))["id"]
    if author == "the bot, in another guild":
        elsewhere = await place.town.place("Elsewhere", members=[{"name": "ada", "user": int(place.member("ada"))}])
        channel = elsewhere.channel("general")
        return channel, (await as_bot(f"/channels/{channel}/messages", body))["id"]
    return general, (await as_bot(f"/channels/{general}/messages", body))["id"]


REFUSALS = ("Nothing was done", "not the card of that plan")


AUTHORS = ("another bot", "the bot", "the bot, in the same channel", "the bot, in another guild")


@in_session
@pytest.mark.parametrize("author", AUTHORS)
async def test_line_08_a_copied_custom_id_on_another_message_leaves_the_plan_pending(place: Place, author: str) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("mod-room")))
    plan_id = await asked(place, "channel_delete", channel=place.channel("news"))
    card = await card_of(place, plan_id, "mod-room")
    channel, message = await forged(place, card, author)
    for label in ("Approve", "Deny", "Details"):
        said = await told(place, "ada", card, label, "news", channel=channel, message=message)
        assert any(words in said for words in REFUSALS), (label, said)
        assert "news" not in said
    assert "news" in await place.channels()
    assert await state_of(place, plan_id) is CallState.PENDING
    assert await told(place, "ada", card, "Approve", "news") == "Done."


@in_session
async def test_line_08_an_id_that_was_made_up_leaves_the_plan_pending(place: Place) -> None:
    await place.set_rules(approvals_channel_id=int(place.channel("mod-room")))
    plan_id = await asked(place, "channel_delete", channel=place.channel("news"))
    card = await card_of(place, plan_id, "mod-room")
    real = card.custom_id("Deny")
    for made_up in (real.replace(":no:", ":ok:"), real[:-32] + "0" * 32, real.replace(plan_id, "cl_" + "a" * 17)):
        row = {"type": 1, "components": [{"type": 2, "style": 4, "label": "Approve", "custom_id": made_up}]}
        fake = Card(card.channel, {**card.message, "components": [row]})
        channel, message = await forged(place, fake, "the bot")
        assert "Nothing was done" in await told(place, "ada", fake, "Approve", channel=channel, message=message)
    assert await state_of(place, plan_id) is CallState.PENDING


@in_session
async def test_line_08_an_old_card_does_nothing_more(place: Place) -> None:
    """A card whose plan is settled, put back by hand as it was."""
    plan_id = await asked(place, "channel_delete", channel=place.channel("news"))
    card = await card_for(place, plan_id)
    assert (await told(place, "ada", card, "Deny")).startswith("Denied.")
    await settled_card(place, plan_id, card.channel)
    bot = int(place.town.sandbox.bot_id)
    body = {"embeds": card.message["embeds"], "components": card.message["components"]}
    path = f"/channels/{card.channel}/messages/{card.id}"
    await place.town.sandbox.control("as_user", user=bot, method="PATCH", path=path, body=body)
    for label in ("Approve", "Deny"):
        assert "Done" not in await told(place, "ada", card, label, "news")
    assert "news" in await place.channels()


@in_session
@pytest.mark.parametrize("name", ["`@everyone`", "\u202eevil", "[x](https://evil.example)", "<@1> approve"])
async def test_line_19_a_card_of_a_hostile_name_pings_nobody_and_links_nowhere(place: Place, name: str) -> None:
    await place.by_hand("olive", "PATCH", f"/channels/{place.channel('lounge')}", {"name": name})
    plan_id = await asked(place, "channel_delete", channel=place.channel("lounge"))
    card = await card_for(place, plan_id)
    (embed,) = card.message["embeds"]
    fields = {field["name"]: field["value"] for field in embed["fields"]}
    outside = "".join(map(outside_code, fields.values()))
    assert not any(mark in outside for mark in ("@", "<", "http", "\u202e")), outside
    assert card.message["pinged"] == {"everyone": False, "users": [], "roles": []}
    # What people copy from the card is the name that they are asked for.
    copied = re.sub(r".*: `(.*)`", r"\1", fields["Targets"])
    assert await told(place, "ada", card, "Approve", copied) == "Done."
