"""A refusal names the place as Discord shows it, says who lacks what, and who can help."""

from __future__ import annotations

import math

import pytest

from policy import checks
from policy.model import Target
from tests.policy.worlds import GUILD, caller, facts, need, standing, target_facts


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (Target("channel", 1, GUILD, "general"), "#general"),
        (Target("thread", 1, GUILD, "help"), "#help"),
        (Target("member", 1, GUILD, "alice"), "@alice"),
        (Target("role", 1, GUILD, "mods"), "@mods"),
        (Target("guild", 1, GUILD, "Demo Guild"), "Demo Guild"),
        (Target("message", 77, GUILD), "the message 77"),
    ],
)
def test_a_reason_names_the_place_as_discord_shows_it(target: Target, expected: str) -> None:
    refusal = checks.facts_are_fresh(need(target=target), target_facts(age_seconds=100.0))
    assert refusal is not None
    assert expected in refusal.reason


@pytest.mark.parametrize(("age", "told"), [(61.0, "for 61 s"), (math.inf, "yet")])
def test_an_age_is_told_in_words(age: float, told: str) -> None:
    stale = checks.facts_are_fresh(need(), target_facts(age_seconds=age))
    database = checks.platform_facts_are_current(caller(), facts(platform_age_seconds=age))
    assert stale is not None
    assert database is not None
    assert f"confirmed {told}." in stale.reason
    assert f"answered {told}," in database.reason
    assert stale.retry_after_seconds == database.retry_after_seconds == 5.0


def test_a_lack_of_rights_says_who_lacks_them_and_who_can_help() -> None:
    known = target_facts(bot=standing(bits=0), actor=standing(bits=0))
    bot, actor = checks.bot_holds_rights(need(), known), checks.actor_holds_rights(need(), known)
    assert bot is not None
    assert actor is not None
    assert (bot.reason, bot.remedy) == ("I lack send_messages at #general.", "Grant me send_messages there.")
    assert actor.reason == "You lack send_messages at #general."
    assert actor.remedy == "Ask someone who holds send_messages there."
