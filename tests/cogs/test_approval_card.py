from __future__ import annotations

from typing import Any

import discord
import pytest

from cogs.approval_card import Row, Showing, buttons, header, settled_embed, waiting_embed
from cogs.custom_ids import CustomId, CustomIds, Press
from operations.base import Change
from policy.model import CallerKind, Face, Target, Tier
from storage.calls import CallState
from storage.crypto import Keyring
from tests.cogs.plan_views import CHANNEL_ID, GUILD_ID, MEMBER_ID, PLAN_ID, REQUESTER_ID, plan_view

IDS = CustomIds(Keyring(["a key for tests that nobody must use elsewhere"]))
SECOND = "cl_" + "b" * 17


def test_the_header_is_facts_alone() -> None:
    assert header(plan_view("general")) == (
        "**Operation** `channel_delete`, critical\n"
        f"**Target** channel `{CHANNEL_ID}`\n"
        "**Objects touched** 1\n"
        f"**Asked by** <@{REQUESTER_ID}> (`{REQUESTER_ID}`)\n"
        "**Through** an MCP client, `mc_1`\n"
        "**Has read text of others** yes\n"
        "**Can be undone** no\n"
        "**Expires** <t:1800086400:R>"
    )


def test_a_member_is_shown_with_the_age_of_his_account() -> None:
    plan = plan_view(targets=(Target("member", MEMBER_ID, GUILD_ID, "spammer"),))
    made = int(discord.utils.snowflake_time(MEMBER_ID).timestamp())
    assert f"**Target** member `{MEMBER_ID}`, account made <t:{made}:D>\n" in header(plan)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"requester_id": None, "requester_kind": CallerKind.OPERATOR}, "**Asked by** nobody: no person stands behind"),
        ({"requester_kind": CallerKind.MEMBER, "face": Face.AGENT}, "**Through** the assistant\n"),
        ({"requester_kind": CallerKind.MEMBER, "face": Face.SLASH}, "**Through** Discord\n"),
        ({"requester_kind": CallerKind.AUTOMATION}, "**Through** an automation, `mc_1`\n"),
        ({"tainted": False}, "**Has read text of others** no\n"),
        ({"targets": ()}, f"**Target** guild `{GUILD_ID}`\n"),
    ],
)
def test_the_header_says_who_asks_and_through_what(changed: dict[str, Any], said: str) -> None:
    assert said in header(plan_view(**changed))


def test_the_header_comes_first_and_the_texts_below_it_in_code() -> None:
    shown = waiting_embed(plan_view("general", name_to_type=None), Showing())
    assert shown.title == "Approval needed: Channel delete"
    assert shown.description == header(plan_view())
    assert {field.name: field.value for field in shown.fields} == {
        "What would happen": "```\ngeneral\n```",
        "Targets": f"channel `{CHANNEL_ID}`: `general`",
        "Before and after": '```diff\ngeneral: general\n- general\n+ {"general": ["general"]}\n```',
        "Not known before": "```\ngeneral\n```",
        "The client calls itself": "`general`",
        "Reason given": "```\ngeneral\n```",
    }
    assert shown.footer.text == f"plan {PLAN_ID}"


def test_where_not_everybody_may_know_there_are_ids_and_the_way_to_the_details() -> None:
    shown = str(waiting_embed(plan_view("canary"), Showing(discreet=True)).to_dict())
    assert "canary" not in shown
    assert str(CHANNEL_ID) in shown
    assert "Details" in shown
    settled = plan_view("canary", state=CallState.FAILED, detail="canary")
    assert "canary" not in str(settled_embed(settled, None, Showing(discreet=True)).to_dict())


def test_a_long_text_is_cut_and_its_length_told() -> None:
    shown = waiting_embed(plan_view("x" * 5000), Showing())
    assert shown.fields[0].value is not None
    assert shown.fields[0].value.endswith("characters)\n```")
    assert "… (+4" in shown.fields[0].value


