from __future__ import annotations

import pytest

from cogs.custom_ids import CustomId, CustomIds, Press
from storage.crypto import Keyring
from tests.cogs.plan_views import GUILD_ID, PLAN_ID

KEY = "a key for tests that nobody must use elsewhere"
IDS = CustomIds(Keyring([KEY]))
OTHER_PLAN = "cl_" + "b" * 17


def parsed(text: str) -> CustomId:
    found = CustomId.parse(text)
    assert found is not None
    return found


@pytest.mark.parametrize("press", Press)
def test_an_id_names_its_plan_and_verifies(press: Press) -> None:
    made = IDS.make(press, PLAN_ID, 2**64 - 1)
    found = parsed(made)
    assert len(made) <= 100
    assert (found.press, found.plan_id, found.guild_id) == (press, PLAN_ID, 2**64 - 1)
    assert IDS.verify(found)


def test_line_08_what_was_changed_in_an_id_no_longer_verifies() -> None:
    made = IDS.make(Press.DENY, PLAN_ID, GUILD_ID)
    for before, after in ((":no:", ":ok:"), (PLAN_ID, OTHER_PLAN), (str(GUILD_ID), str(GUILD_ID + 1))):
        assert not IDS.verify(parsed(made.replace(before, after)))
    assert not IDS.verify(parsed(made[:-32] + "0" * 32))


def test_line_08_an_id_signed_with_another_instances_key_does_not_verify() -> None:
    made = CustomIds(Keyring(["the key of another instance, equally long"])).make(Press.APPROVE, PLAN_ID, GUILD_ID)
    assert not IDS.verify(parsed(made))


def test_an_id_signed_before_the_keys_were_rotated_still_verifies() -> None:
    rotated = CustomIds(Keyring(["a newer key for tests, which signs from now on", KEY]))
    assert rotated.verify(parsed(IDS.make(Press.APPROVE, PLAN_ID, GUILD_ID)))


def test_line_08_approve_all_stands_for_exactly_the_plans_that_it_was_made_for() -> None:
    found = parsed(IDS.make(Press.APPROVE_ALL, PLAN_ID, GUILD_ID, [PLAN_ID, OTHER_PLAN]))
    assert IDS.verify(found, [OTHER_PLAN, PLAN_ID])
    for others in ([PLAN_ID], [PLAN_ID, OTHER_PLAN, "cl_" + "c" * 17], []):
        assert not IDS.verify(found, others)


@pytest.mark.parametrize("text", ["", "gh:ok:cl_a", "press", "gh:ok:" + PLAN_ID, "gh:do:" + PLAN_ID + ":1:" + "0" * 32])
def test_what_has_another_form_is_none_of_ours(text: str) -> None:
    assert CustomId.parse(text) is None
