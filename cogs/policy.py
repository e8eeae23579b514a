"""``/policy``: what a guild lets through, who confirms, and where; and trying it for a member."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import discord
from discord import app_commands

from cogs import texts
from cogs.slash.autocomplete import Autocompletes
from cogs.slash.by_hand import ByHand, Given, command_by_hand, offered, option, pick, written
from cogs.slash.faces import SlashFace
from cogs.slash.options import BadValue, of_ref
from cogs.slash.running import SlashRunner
from cogs.slash.synthesis import command_of
from operations.registry import Registry

TIERS = ("risky", "critical", "none")
PLATFORM_ROLES = ("viewer", "member", "manager", "admin", "none")
THROUGH = ("slash", "mcp", "agent")
ROLES = ("role", "role_2", "role_3", "role_4", "role_5")
# Whom Discord shows it; the workspace's roles decide at each use.
SEEN_BY = discord.Permissions(manage_guild=True)

FACES = (
    SlashFace("policy show", "policy_get"),
    SlashFace("policy set", "policy_set", frozenset({"tiers", "role_map"})),
    SlashFace("policy channel", "channel_policy_set", here=True),
    SlashFace("policy approvals-channel", "approvals_channel_set"),
    SlashFace("policy log-channel", "log_channel_set"),
)


def policy_group(registry: Registry, runner: SlashRunner, offers: Autocompletes) -> app_commands.Group:
    """The command with all that stands below it."""
    group = app_commands.Group(
        name="policy",
        description=texts.POLICY_GROUP,
        default_permissions=SEEN_BY,
    )
    for face in FACES:
        operation = registry.get(face.operation)
        if operation is None:
            raise ValueError(f"/{face.command}: there is no operation {face.operation}")
        group.add_command(command_of(face, operation, runner, offers, None))
    for made in _by_hand(offers):
        group.add_command(command_by_hand(made, registry, runner))
    return group


def _by_hand(offers: Autocompletes) -> tuple[ByHand, ...]:
    operation = option("operation", texts.POLICY_OPERATION, offered("operation", offers))
    return (
        ByHand(
            "tier",
            "policy_set",
            texts.POLICY_TIER_COMMAND,
            (operation, option("tier", texts.POLICY_TIER, pick(TIERS))),
            lambda given: {"tiers": {given["operation"]: given["tier"]}},
        ),
        ByHand(
            "role",
            "policy_set",
            texts.POLICY_ROLE_COMMAND,
            (
                option("role", texts.POLICY_ROLE, of_ref("role", offers)),
                option("platform_role", texts.POLICY_PLATFORM_ROLE, pick(PLATFORM_ROLES)),
            ),
            lambda given: {"role_map": {given["role"]: given["platform_role"]}},
        ),
        ByHand(
            "approvers",
            "approvers_set",
            texts.POLICY_APPROVERS_COMMAND,
            tuple(option(name, texts.POLICY_APPROVER, of_ref("role", offers), required=False) for name in ROLES),
            lambda given: {"roles": [given[name] for name in ROLES if name in given]},
        ),
        ByHand(
            "test",
            "policy_test",
            texts.POLICY_TEST_COMMAND,
            (
                option("member", texts.POLICY_TEST_MEMBER, of_ref("member", offers)),
                operation,
                option("arguments", texts.POLICY_TEST_ARGUMENTS, written(2000), required=False),
                option("through", texts.POLICY_TEST_THROUGH, pick(THROUGH), required=False),
            ),
            _tested,
        ),
    )


def _tested(given: Given) -> Given:
    return {**given, "arguments": _json(given.get("arguments", "{}"))}


def _json(text: str) -> Mapping[str, Any]:
    try:
        found: object = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadValue(texts.BAD_JSON)
    return cast("dict[str, Any]", found)
