"""What callers write stands in Discord, and in clear nowhere else: not in tables, logs, metrics or refusals."""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bot import settings
from bot.marked_database import opened_database
from policy.scopes import EVERYTHING_BUT_ADMIN
from storage import clients, installations, workspaces
from storage.instance import Mark
from tests import samples
from tests.app import Answer, answer_of, connected, environment, until
from tests.sandbox_process import GuildIds, SandboxProcess
from tests.served_process import Served, served

# The audit keeps the names of objects, masked and cut at 100 characters (policy.redaction): whoever reads it should
# see what was asked for. All else is text.
NAMES = {
    "channel name",
    "channel to lock",
    "channel to unlock",
    "planned name",
    "edited",
    "guild name",
    "thread name",
    "emoji",
    "message",
    "doomed message",
    "first message",
    "second message",
    "author",
    "unknown member",
    "unknown person",
    "kicked",
    "unbanned",
    "timed out",
    "released",
    "warned",
    "looked up",
    "nickname",
    "unknown role",
    "role name",
    "new role name",
    "role above",
    "role of an overwrite",
    "channel of overwrites",
    "unknown field of roles",
    "unknown channel",
    "unknown guild",
    "nested",
    "explained",
    # Not arguments, but the identifiers that a call is made of.
    "explained operation",
    "inner operation",
    "unknown argument",
    "webhook name",
    "new webhook name",
    "unknown webhook",
    "unknown invite",
    "invite with a blank",
    # A word out of a few, as far as anybody knows, or an id.
    "unknown action",
    "kind of case",
    "permission",
    "looked at plan",
    "confirmed plan",
    "cancelled plan",
}


