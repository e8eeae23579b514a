"""``guildhall policy show|set|test``: a guild's policy, from the command line of the host.

Who can run this has access to database and keys, but need not be anybody in the guild: it tightens by itself. What
loosens is asked for in the name of a member (``--as``, else the application's owner), and a person confirms it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from bot.commands.discord_ids import check_ids
from bot.commands.failures import CommandError
from bot.marked_database import opened_database
from bot.settings import Settings
from operations.call_ids import new_call_id
from policy.model import CallerKind, Face, Installation, Kind, OperationClass, Step, Tier
from policy.rules import ChannelRules, GuildRules, loosens, loosens_channel
from storage import audit, installations, policies
from storage.audit import AuditEntry
from storage.database import Database, Session
from storage.instance import Mark

CLIENT_ID = "command_line"
OPERATION = "policy_set"
LOOSENING = "loosening"
RAISED = ("risky", "critical")
MAPPED = ("none", "viewer", "member", "manager", "admin")
WHO_LOOSENS = (
    "Loosening needs a person who is workspace admin and Discord administrator, and confirms it in Discord: name one "
    "with --as USER_ID. Nothing was changed."
)


async def run(settings: Settings, arguments: argparse.Namespace, mark: Mark) -> Sequence[str]:
    """The lines to print. Raises CommandError."""
    async with opened_database(settings, mark) as database:
        if arguments.action == "show":
            return await _show(database, arguments.guild)
        if arguments.action == "test":
            return await _test(settings, database, arguments)
        asked = _asked(arguments)
        async with database.read() as session:
            await _installation(session, arguments.guild)
        if arguments.user_id is not None:
            check_ids("--as", [arguments.user_id])
            return await _in_the_name_of(settings, database, arguments, asked)
        gone_id = await _looked_up(settings, database, arguments)
        loosened, changed = await _set(database, arguments, asked, gone_id)
        if loosened:
            return await _asked_for(settings, database, arguments, asked, loosened)
        first = "Set. A running instance follows within a second." if changed else "Nothing changed; it was so already."
        return [first, *_notes(arguments), *await _show(database, arguments.guild)]


# ------------------------------------------------------------ in somebody's name
async def _test(settings: Settings, database: Database, arguments: argparse.Namespace) -> Sequence[str]:
    from bot.commands import policy_calls

    return await policy_calls.test(
        settings, database, arguments.guild, arguments.user_id, arguments.operation, arguments.arguments
    )


async def _in_the_name_of(
    settings: Settings, database: Database, arguments: argparse.Namespace, asked: Mapping[str, Any]
) -> Sequence[str]:
    # Here, and not above: all of discord.py and of Guildhall takes a while to import.
    from bot.commands import policy_calls

    calls = policy_calls.calls_of(arguments.guild, arguments.channel, asked)
    return await policy_calls.carry_out(settings, database, arguments.guild, arguments.user_id, calls)


async def _asked_for(
    settings: Settings,
    database: Database,
    arguments: argparse.Namespace,
    asked: Mapping[str, Any],
    loosened: Sequence[str],
) -> Sequence[str]:
    """What the command line does not do by itself, as the application's owner. Raises CommandError."""
    try:
        return await _in_the_name_of(settings, database, arguments, asked)
    except CommandError as error:
        async with database.unit_of_work() as session:
            installation = await _installation(session, arguments.guild)
            await audit.append(session, _entry(installation, arguments.channel, asked, loosened))
        raise CommandError(f"This would loosen {'; '.join(loosened)}. {error} {WHO_LOOSENS}") from None


# ----------------------------------------------------------------------- show
async def _show(database: Database, guild_id: int) -> Sequence[str]:
    async with database.read() as session:
        installation = await _installation(session, guild_id)
        rules = await policies.guild(session, installation.id)
        channels = await policies.channels(session, installation.id)
    return _lines(installation, rules, channels)


def _lines(installation: Installation, rules: GuildRules, channels: Mapping[int, ChannelRules]) -> list[str]:
    card_place = "not set: cards go to the person who asked, by direct message"
    if rules.approvals_channel_id is not None:
        card_place = str(rules.approvals_channel_id)
    lines = [
        f"guild {installation.guild_id}  {installation.workspace_id}",
        f"rules: {_named(rules.rules)}",
        f"approvals channel: {card_place}",
        f"approver roles: {' '.join(map(str, rules.approver_role_ids)) or 'none: the rights alone count'}",
        f"four eyes: {'on' if rules.four_eyes else 'off'}",
    ]
    if rules.tiers:
        lines.append("tiers: " + ", ".join(f"{name} {tier}" for name, tier in sorted(rules.tiers.items())))
    if rules.role_map:
        lines.append("role map: " + ", ".join(f"{role_id} {role}" for role_id, role in sorted(rules.role_map.items())))
    if rules.preset is not None:
        lines.append(f"preset: {rules.preset}")
    if rules.log_channel_id is not None:
        lines.append(f"log channel: {rules.log_channel_id}")
    if rules.record_reads:
        lines.append("reads: recorded")
    return lines + [f"channel {channel_id}: {_named(each.rules)}" for channel_id, each in sorted(channels.items())]


