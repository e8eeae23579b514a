"""What Guildhall itself keeps of a random guild: policy, cases, tokens, pauses, a lock, channels of the agent."""

from __future__ import annotations

import random
import time
from typing import Any, cast

from operations import call_ids
from operations.base import WriteOperation
from operations.discord.channel_lock import LockChannel
from operations.discord.channel_locking import ChannelLockEffect
from operations.discord.channel_overwrites import overwrites_of
from operations.execution import kept_by
from operations.ledger import phase
from operations.refusals import Rejected
from policy.model import Installation, PauseCause, Refuse
from policy.rules import ChannelRules, ClassRules, GuildRules
from storage import cases, chat_channels, clients, pauses, policies
from storage.cases import CaseKind, NewCase
from storage.session import Session
from tests.app import until
from tests.truth.stage import Stage
from tests.truth.tables import record_of
from tests.truth.worlds import CaseAbout, Scene

DAY_SECONDS = 86_400.0
# It asks for a confirmation, and refuses nothing.
CONFIRMED = ChannelRules(rules=ClassRules(destroy="confirm"))
KINDS = (CaseKind.WARN, CaseKind.NOTE, CaseKind.REPORT, CaseKind.TIMEOUT)


async def furnish(stage: Stage, scene: Scene, rng: random.Random) -> None:
    """Once the guild is installed."""
    facts = stage.core.facts
    installation = facts.snapshot.installations[scene.guild_id]
    rules = _rules(scene, rng)
    async with stage.core.database.unit_of_work() as session:
        await policies.set_guild(session, installation.id, rules, by=scene.owner_id, now=time.time())
        for channel_id in rng.sample(scene.everywhere, 2):
            await policies.set_channel(session, installation.id, channel_id, CONFIRMED, by=None, now=time.time())
            await chat_channels.allow(session, installation.id, channel_id, by=scene.owner_id, now=time.time())
        await _cases(session, scene, rng, installation)
        await _tokens(session, scene, rng, installation, stage)
    scene.role_map = {role_id: str(role) for role_id, role in rules.role_map.items()}

    def in_force() -> bool:
        known = facts.snapshot
        return known.guild_rules.get(installation.id) == rules and scene.tokens.keys() <= known.clients.keys()

    await until(in_force, "the policy is in force")
    if rng.random() < 0.7:
        channel_id = rng.choice(scene.of_kinds("text", "announcement", "voice"))
        scene.locked += [channel_id] if await _lock(stage, installation, channel_id) else []


def _rules(scene: Scene, rng: random.Random) -> GuildRules:
    """None that holds anything of Discord back: it would hide what previews say of it."""
    roles = rng.sample(scene.roles, 2)
    somewhere = rng.choice([None, rng.choice(scene.of_kinds("text"))])
    return GuildRules.model_validate(
        {
            "role_map": {roles[0]: "manager", roles[1]: "admin"} if rng.random() < 0.7 else {},
            "tiers": {"message_send": "risky"} if rng.random() < 0.3 else {},
            "approver_role_ids": rng.choice([(), (rng.choice(scene.roles),)]),
            "approvals_channel_id": somewhere,
            "log_channel_id": rng.choice([None, somewhere]),
            "record_reads": rng.random() < 0.3,
        }
    )


async def _cases(session: Session, scene: Scene, rng: random.Random, installation: Installation) -> None:
    for kind in KINDS:
        channel_id = rng.choice([None, rng.choice(scene.everywhere)])
        case = NewCase(
            installation_id=installation.id,
            kind=kind,
            created_at=time.time() - DAY_SECONDS,
            user_id=rng.choice(scene.members),
            moderator_id=scene.owner_id,
            reason="tide",
            channel_id=channel_id,
        )
        assert case.user_id is not None
        scene.cases[await cases.add(session, case)] = CaseAbout(
            case.user_id, channel_id, case.moderator_id if kind is CaseKind.REPORT else None
        )


async def _tokens(session: Session, scene: Scene, rng: random.Random, installation: Installation, stage: Stage) -> None:
    """Of two members, one of them paused; another's that has been revoked. Through none of them it is called here."""
    keyring, now = stage.core.database.keyring, time.time()
    for number in range(3):
        user_id = rng.choice(scene.members)
        client, _ = await clients.create(
            session,
            keyring,
            workspace_id=installation.workspace_id,
            user_id=user_id,
            name="a token",
            scopes=["*:read"],
            guild_ids=[scene.guild_id],
            now=now,
            expires_at=now + DAY_SECONDS,
        )
        scene.tokens[client.id] = user_id
        if number == 0:
            await pauses.pause_caller(
                session,
                installation.id,
                client.id,
                user_id=user_id,
                cause=PauseCause.REFUSALS,
                until=now + DAY_SECONDS,
                now=now,
            )
        if number == 1:
            await clients.revoke(session, client.id, now)


async def _lock(stage: Stage, installation: Installation, channel_id: int) -> bool:
    """Locks a channel as the bot, where that can be: by the product itself, and really. Whether it did."""
    lock = cast("LockChannel", stage.services.registry.get(LockChannel.name))
    given = {"guild": str(installation.guild_id), "channel": str(channel_id)}
    caller = stage.caller(installation.guild_id, None, lock, owner_id=0)
    arguments = lock.Input.model_validate(given)
    try:
        prepared = await stage.decider.prepare(lock, arguments, caller, call_ids.new_call_id(), stage.services)
    except Rejected:
        return False
    preview = await lock.preview(prepared.ctx, cast("Any", arguments))
    if isinstance(prepared.decide(0.0), Refuse) or preview.problems:
        return False
    operation: WriteOperation[Any, Any, Any] = lock
    with phase("execute", prepared.ctx.call_id):
        result = await lock.execute(prepared.ctx, preview.effect)
    keep = kept_by(operation, record_of(operation, prepared.ctx, installation, preview.effect), preview.effect, result)
    assert keep is not None
    async with stage.core.database.unit_of_work() as session:
        await keep(session)
    await until(lambda: _is_locked(stage, installation, preview.effect), "the lock is known")
    return True


def _is_locked(stage: Stage, installation: Installation, effect: ChannelLockEffect) -> bool:
    guild = stage.core.state.source.cached(installation.guild_id)
    channel = None if guild is None else guild.get_channel(effect.channel.id)
    if channel is None or (installation.id, channel.id) not in stage.core.facts.snapshot.channel_locks:
        return False
    bits = {each: (known.allow, known.deny) for each, known in overwrites_of(channel).items()}
    return all(bits.get(edit.subject.id) == (edit.allow, edit.deny) for edit in effect.edits if edit.exists)
