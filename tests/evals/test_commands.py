"""The assistant by command and menu: seen by who asks alone, as what he may read and do."""

from __future__ import annotations

import json

import pytest

from cogs.agent import texts
from policy.model import PlatformRole
from tests.app import SMALL_MODEL, Place, until
from tests.cogs.slashing import Told, presses, role, uses
from tests.evals.harness import kept
from tests.evals.mentions import Answering, answered, answers, mentioning
from tests.messages_api import Fails, Says

pytestmark = pytest.mark.asyncio(loop_scope="session")
CANARY = "canary-94ab"


async def chosen(place: Place, who: str, name: str, message: str, at: str = "general") -> Told:
    """An entry of the menu on a message."""
    where = place.guild["channels"].get(at, at)
    raw = await place.town.sandbox.control(
        "context_menu",
        user=int(place.member(who)),
        channel=int(where),
        name=name,
        target_message=int(message),
        wait=10,
    )
    assert raw["acknowledged"], raw
    return Told(raw, where)


async def test_a_summary_is_of_what_one_may_read_and_for_oneself_alone(answering: Answering, harbor: Place) -> None:
    await harbor.says("nina", "general", f"the ferry leaves at nine {CANARY}")
    answering.api.script = [Says("They spoke of the ferry: https://evil.example/x")]
    told = await uses(harbor, "bela", "summarize", messages=10)
    assert told.text == "They spoke of the ferry: https:∕∕evil.example∕x"
    assert told.message["ephemeral"]
    body = answering.api.bodies[0]
    assert CANARY in json.dumps(body["messages"])
    assert "tools" not in body
    assert await answers(harbor) == []
    (row,) = await harbor.audited(operation="agent_turn")
    assert (row.user_id, row.status) == (int(harbor.member("bela")), "done")
    # An aside is no conversation: nothing of it is kept.
    assert await kept(harbor, "general") == []


async def test_a_summary_begins_at_the_message_that_was_chosen(answering: Answering, harbor: Place) -> None:
    await harbor.says("nina", "general", "before it")
    first = await harbor.says("nina", "general", "the first one")
    await harbor.says("bela", "general", "the second one")
    answering.api.script = [Says("Two spoke.")]
    told = await chosen(harbor, "bela", texts.MENU_SUMMARISE, first)
    assert told.text == "Two spoke."
    read = json.dumps(answering.api.bodies[0]["messages"])
    assert "the first one" in read
    assert "the second one" in read
    assert "before it" not in read


async def test_what_the_provider_can_not_do_is_said_to_who_asked(answering: Answering, harbor: Place) -> None:
    answering.api.script = [Fails(529, "overloaded_error")]
    assert "overloaded" in (await uses(harbor, "bela", "summarize")).text
    assert [row.status for row in await harbor.audited(operation="agent_turn")] == ["failed"]


async def test_a_warning_is_drafted_read_and_then_given(answering: Answering, harbor: Place) -> None:
    message = await harbor.says("nina", "general", "you are all fools")
    answering.api.script = [Says("Please don't insult people here.")]
    drafted = await chosen(harbor, "marlow", texts.MENU_DRAFT, message)
    assert drafted.text == "Please don't insult people here."
    assert "you are all fools" in json.dumps(answering.api.bodies[0]["messages"])
    assert await harbor.kept() == []
    opened = await presses(harbor, "marlow", drafted, texts.DRAFT_SEND)
    assert opened.raw["kind"] == "modal"
    assert "Please don't insult people here." in json.dumps(opened.raw)
    raw = await harbor.town.sandbox.control(
        "modal",
        user=int(harbor.member("marlow")),
        channel=int(harbor.channel("general")),
        interaction=int(opened.raw["interaction"]),
        values={"reason": "Please don't insult people here, nina."},
        wait=10,
    )
    assert raw["message"]["content"].startswith("**Done:**"), raw
    assert [case["reason"] for case in await harbor.kept()] == ["Please don't insult people here, nina."]


async def test_why_the_bot_did_something_is_told_to_those_who_may_see_it(answering: Answering, harbor: Place) -> None:
    answering.api.script = [Says("At nine.")]
    await harbor.says("bela", "general", mentioning(answering, "when?"))
    await answered(harbor, "At nine.")
    reply = next(each for each in await harbor.history("general") if each["content"] == "At nine.")

    async def audited() -> bool:
        return bool(await harbor.audited(operation="agent_turn"))

    await until(audited, "the turn is audited")
    sent = await harbor.sent("ada", content="sent through Guildhall")
    assert "agent_turn" in (await chosen(harbor, "bela", texts.MENU_WHY, reply["id"])).all_text
    assert "message_send" in (await chosen(harbor, "ada", texts.MENU_WHY, sent)).all_text
    hidden = await chosen(harbor, "nina", texts.MENU_WHY, sent)
    assert "message_send" not in hidden.all_text
    by_hand = await harbor.says("nina", "general", "by hand")
    assert (await chosen(harbor, "nina", texts.MENU_WHY, by_hand)).text == texts.NOT_THE_BOTS


