"""What a confirmation finds in a stored effect is what the preview decided about: needs, tier, fingerprint."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import Any, cast

import pytest

from operations.base import WriteOperation
from policy.model import NeedsConfirmation, Refuse
from tests.app import until
from tests.operations.discord.confirming import by_hand, message_sent, written
from tests.operations.discord.outcomes import previewed
from tests.operations.discord.road import Road
from tests.storage import rows

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def confirmed_by(road: Road, name: str, effect: Any, member: str) -> tuple[Any, str]:
    """What policy says of a stored effect now, for this member, and its fingerprint."""
    executor = road.core.executor
    operation = cast("WriteOperation[Any, Any, Any]", road.core.registry.get(name))
    installation = road.core.facts.snapshot.installations[road.guild_id]
    record = rows.call(installation, operation=name, tier=operation.tier, guild_id=road.guild_id)
    caller = road.caller(member)
    # As a plan keeps it.
    kept = operation.Effect.model_validate_json(effect.model_dump_json())
    prepared = await executor._decider.prepare_stored(operation, kept, caller, record, executor._services)
    return prepared.decide(0.0), await operation.observe(prepared.ctx, kept)


async def test_ones_own_message_needs_no_permission_at_the_confirmation_either(road: Road) -> None:
    message_id = await message_sent(road, "nina")
    asked = {"channel": road.channel("general"), "message": message_id}
    shown = previewed(await road.call("message_delete", "nina", **asked, dry_run=True))
    decision, fingerprint = await confirmed_by(road, "message_delete", shown.effect, "nina")
    assert isinstance(decision, NeedsConfirmation)
    assert fingerprint == shown.fingerprint
    other, _ = await confirmed_by(road, "message_delete", shown.effect, "marlow")
    assert isinstance(other, NeedsConfirmation), "he manages messages"
    await by_hand(road, "olive", "DELETE", f"/channels/{asked['channel']}/messages/{message_id}")
    _, after = await confirmed_by(road, "message_delete", shown.effect, "nina")
    assert after != shown.fingerprint


async def test_an_approver_without_manage_messages_is_refused(road: Road) -> None:
    ids = [await written(road, "ada") for _ in range(2)]
    general = road.channel("general")
    one = previewed(await road.call("message_delete", "marlow", channel=general, message=ids[0], dry_run=True))
    many = previewed(await road.call("message_bulk_delete", "marlow", channel=general, messages=ids, dry_run=True))
    for name, shown in (("message_delete", one), ("message_bulk_delete", many)):
        decision, fingerprint = await confirmed_by(road, name, shown.effect, "nina")
        assert isinstance(decision, Refuse)
        assert decision.code == "you_lack_permission"
        assert fingerprint == shown.fingerprint
        allowed, _ = await confirmed_by(road, name, shown.effect, "marlow")
        assert isinstance(allowed, NeedsConfirmation)


async def test_a_new_reaction_asks_for_the_right_that_it_needs(road: Road) -> None:
    message_id = await written(road, "ada")
    asked = {"channel": road.channel("general"), "message": message_id, "emoji": "👍"}
    shown = previewed(await road.call("reaction_add", "nina", **asked, dry_run=True))
    _, fingerprint = await confirmed_by(road, "reaction_add", shown.effect, "nina")
    assert fingerprint == shown.fingerprint
    nina, channel_id = int(road.guild["members"]["nina"]), int(road.channel("general"))
    await road.sandbox.control("set_overwrite", channel=channel_id, member=nina, deny=["add_reactions"])
    guild = road.core.state.source.cached(road.guild_id)
    assert guild is not None

    def denied() -> bool:
        channel = guild.get_channel(channel_id)
        return channel is not None and any(subject.id == nina for subject in channel.overwrites)

    await until(denied, "the overwrite arrives")
    decision, _ = await confirmed_by(road, "reaction_add", shown.effect, "nina")
    assert isinstance(decision, Refuse)
    assert "add_reactions" in decision.reason


async def test_a_thread_that_was_made_meanwhile_is_another_state(road: Road) -> None:
    message_id = await written(road, "ada")
    asked = {"channel": road.channel("general"), "message": message_id, "name": "about that"}
    shown = previewed(await road.call("thread_create", "nina", **asked, dry_run=True))
    _, fingerprint = await confirmed_by(road, "thread_create", shown.effect, "nina")
    assert fingerprint == shown.fingerprint
    path = f"/channels/{road.channel('general')}/messages/{message_id}/threads"
    await by_hand(road, "ada", "POST", path, {"name": "faster"})
    _, after = await confirmed_by(road, "thread_create", shown.effect, "nina")
    assert after != fingerprint


async def test_a_setting_that_was_changed_meanwhile_is_another_state(road: Road) -> None:
    shown = previewed(await road.call("guild_modify", "ada", name="Mine", system_channel="general", dry_run=True))
    decision, fingerprint = await confirmed_by(road, "guild_modify", shown.effect, "ada")
    assert isinstance(decision, NeedsConfirmation)
    assert fingerprint == shown.fingerprint
    refusal, _ = await confirmed_by(road, "guild_modify", shown.effect, "marlow")
    assert isinstance(refusal, Refuse)
    await by_hand(road, "olive", "PATCH", f"/guilds/{road.guild_id}", {"name": "Theirs"})
    guild = road.core.state.source.cached(road.guild_id)
    assert guild is not None
    await until(lambda: guild.name == "Theirs", "the change arrives")
    _, after = await confirmed_by(road, "guild_modify", shown.effect, "ada")
    assert after != fingerprint
