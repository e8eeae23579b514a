"""Every request that an operation sends is one that Discord's OpenAPI description knows: method, path, query, body."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from operations.base import Operation
from policy.model import Caller, CallerKind, Face, Kind
from policy.scopes import EVERYTHING
from tests import samples
from tests.app import Place
from tests.deeds import EVERY_DEED
from tests.openapi import BODY_LEFT_OUT, FILE, INTEGER_ID, MISSING, STRING_PERMISSIONS, Description, description

pytestmark = pytest.mark.asyncio(loop_scope="session")
known = description()
# The session's fixture says the same of whatever else the tests sent.
WITH_FILE = pytest.mark.skipif(known is None, reason=MISSING)


def entry(method: str, path: str, body: Any = None, query: str = "") -> dict[str, Any]:
    content_type = None if body is None else "application/json"
    return {"method": method, "path": path, "query": query, "body": body, "content_type": content_type}


@WITH_FILE
@pytest.mark.parametrize("operation", samples.IN_GUILD, ids=lambda each: each.name)
async def test_what_the_sample_sends_is_described(place: Place, operation: type[Operation]) -> None:
    assert known is not None
    core = place.town.core
    given = samples.sample(operation, await samples.things(place))
    await place.town.requests()
    system = Caller(
        kind=CallerKind.SYSTEM,
        face=Face.MCP,
        client_id=f"mc_system_{place.guild_id}",
        workspace_id=place.workspace_id,
        user_id=None,
        scopes=EVERYTHING,
        guild_ids=frozenset({place.guild_id}),
        direct_writes=True,
        deeds=EVERY_DEED,
    )
    outcome = await core.executor.run(operation.name, given, system)
    sent = await place.town.requests()
    if operation.kind is Kind.WRITE and outcome.is_error:
        # What must be the requester's own is not the system's.
        done = await place.call(operation.name, "ada", **given, dry_run=False)
        assert done.status == "done", (outcome.refusal, outcome.detail, done)
        sent += await place.town.requests()
    assert [problem for each in sent for problem in known.problems(each)] == []
    if operation in samples.GUILD_WRITES:
        assert {each["method"] for each in sent} - {"GET"}, sent


GUILD, CHANNEL, USER = "1" * 18, "2" * 18, "3" * 18


@WITH_FILE
@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (entry("POST", f"/channels/{CHANNEL}/nowhere", {}), "no such route"),
        (entry("PUT", f"/channels/{CHANNEL}", {"name": "x"}), "no such route"),
        (entry("PATCH", f"/channels/{CHANNEL}", {"name": 7}), "not of type"),
        (entry("PATCH", f"/channels/{CHANNEL}", {"name": "x" * 101}), "too long"),
        (entry("GET", f"/channels/{CHANNEL}/messages", query="limits=3"), "no query parameter limits"),
        (entry("GET", f"/channels/{CHANNEL}/messages", query="limit=many"), "limit"),
        (entry("POST", f"/channels/{CHANNEL}/messages", {"content": ["words"]}), "not of type"),
    ],
    ids=lambda each: None if isinstance(each, str) else f"{each['method']} {each['path'][20:]}",
)
async def test_a_request_that_is_not_described_is_found(request_: dict[str, Any], said: str) -> None:
    assert known is not None
    assert said in " ".join(known.problems(request_))


@WITH_FILE
async def test_the_known_disagreements_are_met_and_no_more(place: Place) -> None:
    fresh = Description(json.loads(await asyncio.to_thread(FILE.read_bytes)))
    overwrite = {"id": int(USER), "type": 1, "allow": "1024", "deny": "0"}
    body = {"name": "x", "type": 0, "permission_overwrites": [overwrite]}
    assert fresh.problems(entry("POST", f"/guilds/{GUILD}/channels", body)) == []
    assert fresh.problems(entry("PUT", f"/guilds/{GUILD}/bans/{USER}")) == []
    assert fresh.seen == {INTEGER_ID, STRING_PERMISSIONS, BODY_LEFT_OUT}