def _named(rules: object) -> str:
    return ", ".join(f"{each.value} {getattr(rules, each.value)}" for each in OperationClass)


# ------------------------------------------------------------------------ set
async def _looked_up(settings: Settings, database: Database, arguments: argparse.Namespace) -> int | None:
    """Asks Discord for the ids that were typed. Returns that of an approvals channel that is set and exists no more.

    Raises CommandError. A mistyped id could not be set right afterwards: that would change what is set.
    """
    async with database.read() as session:
        installation = await _installation(session, arguments.guild)
        set_id = (await policies.guild(session, installation.id)).approvals_channel_id
    named_ids = (arguments.channel, arguments.approvals_channel, arguments.log_channel)
    role_ids = [*(arguments.approver_role or ()), *_mapped(arguments.map_role)]
    if named_ids == (None, None, None) and not role_ids:
        return None
    # Here, and not above: discord.py takes a while to import, and `policy show` has no use for it.
    from bot.commands.guild_look import look_at

    async with look_at(settings, arguments.guild) as guild:
        for option, channel_id in zip(("--channel", "--approvals-channel", "--log-channel"), named_ids, strict=True):
            channel = None if channel_id is None else await guild.channel(channel_id)
            if channel_id is not None and channel is None:
                raise CommandError(f"{option}: {channel_id} is not a channel of this guild.")
            if channel is not None and option != "--channel" and not hasattr(channel, "send"):
                raise CommandError(f"{option}: #{channel.name} is not a channel that messages are sent to.")
            if option != "--channel" and hasattr(channel, "parent_id"):
                raise CommandError(f"{option}: a thread is archived by itself, and nothing is seen there then.")
        for role_id in role_ids:
            if not guild.has_role(role_id) and role_id != arguments.guild:
                raise CommandError(f"{role_id} is not a role of this guild.")
        for role_id in arguments.approver_role or ():
            if role_id == arguments.guild:
                raise CommandError(f"--approver-role: {role_id} is not a role of this guild that one can be given.")
        replaces = arguments.approvals_channel is not None and set_id not in (None, arguments.approvals_channel)
        is_gone = replaces and set_id is not None and await guild.channel(set_id) is None
        return set_id if is_gone else None


async def _set(
    database: Database, arguments: argparse.Namespace, asked: Mapping[str, Any], gone_id: int | None
) -> tuple[tuple[str, ...], bool]:
    """What would be loosened (then nothing is stored), and whether anything changed."""
    async with database.unit_of_work() as session:
        installation = await _installation(session, arguments.guild)
        await policies.lock(session, installation.id)
        if arguments.channel is None:
            loosened, changed = await _set_guild(session, installation, asked, gone_id)
        else:
            loosened, changed = await _set_channel(session, installation, arguments.channel, asked)
        if changed:
            await audit.append(session, _entry(installation, arguments.channel, asked, loosened))
    return loosened, changed


async def _set_guild(
    session: Session, installation: Installation, asked: Mapping[str, Any], gone_id: int | None
) -> tuple[tuple[str, ...], bool]:
    """What would be loosened (then nothing is stored), and whether anything changed.

    ``gone_id``: an approvals channel that no longer exists; none is set where that one is.
    """
    before = await policies.guild(session, installation.id)
    if gone_id is not None and before.approvals_channel_id == gone_id:
        before = before.model_copy(update={"approvals_channel_id": None})
    merged = before.model_dump() | dict(asked)
    merged["rules"] = before.rules.model_dump() | asked.get("rules", {})
    for name in ("tiers", "role_map"):
        both = getattr(before, name) | asked.get(name, {})
        merged[name] = {key: value for key, value in both.items() if value != "none"}
    after = GuildRules.model_validate(merged)
    loosened = loosens(before, after)
    if loosened or after == before:
        return loosened, False
    await policies.set_guild(session, installation.id, after, by=None, now=time.time())
    return (), True


async def _set_channel(
    session: Session, installation: Installation, channel_id: int, asked: Mapping[str, Any]
) -> tuple[tuple[str, ...], bool]:
    before = (await policies.channels(session, installation.id)).get(channel_id, ChannelRules())
    after = ChannelRules.model_validate({"rules": before.rules.model_dump() | asked["rules"]})
    loosened = loosens_channel(before, after)
    if loosened or after == before:
        return loosened, False
    await policies.set_channel(session, installation.id, channel_id, after, by=None, now=time.time())
    return (), True