class Canaries:
    """Texts that can come from one argument alone."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}

    def __call__(self, where: str) -> str:
        text = f"canary{len(self.of):03d}z{base64.b32encode(where.encode()).decode().strip('=').lower()[:12]}"
        self.of[where] = text
        return text

    def found_in(self, text: bytes) -> list[str]:
        return [where for where, canary in self.of.items() if canary.encode() in text]


def calls(guild: GuildIds, canary: Canaries) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every text argument of every operation, and the ways to put text where none belongs."""
    channel, doomed = guild["channels"]["general"], guild["channels"]["doomed"]
    role = guild["roles"]["Member"]
    yield (
        "message_send",
        {
            "channel": channel,
            "content": canary("content"),
            "embeds": [
                {
                    "title": canary("embed title"),
                    "description": canary("embed description"),
                    "url": f"https://example.org/{canary('embed url')}",
                    "footer": canary("embed footer"),
                    "author": canary("embed author"),
                    "fields": [{"name": canary("field name"), "value": canary("field value")}],
                }
            ],
            "files": [{"name": f"{canary('file')}.txt", "data": base64.b64encode(canary("data").encode()).decode()}],
            "buttons": [{"label": canary("label"), "url": f"https://example.org/{canary('button url')}"}],
            "reason": canary("reason of a message"),
            "idempotency_key": canary("key"),
            "dry_run": False,
        },
    )
    yield (
        "message_send",
        {
            "channel": channel,
            "poll": {"question": canary("question"), "answers": [canary("answer"), "no"]},
            "dry_run": False,
        },
    )
    yield (
        "message_send",
        {
            "channel": channel,
            "content": "@everyone " + canary("planned content"),
            "ping": ["everyone"],
            "dry_run": False,
        },
    )
    yield "message_send", {"channel": channel, "content": canary("previewed") + "x" * 3000, "dry_run": False}
    yield "message_send", {"channel": channel, "content": "x", "ping": [canary("unknown member")]}
    yield (
        "channel_create",
        {
            "guild": guild["id"],
            "name": canary("channel name"),
            "topic": canary("topic"),
            "reason": canary("reason of a channel"),
            "dry_run": False,
        },
    )
    yield (
        "channel_create",
        {
            "guild": guild["id"],
            "name": canary("planned name"),
            "overwrites": [{"role": role, "deny": ["send_messages"]}],
            "dry_run": False,
        },
    )
    yield "channel_edit", {"channel": doomed, "name": canary("edited"), "topic": canary("new topic"), "dry_run": False}
    yield "channel_delete", {"channel": doomed, "reason": canary("reason of a plan"), "dry_run": False}
    yield (
        "guild_modify",
        {"guild": guild["id"], "name": canary("guild name"), "reason": canary("reason of a guild"), "dry_run": False},
    )
    yield "thread_create", {"channel": channel, "name": canary("thread name"), "dry_run": False}
    yield "thread_list", {"channel": channel, "cursor": canary("cursor of threads")}
    yield "reaction_add", {"channel": channel, "message": canary("message"), "emoji": canary("emoji")}
    yield "message_delete", {"channel": channel, "message": canary("doomed message")}
    yield "message_bulk_delete", {"channel": channel, "messages": [canary("first message"), canary("second message")]}
    yield "channel_lock", {"channel": canary("channel to lock"), "reason": canary("reason to lock")}
    yield "channel_unlock", {"channel": canary("channel to unlock"), "reason": canary("reason to unlock")}
    yield (
        "message_purge",
        {"channel": channel, "contains": canary("text to purge"), "reason": canary("reason to purge")},
    )
    yield "message_list_recent", {"channel": channel, "contains": canary("search")}
    yield "message_list_recent", {"channel": channel, "author": canary("author")}
    yield "message_list_recent", {"channel": channel, "cursor": canary("cursor")}
    yield "channel_get", {"guild": guild["id"], "channel": canary("unknown channel")}
    yield "guild_get", {"guild": canary("unknown guild")}
    yield (
        "webhook_create",
        {
            "channel": channel,
            "name": canary("webhook name"),
            "reason": canary("reason of a webhook"),
            "dry_run": False,
        },
    )
    yield "webhook_create", {"channel": channel, "name": "x", "avatar": canary("avatar")}
    yield "webhook_list", {"guild": guild["id"], "cursor": canary("cursor of webhooks")}
    yield "webhook_get", {"channel": channel, "webhook": canary("unknown webhook")}
    yield "webhook_delete", {"channel": channel, "webhook": "Hook", "reason": canary("reason of its end")}
    yield (
        "webhook_modify",
        {"channel": channel, "webhook": "Hook", "name": canary("new webhook name"), "dry_run": False},
    )
    yield (
        "webhook_execute",
        {
            "channel": channel,
            "webhook": "Hook",
            "content": canary("posted"),
            "embeds": [{"title": canary("posted title"), "description": canary("posted description")}],
            "dry_run": False,
        },
    )
    yield "invite_create", {"channel": channel, "reason": canary("reason of an invite"), "dry_run": False}
    yield "invite_list", {"guild": guild["id"], "cursor": canary("cursor of invites")}
    yield "invite_get", {"guild": guild["id"], "invite": canary("unknown invite")}
    yield "invite_delete", {"guild": guild["id"], "invite": canary("invite with a blank") + " x"}
    yield "discord_audit_list", {"guild": guild["id"], "action": canary("unknown action")}
    yield from _people(guild, canary)
    yield from _roles(guild, canary)
    yield from _cases(guild, canary)
    yield "message_purge", {"channel": channel, "contains": canary("purged"), "reason": canary("reason of a purge")}
    yield "channel_lock", {"channel": channel, "reason": canary("reason of a lock")}
    yield "channel_unlock", {"channel": channel, "reason": canary("reason to unlock")}
    yield "plan_get", {"plan_id": canary("looked at plan")}
    yield "plan_confirm", {"plan_id": canary("confirmed plan"), "plan_token": canary("token of a plan")}
    yield "plan_cancel", {"plan_id": canary("cancelled plan")}
    yield "audit_get", {"guild": guild["id"], "call": canary("read call")}
    yield "audit_revert", {"guild": guild["id"], "call": canary("undone call"), "reason": canary("reason to undo")}
    yield "audit_list", {"guild": guild["id"], "operation": canary("audited operation")}
    yield "audit_list", {"guild": guild["id"], "status": canary("status")[:20]}
    yield "tool_search", {"query": canary("query")}
    yield "policy_explain", {"operation": "message_send", "arguments": {"channel": canary("explained"), "content": "x"}}
    yield "policy_explain", {"operation": canary("explained operation")}
    yield "message_send", {"channel": channel, "content": "x", "plan_token": canary("plan token")}
    yield "message_send", {"channel": channel, "content": "x", canary("unknown argument"): canary("its value")}
    yield "message_send", {"channel": {"id": canary("nested")}, "content": [canary("listed")]}
    yield "operation_write", {"name": "message_send", "arguments": {"channel": channel, "content": canary("inner")}}
    yield "operation_read", {"name": canary("inner operation"), "arguments": {"a": canary("of an unknown one")}}