async def test_a_conversation_is_begun_anew_by_moderators_for_all_and_by_members_for_themselves(
    answering: Answering, harbor: Place
) -> None:
    for who in ("bela", "nina"):
        answering.api.script = [Says(f"Hello {who}.")]
        await harbor.says(who, "general", mentioning(answering, f"I am {who}"))
        await answered(harbor, f"Hello {who}.")

        async def is_kept(text: str = f"Hello {who}.") -> bool:
            return text in await kept(harbor, "general")

        await until(is_kept, "it is kept")
    told = await uses(harbor, "bela", "reset")
    assert told.text.startswith("**Done:**"), told.text
    assert await kept(harbor, "general") == [mentioning(answering, "I am nina"), "Hello nina."]
    answering.api.script = [Says("Well.")]
    await uses(harbor, "marlow", "reset")
    assert await kept(harbor, "general") == []
    # The messages stand there still.
    assert "Hello nina." in await answers(harbor)


def lines(told: Told) -> dict[str, str]:
    return dict(line.removeprefix("- ").split(": ", 1) for line in told.text.splitlines() if line.startswith("- "))


async def test_usage_shows_ones_own_and_to_managers_the_guilds(answering: Answering, harbor: Place) -> None:
    answering.api.script = [Says("Hello.", usage={"input_tokens": 1000, "output_tokens": 500})]
    await harbor.says("bela", "general", mentioning(answering, "hello"))
    await answered(harbor, "Hello.")

    async def settled() -> bool:
        return "1,500 tokens" in (await uses(harbor, "bela", "usage")).text

    await until(settled, "what was used is settled")
    mine = lines(await uses(harbor, "bela", "usage"))
    assert set(mine) == {"You"}
    assert mine["You"].startswith("1,500 tokens, $0.01 of 1,000,000 tokens")
    managers = lines(await uses(harbor, "olive", "usage"))
    assert set(managers) == {"Workspace", "This guild", "You"}
    assert managers["This guild"].startswith("1,500 tokens, $0.01 of $10.00")
    assert managers["You"].startswith("0 tokens")


async def test_a_budget_of_the_guild_holds_and_only_narrows_the_operators(answering: Answering, harbor: Place) -> None:
    refused = await uses(harbor, "olive", "agent-budget", scope="guild", cost_usd=11.0)
    assert "The operator's limit is $10.00" in refused.text
    set_ = await uses(harbor, "olive", "agent-budget", scope="user", tokens=100)
    assert set_.text.startswith("**Done:**"), set_.text
    await harbor.says("bela", "general", mentioning(answering, "hello"))

    async def refuses() -> bool:
        return any("Your budget for me is used up for today" in each for each in await answers(harbor))

    await until(refuses, "it says that the budget is used up")
    assert answering.api.received == []
    assert (await uses(harbor, "bela", "summarize")).text.startswith("Your budget for me is used up")
    by_member = await uses(harbor, "bela", "agent-budget", scope="user", tokens=5)
    assert "**Not done.**" in by_member.text
    # Lifting it is loosening: an administrator's, with a confirmation.
    lifted = await uses(harbor, "olive", "agent-budget", scope="user")
    assert "LOOSENS THE POLICY" in lifted.all_text


async def test_a_role_shares_what_it_may_use(answering: Answering, harbor: Place) -> None:
    told = await uses(harbor, "olive", "agent-budget", scope="role", role=role(harbor, "Member"), tokens=100)
    assert told.text.startswith("**Done:**"), told.text
    await harbor.says("bela", "general", mentioning(answering, "hello"))

    async def refuses() -> bool:
        return any("Your role's budget" in each for each in await answers(harbor))

    await until(refuses, "it says that the role's budget is used up")
    answering.api.script = [Says("You have no such role.")]
    await harbor.says("marlow", "general", mentioning(answering, "hello"))
    await answered(harbor, "You have no such role.")


async def test_an_admin_chooses_among_the_models_that_are_configured(answering: Answering, harbor: Place) -> None:
    told = await uses(harbor, "bela", "model")
    assert "`claude-sonnet-5-5` answers here." in told.text
    assert f"small: `{SMALL_MODEL}`" in told.text
    await harbor.set_role("ada", PlatformRole.MANAGER)
    assert "**Not done.**" in (await uses(harbor, "ada", "model", choice="small")).text
    chosen_now = await uses(harbor, "olive", "model", choice="small")
    assert chosen_now.text.startswith("**Done:**"), chosen_now.text
    answering.api.script = [Says("Small talk.")]
    await harbor.says("bela", "general", mentioning(answering, "hello"))
    await answered(harbor, "Small talk.")
    assert answering.api.bodies[0]["model"] == SMALL_MODEL
    # Back to the dearer one is loosening.
    assert "LOOSENS THE POLICY" in (await uses(harbor, "olive", "model", choice="standard")).all_text


@pytest.mark.parametrize("command", ["stop", "reset", "usage", "model", "summarize", "forget-me"])
async def test_help_tells_of_each_command(harbor: Place, command: str) -> None:
    assert (await uses(harbor, "bela", "help", command=command)).text.startswith(f"**/{command}**")
