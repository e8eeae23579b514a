"""``guildhall policy show|set``: a guild's policy, from the command line of the host.

Who can run this has access to database and keys, but need not be anybody in the guild: it tightens by itself, and
loosens nothing.
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
WHO_LOOSENS = (
    "Loosening needs a person who is workspace admin and Discord administrator, and confirms it in Discord; that comes "
    "with the slash commands. Nothing was changed."
)


async def run(settings: Settings, arguments: argparse.Namespace, mark: Mark) -> Sequence[str]:
    """The lines to print. Raises CommandError."""
    async with opened_database(settings, mark) as database:
        if arguments.action == "show":
            return await _show(database, arguments.guild)
        asked = _asked(arguments)
        gone_id = await _looked_up(settings, database, arguments)
        return await _set(database, arguments, asked, gone_id)


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
    named_ids = (arguments.channel, arguments.approvals_channel)
    if named_ids == (None, None) and not arguments.approver_role:
        return None
    # Here, and not above: discord.py takes a while to import, and `policy show` has no use for it.
    from bot.commands.guild_look import look_at

    async with look_at(settings, arguments.guild) as guild:
        for option, channel_id in zip(("--channel", "--approvals-channel"), named_ids, strict=True):
            channel = None if channel_id is None else await guild.channel(channel_id)
            if channel_id is not None and channel is None:
                raise CommandError(f"{option}: {channel_id} is not a channel of this guild.")
            if channel is not None and option == "--approvals-channel" and not hasattr(channel, "send"):
                raise CommandError(f"{option}: #{channel.name} is not a channel that messages are sent to.")
        for role_id in arguments.approver_role or ():
            if not guild.has_role(role_id):
                raise CommandError(f"--approver-role: {role_id} is not a role of this guild that one can be given.")
        replaces = arguments.approvals_channel is not None and set_id not in (None, arguments.approvals_channel)
        is_gone = replaces and set_id is not None and await guild.channel(set_id) is None
        return set_id if is_gone else None


async def _set(
    database: Database, arguments: argparse.Namespace, asked: Mapping[str, Any], gone_id: int | None
) -> Sequence[str]:
    async with database.unit_of_work() as session:
        installation = await _installation(session, arguments.guild)
        await policies.lock(session, installation.id)
        if arguments.channel is None:
            loosened, changed = await _set_guild(session, installation, asked, gone_id)
        else:
            loosened, changed = await _set_channel(session, installation, arguments.channel, asked)
        if changed or loosened:
            await audit.append(session, _entry(installation, arguments.channel, asked, loosened))
    if loosened:
        raise CommandError(f"This would loosen {'; '.join(loosened)}. {WHO_LOOSENS}")
    first = "Set. A running instance follows within a second." if changed else "Nothing changed; it was so already."
    return [first, *_notes(arguments), *await _show(database, arguments.guild)]


async def _set_guild(
    session: Session, installation: Installation, asked: Mapping[str, Any], gone_id: int | None
) -> tuple[tuple[str, ...], bool]:
    """What would be loosened (then nothing is stored), and whether anything changed.

    ``gone_id``: an approvals channel that no longer exists; none is set where that one is.
    """
    before = await policies.guild(session, installation.id)
    if gone_id is not None and before.approvals_channel_id == gone_id:
        before = before.model_copy(update={"approvals_channel_id": None})
    merged = before.model_dump() | {key: value for key, value in asked.items() if key not in ("rules", "tiers")}
    merged["rules"] = before.rules.model_dump() | asked.get("rules", {})
    merged["tiers"] = before.tiers | asked.get("tiers", {})
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
    if arguments.four_eyes is not None:
        asked["four_eyes"] = arguments.four_eyes == "on"
    if not asked:
        raise CommandError("Name what to set; `guildhall policy set --help` lists it.")
    if arguments.channel is not None:
        check_ids("--channel", [arguments.channel])
        if set(asked) != {"rules"}:
            raise CommandError(
                "--channel: a channel has rules alone (--read, --write, --destroy); the rest is the guild's."
            )
    return asked


def _tiers(given: Sequence[str]) -> dict[str, str]:
    from bot.catalogue import CATALOGUE
    from operations.registry import Registry

    registry, found = Registry(CATALOGUE), dict[str, str]()
    for each in given:
        name, _, tier = each.partition("=")
        operation = registry.get(name)
        if operation is None or operation.kind is not Kind.WRITE:
            raise CommandError(f"--tier: '{name}' is not an operation that writes; docs/operations.md lists them.")
        if tier not in RAISED:
            raise CommandError(f"--tier: '{each}' names no tier to raise to; write {name}=risky or {name}=critical.")
        if Tier[tier.upper()] <= operation.tier:
            raise CommandError(f"--tier: {name} is {operation.tier.label} by itself; {tier} would raise nothing.")
        found[name] = tier
    return found


def _notes(arguments: argparse.Namespace) -> list[str]:
    if arguments.approvals_channel is None:
        return []
    return ["The bot needs View Channel, Send Messages and Embed Links in the approvals channel."]


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
