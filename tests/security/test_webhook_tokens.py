"""A webhook's token never enters or leaves the platform: whoever knows it may write as the webhook, for ever."""

from __future__ import annotations

import io
import logging
from collections.abc import Generator
from typing import Any

import pytest
import structlog

from bot import logs
from bot.log_secrets import SecretRegistry
from operations.base import Outcome, Status
from operations.outcomes import plain
from policy.model import Caller, CallerKind, Face
from policy.scopes import EVERYTHING
from storage import calls
from tests.app import Place
from tests.deeds import EVERY_DEED

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def log() -> Generator[io.StringIO]:
    """All that this process logs, at its most talkative; no secret is known to it by its value."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in ("discord", "aiohttp", "sqlalchemy", "mcp", "asyncio")}
    stream = io.StringIO()
    logs.configure("DEBUG", "json", SecretRegistry(), stream=stream)
    logging.getLogger("discord").setLevel(logging.DEBUG)
    yield stream
    root.handlers[:], root.level = before, level
    for name, its_level in levels.items():
        logging.getLogger(name).setLevel(its_level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


async def by_system(place: Place, name: str, /, **arguments: Any) -> Outcome:
    """Executed as previewed, as the bot itself."""
    caller = Caller(
        kind=CallerKind.SYSTEM,
        face=Face.MCP,
        client_id=f"mc_system_{place.guild_id}",
        workspace_id=place.workspace_id,
        scopes=EVERYTHING,
        guild_ids=frozenset({place.guild_id}),
        direct_writes=True,
        deeds=EVERY_DEED,
    )
    return await place.town.core.executor.run(name, {"guild": place.id, **arguments}, caller)


async def token_of(place: Place, webhook: str) -> str:
    """As the administrator reads it in Discord."""
    token: str = (await place.by_hand("ada", "GET", f"/webhooks/{webhook}"))["token"]
    return token


async def test_line_10_a_token_is_in_no_answer_row_error_or_log(place: Place, log: io.StringIO) -> None:
    sandbox, heard = place.town.sandbox, list[str]()
    theirs, hidden = await place.webhook("ada", "general", "Tides"), await place.webhook("ada", "vault", "Deep")
    made = await by_system(place, "webhook_create", channel=place.channel("general"), name="Ours")
    assert made.status is Status.DONE, made
    ours: str = plain(made.data)["id"]
    tokens = [await token_of(place, webhook) for webhook in (theirs, hidden, ours)]
    assert all(len(token) == 68 for token in tokens)
    done = [made]

    async def asked(name: str, /, **arguments: Any) -> str | None:
        answer = await place.call(name, "ada", guild=place.id, **arguments)
        heard.append(answer.text + str(answer.data))
        return answer.code

    # What is read, previewed and planned.
    await asked("webhook_list")
    await asked("webhook_list", channel=place.channel("vault"))
    for webhook in (theirs, hidden, ours):
        assert await asked("webhook_get", webhook=webhook) is None
        await asked("webhook_modify", webhook=webhook, name="Renamed", move_to=place.channel("news"))
        await asked("webhook_execute", webhook=webhook, content="hi", dry_run=False)
    await asked("webhook_delete", webhook=hidden, dry_run=False)
    # What is executed, with an answer that is lost and one that is an error.
    sent = await by_system(place, "webhook_execute", webhook=theirs, content="by hand")
    done += [sent, await by_system(place, "webhook_modify", webhook=ours, name="Ebb")]
    assert [outcome.status for outcome in done] == [Status.DONE] * 3
    for fault in ({"reset": True, "when": "after"}, {"status": 400, "code": 50035}, {"status": 404, "code": 10015}):
        await sandbox.control("fault", faults=[{"method": "POST", "path": "/webhooks/*/*", "times": 1, **fault}])
        done.append(await by_system(place, "webhook_execute", webhook=ours, content="and again"))
    assert [outcome.status for outcome in done[3:]] == [Status.UNKNOWN, Status.FAILED, Status.FAILED]
    done.append(await by_system(place, "webhook_delete", webhook=theirs))
    await asked("discord_audit_list", limit=100)
    await asked("audit_list", limit=100)
    # What a caller brings himself.
    for token in tokens:
        for text in (token, f"{ours}/{token}", f"https://discord.com/api/webhooks/{ours}/{token}"):
            for name in ("webhook_get", "webhook_execute", "webhook_delete"):
                assert await asked(name, webhook=text) == "invalid_arguments"
    rows = await place.audited()
    assert rows
    core = place.town.core
    async with core.database.read() as session:
        records = [await calls.get(session, core.database.keyring, row.call_id) for row in rows]
    kept = {
        "answers": str(heard),
        "outcomes": str([(outcome, plain(outcome.data) if outcome.data else None) for outcome in done]),
        "audit": str([row.model_dump() for row in rows]),
        "calls": str(records),
        "log": log.getvalue(),
        "world": str(await sandbox.control("world", guild=place.guild_id)),
    }
    used = str((await sandbox.control("requests"))["requests"])
    assert tokens[0] in used
    assert tokens[2] in used, "they were needed to post"
    assert "/webhooks/" in kept["log"], "discord.py told of its requests"
    for where, text in kept.items():
        assert text
        assert not [token for token in tokens if token in text], where
    await sandbox.control("reset")
