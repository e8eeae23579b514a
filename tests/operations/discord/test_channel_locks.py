"""Locking and unlocking channels, over the wire of the sandbox."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from operations.base import Outcome, Status
from operations.plans import Asking, PersonProof
from policy.model import Face, Tier
from tests.app import Place, until
from tests.sandbox_process import ControlError

pytestmark = pytest.mark.asyncio(loop_scope="session")

Overwrites = dict[str, tuple[str, str]]


async def by(place: Place, name: str, channel: str, who: str = "marlow", **more: Any) -> Outcome:
    """As a slash command of a member, done at once."""
    caller = place.town.core.callers.of_member(place.guild_id, int(place.member(who)), Face.SLASH)
    assert caller is not None
    given = {"channel": place.guild["channels"].get(channel, channel), "guild": place.id, **more}
    return await place.town.core.executor.run(name, given, caller, asking=Asking(proof=PersonProof("slash")))


async def done(place: Place, name: str, channel: str, who: str = "marlow") -> Any:
    outcome = await by(place, name, channel, who)
    assert outcome.status is Status.DONE, outcome
    return outcome.data


async def overwrites(place: Place, channel: str) -> Overwrites:
    path = f"/channels/{place.channel(channel)}"
    found = (await place.by_hand("olive", "GET", path))["permission_overwrites"]
    return {each["id"]: (each["allow"], each["deny"]) for each in found}


def guild_of(place: Place) -> discord.Guild:
    guild = place.town.core.state.source.cached(place.guild_id)
    assert guild is not None
    return guild


def known(place: Place, subject: str, channel: str = "general") -> tuple[int, int]:
    """The overwrite of a role, as the bot knows it."""
    found = guild_of(place).get_channel(int(place.channel(channel)))
    role = guild_of(place).get_role(int(subject))
    assert found is not None
    if role is None:
        return 0, 0
    allow, deny = found.overwrites_for(role).pair()
    return allow.value, deny.value


async def by_olive(place: Place, subject: str, allow: int, deny: int) -> None:
    """An overwrite set by hand, once the bot has heard of it."""
    path = f"/channels/{place.channel('general')}/permissions/{subject}"
    await place.by_hand("olive", "PUT", path, {"type": 0, "allow": str(allow), "deny": str(deny)})
    await until(lambda: known(place, subject) == (allow, deny), "the overwrite arrives")


async def may_write(place: Place, who: str, channel: str = "general") -> bool:
    try:
        await place.says(who, channel, "may I?")
    except ControlError:
        return False
    return True


async def test_a_lock_keeps_members_from_writing_and_moderators_write_on(place: Place) -> None:
    before = await overwrites(place, "general")
    preview = await by(place, "channel_lock", "general", dry_run=True)
    assert (preview.status, preview.tier) == (Status.PREVIEW, Tier.RISKY)
    assert preview.preview is not None
    assert preview.preview.reversible
    assert preview.preview.summary == "Lock #general of Harbor: members read it, and moderators alone write there"
    assert await overwrites(place, "general") == before
    result = await done(place, "channel_lock", "general")
    assert result.locked
    assert set(result.changed) == {"@everyone", "Moderator", "Guildhall"}
    assert not await may_write(place, "nina")
    assert await may_write(place, "marlow")
    assert await may_write(place, "ada")
    guild = guild_of(place)
    channel = guild.get_channel(int(place.channel("general")))
    assert channel is not None
    assert channel.permissions_for(guild.me).send_messages, "the bot writes on"
    unlocked = await done(place, "channel_unlock", "general")
    assert not unlocked.locked
    assert await may_write(place, "nina")
    assert await overwrites(place, "general") == before


async def test_several_locks_are_taken_back_by_one_unlock(place: Place) -> None:
    role = place.role("Member")
    before = await overwrites(place, "general")
    await done(place, "channel_lock", "general")
    again = await by(place, "channel_lock", "general", dry_run=True)
    assert again.preview is not None
    assert (
        "Nothing would change; members cannot write in #general of Harbor, locked since 2" in again.preview.problems[0]
    )
    # Somebody lets members write again, and the channel is locked a second time.
    await by_olive(place, role, 2048, 0)
    second = await done(place, "channel_lock", "general")
    assert second.changed == ["Member"]
    await done(place, "channel_unlock", "general")
    after = await overwrites(place, "general")
    assert after.pop(role) == ("2048", "0")
    assert after == before
    unknown = await by(place, "channel_unlock", "general")
    assert unknown.refusal is not None
    assert unknown.refusal.code == "not_locked"
    assert unknown.refusal.remedy


async def test_what_was_changed_by_hand_since_stays_and_what_is_gone_is_told(place: Place) -> None:
    made = await place.by_hand("olive", "POST", f"/guilds/{place.id}/roles", {"name": "Speakers"})
    await by_olive(place, made["id"], 2048, 0)
    await done(place, "channel_lock", "general")
    locked = await overwrites(place, "general")
    deny = int(locked[place.id][1]) & ~(1 << 6)
    await by_olive(place, place.id, 64, deny)
    await place.by_hand("olive", "DELETE", f"/guilds/{place.id}/roles/{made['id']}")
    await until(lambda: guild_of(place).get_role(int(made["id"])) is None, "the role is gone")
    shown = await by(place, "channel_unlock", "general", dry_run=True)
    assert shown.preview is not None
    told = " ".join(shown.preview.unknowns)
    assert "add_reactions of @everyone was changed since the lock and stays as it is." in told
    assert "The role Speakers is gone; what it was allowed here is not given back." in told
    await done(place, "channel_unlock", "general")
    assert (await overwrites(place, "general"))[place.id] == ("64", "0")


async def test_a_private_channel_stays_private_and_its_lock_is_undone_by_audit_revert(place: Place) -> None:
    before = await overwrites(place, "mod-room")
    outcome = await by(place, "channel_lock", "mod-room", "ada")
    assert outcome.status is Status.DONE, outcome
    assert int((await overwrites(place, "mod-room"))[place.id][1]) & 1 << 10
    caller = place.town.core.callers.of_member(place.guild_id, int(place.member("ada")), Face.SLASH)
    assert caller is not None
    given = {"call": outcome.call_id, "guild": place.id}
    slash = Asking(proof=PersonProof("slash"))
    reverted = await place.town.core.executor.run("audit_revert", given, caller, asking=slash)
    assert reverted.status is Status.DONE, reverted
    assert await overwrites(place, "mod-room") == before


async def test_who_may_not_and_who_does_not_see_it_lock_nothing(place: Place) -> None:
    before = {name: channel["overwrites"] for name, channel in (await place.channels()).items()}
    for who, channel, code in (
        ("nina", "general", "you_lack_permission"),
        ("marlow", "vault", "unknown_channel"),
        ("ada", "Talk", "not_lockable"),
    ):
        outcome = await by(place, "channel_lock", channel, who)
        assert outcome.refusal is not None, (who, outcome)
        assert outcome.refusal.code == code, (who, outcome)
    thread = await place.thread("ada", "general", "tides")
    outcome = await by(place, "channel_lock", thread, "ada")
    assert outcome.refusal is not None
    assert outcome.refusal.code == "is_thread"
    after = {name: channel["overwrites"] for name, channel in (await place.channels()).items() if name != "tides"}
    assert after == before


async def test_nobody_locks_or_unlocks_with_a_permission_that_he_lacks(place: Place) -> None:
    """As channel_permissions_edit judges each overwrite: what it carries, the requester must hold."""
    await by_olive(place, place.id, 0, 1 << 2)
    refused = await by(place, "channel_lock", "general")
    assert refused.refusal is not None
    assert refused.refusal.code == "you_lack_permission"
    assert "ban_members" in refused.refusal.reason
    await done(place, "channel_lock", "general", "ada")
    refused = await by(place, "channel_unlock", "general")
    assert refused.refusal is not None
    assert refused.refusal.code == "you_lack_permission"


async def test_a_lock_that_breaks_off_is_told_and_taken_back(place: Place) -> None:
    before = await overwrites(place, "general")
    path = f"/channels/{place.channel('general')}/permissions/{place.id}"
    await place.town.sandbox.control("fault", faults=[{"method": "PUT", "path": path, "status": 403, "code": 50013}])
    outcome = await by(place, "channel_lock", "general")
    assert outcome.status is Status.UNKNOWN
    assert "overwrites are changed" in outcome.detail
    await place.town.sandbox.control("fault", faults=[])
    assert await overwrites(place, "general") != before
    await done(place, "channel_unlock", "general")
    assert await overwrites(place, "general") == before