def _people(guild: GuildIds, canary: Canaries) -> Iterator[tuple[str, dict[str, Any]]]:
    here = {"guild": guild["id"]}
    stranger = {**here, "user": "900000000000000001"}
    yield "member_get", {**here, "member": canary("unknown person")}
    yield "member_list", {**here, "cursor": canary("cursor of members")}
    yield "member_search", {**here, "query": canary("query for members")}
    yield "member_kick", {**here, "member": canary("kicked")}
    yield "member_ban", {**stranger, "reason": canary("reason of a ban")}
    yield "member_unban", {**here, "member": canary("unbanned")}
    yield "member_timeout", {**here, "member": canary("timed out"), "duration_seconds": 60}
    yield "member_timeout_remove", {**here, "member": canary("released"), "reason": canary("reason of a release")}
    yield "member_edit", {**here, "member": guild["members"]["ada"], "nickname": canary("nickname")[:32]}
    yield "ban_list", {**here, "cursor": canary("cursor of bans")}


def _cases(guild: GuildIds, canary: Canaries) -> Iterator[tuple[str, dict[str, Any]]]:
    here = {"guild": guild["id"], "dry_run": False}
    reads, bea = {"guild": guild["id"]}, guild["members"]["bea"]
    yield "member_warn", {**here, "member": bea, "reason": canary("reason of a warning"), "notify": False}
    yield "member_warn", {**here, "member": canary("warned"), "reason": canary("reason of no warning")}
    yield "member_note", {**here, "member": bea, "text": canary("note")}
    yield "member_report", {**here, "member": bea, "text": canary("report")}
    yield "case_edit", {**here, "case": 1, "new_reason": canary("new reason"), "note": canary("added note")}
    yield "case_edit", {**here, "case": 999, "note": canary("note of no case")}
    yield "case_list", {**reads, "cursor": canary("cursor of cases")}
    yield "case_list", {**reads, "kind": canary("kind of case")}
    yield "case_get", {**reads, "case": 1}
    yield "member_history", {**reads, "member": canary("looked up")}


def _roles(guild: GuildIds, canary: Canaries) -> Iterator[tuple[str, dict[str, Any]]]:
    here = {"guild": guild["id"]}
    channel, role, ada = guild["channels"]["general"], guild["roles"]["Member"], guild["members"]["ada"]
    yield "role_list", {**here, canary("unknown field of roles"): 1}
    yield "role_get", {**here, "role": canary("unknown role")}
    yield "role_create", {**here, "name": canary("role name"), "reason": canary("reason of a role"), "dry_run": False}
    yield "role_modify", {**here, "role": role, "name": canary("new role name"), "dry_run": False}
    yield "role_delete", {**here, "role": role, "reason": canary("reason of its deletion")}
    yield "role_reorder", {**here, "role": role, "above": canary("role above")}
    yield "role_assign", {**here, "role": role, "member": ada, "reason": canary("reason to assign")}
    yield "role_remove", {**here, "role": role, "member": ada, "reason": canary("reason to remove")}
    yield "channel_permissions_list", {**here, "channel": canary("channel of overwrites")}
    yield (
        "channel_permissions_edit",
        {"channel": channel, "role": role, "deny": [canary("permission")], "reason": canary("reason of an overwrite")},
    )
    yield "channel_permissions_delete", {"channel": channel, "role": canary("role of an overwrite")}


