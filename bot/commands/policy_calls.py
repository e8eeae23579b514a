"""What ``guildhall policy`` does in a member's name: by operations, with his rights, and a person's confirmation."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
import discord

from bot.client import ConnectionRefusedByDiscord
from bot.commands.discord_ids import check_ids
from bot.commands.failures import CommandError
from bot.core import Core
from bot.serving_core import passive_core
from bot.settings import Settings
from operations.base import Outcome, Status
from operations.outcomes import plain, text, timestamp
from operations.plans import TokenProof
from policy.model import Caller, Face, Strength
from storage.database import Database

Call = tuple[str, dict[str, Any]]
ASKED_IN_VAIN = "Discord could not be asked ({}); `guildhall doctor` says more."


def calls_of(guild_id: int, channel_id: int | None, asked: Mapping[str, Any]) -> list[Call]:
    """The operations that set what was asked for, as the command line took it (see policies.asked_of)."""
    where = {"guild": str(guild_id)}
    if channel_id is not None:
        return [("channel_policy_set", {**where, "channel": str(channel_id), **asked["rules"]})]
    plain_settings = {key: asked[key] for key in ("tiers", "four_eyes", "record_reads") if key in asked}
    if "role_map" in asked:
        plain_settings["role_map"] = {str(role_id): role for role_id, role in asked["role_map"].items()}
    found: list[Call] = []
    if plain_settings or "rules" in asked:
        found.append(("policy_set", {**where, **asked.get("rules", {}), **plain_settings}))
    if "approver_role_ids" in asked:
        found.append(("approvers_set", {**where, "roles": [str(role_id) for role_id in asked["approver_role_ids"]]}))
    for operation, key in (("approvals_channel_set", "approvals_channel_id"), ("log_channel_set", "log_channel_id")):
        if key in asked:
            found.append((operation, {**where, "channel": str(asked[key])}))
    return found


@asynccontextmanager
async def _core(settings: Settings, database: Database) -> AsyncGenerator[Core]:
    """Raises CommandError when Discord does not answer."""
    if settings.discord_bot_token is None:
        raise CommandError("DISCORD_BOT_TOKEN is not set; a member's rights are looked up in Discord.")
    try:
        async with passive_core(settings, database) as core:
            yield core
    except (aiohttp.ClientError, OSError, discord.HTTPException, ConnectionRefusedByDiscord) as error:
        raise CommandError(ASKED_IN_VAIN.format(type(error).__name__)) from None


async def carry_out(
    settings: Settings, database: Database, guild_id: int, user_id: int | None, calls: Sequence[Call]
) -> list[str]:
    """Calls as this member (None: the application's owner); a line each. Raises CommandError for what is refused."""
    async with _core(settings, database) as core:
        user_id = min(core.state.source.application_owner_ids) if user_id is None else user_id
        caller = _caller(core, guild_id, user_id)
        return [await _called(core, caller, name, arguments) for name, arguments in calls]


def _caller(core: Core, guild_id: int, user_id: int) -> Caller:
    caller = core.callers.of_command_line(guild_id, user_id)
    if caller is None:
        raise CommandError(f"--guild: {guild_id} is not installed; start `guildhall run` once, or list it.")
    return caller


async def _called(core: Core, caller: Caller, name: str, arguments: dict[str, Any]) -> str:
    outcome = await core.executor.run(name, arguments, caller)
    plan = outcome.plan
    if plan is not None and plan.strength is not Strength.PERSON and plan.plan_token is not None:
        # Whoever typed the command named operation and arguments himself.
        outcome = await core.desk.confirm(plan.plan_id, caller, TokenProof(plan.plan_token))
    return _line(outcome, caller)


def _line(outcome: Outcome, caller: Caller) -> str:
    preview, plan = outcome.preview, outcome.plan
    summary = outcome.operation if preview is None else preview.summary
    match outcome.status:
        case Status.DONE:
            return f"Done: {summary}. A running instance follows within a second."
        case Status.NEEDS_CONFIRMATION if plan is not None:
            until = timestamp(plan.expires_at)
            return (
                f"Asked: {summary}. Nothing has changed yet: a person has to confirm the plan {plan.plan_id} in "
                f"Discord until {until}; a running instance posts its card within some seconds."
            )
        case _:
            raise CommandError(f"As {caller.user_id}: {text(outcome)}")


async def test(
    settings: Settings, database: Database, guild_id: int, user_id: int, operation: str, arguments: str
) -> list[str]:
    """What the policy would say of a member's call, a line a step. Raises CommandError."""
    check_ids("--as", [user_id])
    given = _arguments(arguments)
    async with _core(settings, database) as core:
        member = core.callers.of_member(guild_id, user_id, Face.SLASH)
        if member is None:
            raise CommandError(f"--guild: {guild_id} is not installed; start `guildhall run` once, or list it.")
        known = core.registry.get(operation)
        if known is not None and "guild" in known.Input.model_fields:
            given.setdefault("guild", str(guild_id))
        outcome = await core.executor.run("policy_explain", {"operation": operation, "arguments": given}, member)
    if outcome.status is not Status.DONE:
        raise CommandError(text(outcome))
    found: dict[str, Any] = plain(outcome.data)
    return list(_steps(found))


def _steps(found: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for step in found["steps"]:
        said = " ".join(filter(None, (step.get("reason"), step.get("remedy"))))
        lines.append(f"{'passes' if step['passed'] else 'REFUSES'}  {step['step']}{': ' + said if said else ''}")
    if not found["would_pass"]:
        return [f"{found['operation']}: refused", *lines]
    needs = {"none": "nothing more", "token": "a confirmation", "human": "a person's confirmation"}
    return [f"{found['operation']}: would pass; it needs {needs[found['confirmation']]}", *lines]


def _arguments(given: str) -> dict[str, Any]:
    try:
        parsed: object = json.loads(given)
    except ValueError as error:
        raise CommandError(f"ARGUMENTS: this is not JSON ({error}).") from None
    if not isinstance(parsed, dict):
        raise CommandError('ARGUMENTS: write one JSON object, such as \'{"channel": "general"}\'.')
    return cast("dict[str, Any]", parsed)