@pytest.mark.parametrize("number", [0, 5])
@pytest.mark.parametrize("state", [CallState.PENDING, CallState.UNKNOWN])
def test_a_card_never_exceeds_what_discord_takes(number: int, state: CallState) -> None:
    """256 for a title, 1,024 a field, 6,000 characters in all the embeds of a message."""
    text = "`<@1>` " * 2000
    plan = plan_view(
        text,
        targets=tuple(Target("channel", CHANNEL_ID, GUILD_ID, text) for _ in range(300)),
        changes=tuple(Change(target=text, field=text, before=text, after=text) for _ in range(300)),
        unknowns=(text,) * 50,
        detail=text,
        state=state,
        confirmed_by=REQUESTER_ID,
        settled_at=1.0,
    )
    embed = waiting_embed(plan, Showing(number=number))
    if state is not CallState.PENDING:
        embed = settled_embed(plan, embed, Showing(number=number))
    assert len(embed.title or "") <= 256
    assert all(len(field.value or "") <= 1024 for field in embed.fields)
    assert len(embed) * max(number, 1) <= 6000


SAYS: dict[CallState, str] = {
    CallState.DONE: f"It was done. Approved by <@{REQUESTER_ID}>.",
    CallState.FAILED: "Discord did not accept it.",
    CallState.DENIED: f"Denied by <@{REQUESTER_ID}>.",
    CallState.EXPIRED: "Nobody approved it in time; nothing was done.",
    CallState.CANCELLED: "It was taken back; nothing was done.",
    CallState.REFUSED: "It was not done",
    CallState.UNKNOWN: "It may or may not have taken effect",
}


@pytest.mark.parametrize("state", SAYS)
def test_a_settled_card_says_what_became_of_the_plan_and_keeps_what_it_showed(state: CallState) -> None:
    before = waiting_embed(plan_view(), Showing())
    plan = plan_view(state=state, confirmed_by=REQUESTER_ID, detail="the reason")
    after = settled_embed(plan, settled_embed(plan, waiting_embed(plan_view(), Showing()), Showing()), Showing())
    assert after.description == before.description
    assert [field.name for field in after.fields] == [*[field.name for field in before.fields], "Outcome"]
    said = after.fields[-1].value or ""
    assert said.startswith(SAYS[state])
    assert "the reason" in said
    assert not (after.title or "").startswith("Approval needed")


def pressable(view: discord.ui.View) -> list[list[str]]:
    """The labels of the buttons, row by row."""
    return [[button["label"] for button in row["components"]] for row in view.to_components()]


async def test_a_critical_plan_has_three_buttons_and_one_that_asks_for_a_name_opens_a_modal() -> None:
    view = buttons([Row.of(plan_view())], IDS)
    assert pressable(view) == [["Approve", "Deny", "Details"]]
    found = [CustomId.parse(button["custom_id"]) for button in view.to_components()[0]["components"]]
    assert [each.press for each in found if each is not None] == [Press.NAME, Press.DENY, Press.DETAILS]
    one_click = buttons([Row.of(plan_view(name_to_type=None))], IDS).to_components()[0]["components"][0]
    approve = CustomId.parse(one_click["custom_id"])
    assert approve is not None
    assert approve.press is Press.APPROVE


async def test_plans_that_share_a_card_have_a_row_each_and_one_button_for_all() -> None:
    rows = [Row(PLAN_ID, GUILD_ID), Row(SECOND, GUILD_ID)]
    view = buttons(rows, IDS, {PLAN_ID: 1, SECOND: 3})
    assert pressable(view) == [
        ["Approve 1", "Deny 1", "Details 1", "Approve all 2"],
        ["Approve 3", "Deny 3", "Details 3"],
    ]
    custom_ids = [button["custom_id"] for row in view.to_components() for button in row["components"]]
    assert len(set(custom_ids)) == len(custom_ids)
    assert view.is_finished(), "discord.py has nothing to remember"


def test_a_plan_that_shares_a_card_is_numbered_and_short() -> None:
    plan = plan_view("y" * 900, tier=Tier.RISKY, name_to_type=None)
    embed = waiting_embed(plan, Showing(number=2))
    assert embed.title == "2. Approval needed: Channel delete"
    assert [field.name for field in embed.fields] == ["What would happen"]