@asynccontextmanager
async def instance(sandbox: SandboxProcess, folder: Path) -> AsyncGenerator[tuple[Served, GuildIds, str]]:
    """A process of its own, at the most talkative; gives it with a guild and a token."""
    guild = await sandbox.make_guild(
        "Hall",
        roles=[{"name": "Admin", "permissions": ["administrator"]}, {"name": "Member"}],
        members=[{"name": "ada", "roles": ["Admin"]}, {"name": "bea", "roles": ["Member"]}],
        channels=[{"name": "general"}, {"name": "doomed"}],
    )
    given = environment(sandbox, folder, LOG_LEVEL="DEBUG", LOG_FORMAT="json")
    async with (
        opened_database(settings.load(given, env_file=None), Mark.SANDBOX) as database,
        database.unit_of_work() as session,
    ):
        workspace_id = await workspaces.create(session, "Hall", int(guild["owner_id"]), time.time())
        await installations.install(session, workspace_id, int(guild["id"]), time.time())
        _, token = await clients.create(
            session,
            database.keyring,
            workspace_id=workspace_id,
            user_id=int(guild["members"]["ada"]),
            name="ada",
            scopes=EVERYTHING_BUT_ADMIN,
            now=time.time(),
        )
    async with served(given, folder) as process:
        yield process, guild, token


async def metrics(process: Served) -> bytes:
    address = f"http://127.0.0.1:{process.port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(address) as response:
        return await response.read()


def stored(folder: Path) -> Mapping[str, bytes]:
    """The bytes of the database, with what is still in its journal."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if ".db" in path.name}


async def test_line_20_nothing_that_callers_write_is_kept_or_logged_in_clear(tmp_path: Path) -> None:
    canary, folder = Canaries(), tmp_path / "data"
    folder.mkdir()
    async with SandboxProcess() as sandbox, instance(sandbox, folder) as (process, guild, token):
        refusals: list[Answer] = []
        asked = list(calls(guild, canary))
        await sandbox.control(
            "as_user",
            user=int(guild["members"]["ada"]),
            method="POST",
            path=f"/channels/{guild['channels']['general']}/webhooks",
            body={"name": "Hook"},
        )
        tried = {name for name, _ in asked}
        offered = set(samples.OPERATIONS) - set(samples.ADMINISTRATION)
        assert {each.name for each in offered if each.Input.model_fields} - tried <= {
            "channel_list",
            "message_get",
            "message_edit",
        }
        async with connected(process.port, token) as client:
            for name, arguments in asked:
                answer = answer_of(await client.call_tool(name, arguments))
                if answer.status == "refused":
                    refusals.append(answer)
            sent = answer_of(await client.call_tool("audit_list", {"guild": guild["id"], "limit": 100}))
        assert len(refusals) >= 8
        seen = (await sandbox.control("history", channel=int(guild["channels"]["general"])))["messages"]
        assert canary.of["content"] in str(seen), "it was said in Discord"

        async with aiohttp.ClientSession() as session:
            for headers in (
                {"Authorization": f"Bearer {canary('credential')}"},
                {"Authorization": f"Bearer {token}", "User-Agent": canary("agent")},
            ):
                address = f"http://127.0.0.1:{process.port}/mcp?toolsets={canary('toolset')}&token={canary('in url')}"
                async with session.post(address, json={"method": canary("method")}, headers=headers) as response:
                    assert response.status in (400, 401)

        async def logged() -> bool:
            return b"credential_refused" in process.log.read_bytes()

        await until(logged, "the log tells of the stranger")
        assert canary.found_in(await metrics(process)) == []
        assert set(canary.found_in(sent.text.encode())) <= NAMES, "the audit's own list"
        tables = stored(folder)
        assert any(len(content) > 10_000 for content in tables.values())
        for name, content in tables.items():
            assert set(canary.found_in(content)) <= NAMES, name
            assert token.encode() not in content
            assert sandbox.bot_token.encode() not in content
        assert await process.stop() == 0
    written = process.log.read_bytes()
    assert b"serving" in written
    assert canary.found_in(written) == []
    for secret in (token, sandbox.bot_token, "a key for tests that nobody must use elsewhere"):
        assert secret.encode() not in written
    for content in stored(folder).values():
        assert set(canary.found_in(content)) <= NAMES