def _asked(arguments: argparse.Namespace) -> dict[str, Any]:
    """What is named, as policy.rules.GuildRules has it. Raises CommandError for what nobody can mean."""
    rules = {
        each.value: getattr(arguments, each.value)
        for each in OperationClass
        if getattr(arguments, each.value) is not None
    }
    asked: dict[str, Any] = {"rules": rules} if rules else {}
    if arguments.tier:
        asked["tiers"] = _tiers(arguments.tier)
    if arguments.approvals_channel is not None:
        check_ids("--approvals-channel", [arguments.approvals_channel])
        asked["approvals_channel_id"] = arguments.approvals_channel
    if arguments.approver_role:
        check_ids("--approver-role", arguments.approver_role)
        asked["approver_role_ids"] = sorted(set(arguments.approver_role))
    if arguments.log_channel is not None:
        check_ids("--log-channel", [arguments.log_channel])
        asked["log_channel_id"] = arguments.log_channel
    if arguments.map_role:
        asked["role_map"] = _mapped(arguments.map_role)
    for name in ("four_eyes", "record_reads"):
        if getattr(arguments, name) is not None:
            asked[name] = getattr(arguments, name) == "on"
    if not asked:
        raise CommandError("Name what to set; `guildhall policy set --help` lists it.")
    if arguments.channel is not None:
        check_ids("--channel", [arguments.channel])
        if set(asked) != {"rules"}:
            raise CommandError(
                "--channel: a channel has rules alone (--read, --write, --destroy); the rest is the guild's."
            )
    return asked


def _mapped(given: Sequence[str] | None) -> dict[int, str]:
    found: dict[int, str] = {}
    for each in given or ():
        role_id, _, role = each.partition("=")
        if not role_id.isdecimal() or role not in MAPPED:
            raise CommandError(
                f"--map-role: '{each}' is no mapping; write ROLE_ID=ROLE with one of {', '.join(MAPPED)}."
            )
        check_ids("--map-role", [int(role_id)])
        found[int(role_id)] = role
    return found


def _tiers(given: Sequence[str]) -> dict[str, str]:
    from bot.catalogue import CATALOGUE
    from operations.registry import Registry

    registry, found = Registry(CATALOGUE), dict[str, str]()
    for each in given:
        name, _, tier = each.partition("=")
        operation = registry.get(name)
        if operation is None or operation.kind is not Kind.WRITE:
            raise CommandError(f"--tier: '{name}' is not an operation that writes; docs/operations.md lists them.")
        if tier == "none":
            found[name] = tier
            continue
        if tier not in RAISED:
            raise CommandError(
                f"--tier: '{each}' names no tier to raise to; write {name}=risky or {name}=critical, or {name}=none."
            )
        if Tier[tier.upper()] <= operation.tier:
            raise CommandError(f"--tier: {name} is {operation.tier.label} by itself; {tier} would raise nothing.")
        found[name] = tier
    return found


def _notes(arguments: argparse.Namespace) -> list[str]:
    return [
        f"The bot needs View Channel, Send Messages and Embed Links in the {name} channel."
        for name, channel_id in (("approvals", arguments.approvals_channel), ("log", arguments.log_channel))
        if channel_id is not None
    ]


def _entry(
    installation: Installation, channel_id: int | None, asked: Mapping[str, Any], loosened: Sequence[str]
) -> AuditEntry:
    """Ids, rules and tiers, nothing that anybody wrote: told as it is."""
    return AuditEntry(
        call_id=new_call_id(),
        entry="decision" if loosened else "outcome",
        at=time.time(),
        workspace_id=installation.workspace_id,
        installation_id=installation.id,
        guild_id=installation.guild_id,
        channel_id=channel_id,
        caller_kind=CallerKind.COMMAND_LINE,
        face=Face.CLI,
        client_id=CLIENT_ID,
        operation=OPERATION,
        tier=Tier.CRITICAL.label if loosened else Tier.WRITE.label,
        arguments=json.dumps(asked),
        step=Step.SCOPE.value if loosened else "",
        code=LOOSENING if loosened else "",
        reason="; ".join(loosened),
        status="refused" if loosened else "done",
    )


async def _installation(session: Session, guild_id: int) -> Installation:
    check_ids("--guild", [guild_id])
    found = await installations.active(session, guild_id)
    if found is None:
        raise CommandError(f"--guild: {guild_id} is not installed; start `guildhall run` once, or list it.")
    return found
