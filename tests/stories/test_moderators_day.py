"""A moderator's day: one command each, one click where it is critical, and all of it can be looked up afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from storage.tables import TemporaryEffect
from tests.app import Place, Town, until
from tests.cogs.slashing import presses, user, uses
from tests.sandbox_process import ControlError

pytestmark = pytest.mark.asyncio(loop_scope="session")

MODERATOR = [
    "kick_members",
    "ban_members",
    "moderate_members",
    "manage_messages",
    "manage_roles",
    "manage_channels",
    "view_audit_log",
    "create_private_threads",
]
ROLES: list[dict[str, Any]] = [
    {"name": "Admin", "permissions": ["administrator"]},
    {"name": "Moderator", "permissions": MODERATOR},
    {"name": "Member"},
]


async def banned(place: Place) -> set[str]:
    return {ban["id"] for ban in (await place.world())["guild"]["bans"]}


async def test_a_moderators_day(town: Town) -> None:
    place = await town.place(roles=ROLES)
    spam = [await place.says("nina", "general", "buy gold") for _ in range(3)]
    kept = await place.says("bela", "general", "good morning")

    warned = await uses(place, "marlow", "timeout", member=user(place, "nina"), duration="10m", reason="spam")
    assert warned.text.startswith("**Done:**"), warned.text

    counted = await uses(place, "marlow", "purge", author=user(place, "nina"), contains="gold")
    assert "Delete 3 messages by @nina" in counted.text, counted.text
    assert {*spam, kept} <= {each["id"] for each in await place.history("general")}
    purged = await presses(place, "marlow", counted, "Confirm")
    assert purged.text.startswith("**Done:**"), purged.text
    left = {each["id"] for each in await place.history("general")}
    assert kept in left
    assert not left & set(spam)

    shown = await uses(place, "marlow", "ban", member=user(place, "nina"), duration="7d", reason="spam again")
    assert "for 7 days, until about" in shown.text, shown.text
    done = await presses(place, "marlow", shown, "Confirm")
    assert done.text.startswith("**Done:**"), done.text
    assert await banned(place) == {place.member("nina")}

    locked = await uses(place, "marlow", "lock")
    assert locked.text.startswith("**Done:**"), locked.text
    with pytest.raises(ControlError):
        await place.says("bela", "general", "and now?")
    await place.says("marlow", "general", "calm down, please")
    unlocked = await presses(place, "marlow", locked, "Undo")
    assert unlocked.text.startswith("**Done:**"), unlocked.text
    await place.says("bela", "general", "thank you")

    cases = await place.done("case_list", "ada", guild=place.id)
    assert [case["kind"] for case in reversed(cases["cases"])] == ["timeout", "purge", "ban", "lock", "unlock"]

    # A week later.
    due = update(TemporaryEffect).where(col(TemporaryEffect.installation_id) == place.installation_id)
    async with town.core.database.unit_of_work() as session:
        await session.execute(due.values(ends_at=1.0))

    async def is_over() -> bool:
        return await banned(place) == set()

    await until(is_over, "the ban ends by itself")
    listed = await place.done("case_list", "ada", guild=place.id, member=place.member("nina"))
    assert listed["cases"][0]["kind"] == "unban"
    assert "by" not in listed["cases"][0]


async def test_an_undo_ends_a_temporary_ban(town: Town) -> None:
    place = await town.place(roles=ROLES)
    shown = await uses(place, "marlow", "ban", member=user(place, "nina"), duration="1h")
    done = await presses(place, "marlow", shown, "Confirm")
    assert (await presses(place, "marlow", done, "Undo")).text.startswith("**Done:**")
    assert await banned(place) == set()


async def test_plain_members_are_offered_nothing_of_it(place: Place) -> None:
    for command, options in (("purge", {}), ("lock", {}), ("unlock", {}), ("ban", {"member": user(place, "bela")})):
        with pytest.raises(ControlError, match="default-member-permissions"):
            await uses(place, "nina", command, **options)
    assert await banned(place) == set()


async def test_a_channel_that_is_not_seen_is_neither_locked_nor_purged(place: Place) -> None:
    """Discord does not even offer it; through a program it answers as one that does not exist."""
    secret = await place.says("ada", "vault", "a secret")
    for command, name in (("lock", "channel_lock"), ("unlock", "channel_unlock"), ("purge", "message_purge")):
        with pytest.raises(ControlError, match="not accessible"):
            await uses(place, "marlow", command, channel={"channel": place.channel("vault")})
        hidden = await place.call(name, "marlow", channel=place.channel("vault"), dry_run=False)
        unknown = await place.call(name, "marlow", channel="1000000000000000001", dry_run=False)
        assert hidden.status == "refused"
        assert hidden.said == unknown.said
    assert [each["id"] for each in await place.history("vault")] == [secret]


async def test_a_moderator_without_ban_members_bans_nobody_for_a_time_either(place: Place) -> None:
    with pytest.raises(ControlError, match="default-member-permissions"):
        await uses(place, "marlow", "ban", member=user(place, "nina"), duration="7d")


async def test_a_purge_that_a_program_asks_for_is_confirmed_with_the_channels_name(place: Place) -> None:
    """One click is for who named it himself."""
    await place.says("nina", "general", "spam")
    asked = await place.call("message_purge", "marlow", channel=place.channel("general"), dry_run=False)
    assert asked.status == "needs_confirmation", asked
    by = place.town.core.callers.from_token(await place.token("marlow"))
    assert by is not None
    plan = await place.town.core.desk.view(asked.data["plan_id"], by)
    assert plan.name_to_type == "general"
