"""Members ask what is kept of them, take it away, and have it forgotten."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select
from sqlmodel import col

from bot.privacy import forgetting_of
from bot.settings import Settings
from cogs import texts
from operations.base import Status
from operations.platform.my_data import Collected
from operations.platform.privacy import how_long
from policy.rules import ClassRules
from storage import calls
from storage.calls import CallState
from storage.tables import Call, metadata
from tests.app import Place, Town, until
from tests.cogs.slashing import Told, presses, uses
from tests.confirming import asked, person
from tests.databases import new_keyring

pytestmark = pytest.mark.asyncio(loop_scope="session")


def words_of(place: Place) -> str:
    """Said nowhere else."""
    return f"canary of {place.id}"


async def attached(place: Place, told: Told) -> bytes:
    messages = {each["id"]: each for each in await place.history(told.channel)}
    (file,) = messages[told.message["id"]]["attachments"]
    async with aiohttp.ClientSession() as session, session.get(file["url"]) as response:
        assert response.status == 200
        return await response.read()


async def in_clear(place: Place, words: str) -> list[str]:
    """The tables in which these words can be read by whoever holds the keys."""
    database = place.town.core.database
    found: list[str] = []
    async with database.read() as session:
        for table in metadata.sorted_tables:
            for row in (await session.execute(select(table))).all():
                for value in row:
                    text = str(value)
                    if isinstance(value, bytes) and value:
                        text = database.keyring.open(value)
                    if words in text:
                        found.append(table.name)
    return found


async def moderates(place: Place, name: str, **arguments: Any) -> None:
    given = {"guild": place.id, "member": place.member("nina"), "dry_run": False} | arguments
    outcome = await place.town.core.executor.run(name, given, person(place, "ada"))
    assert outcome.status is Status.DONE, outcome


# ----------------------------------------------------------------------- /privacy
async def test_privacy_tells_all_that_the_retention_jobs_run_on(place: Place) -> None:
    told = await uses(place, "nina", "privacy")
    said = told.all_text
    for kept in place.town.core.forgetting.kept():
        assert kept.what in said
        assert how_long(kept) in said
    assert "7 days after the call has ended" in said
    assert "/forget-me" in said


async def test_where_nothing_is_set_up_the_commands_say_so(town: Town) -> None:
    guild = await town.sandbox.make_guild("Bare", members=[{"name": "nina"}], channels=[{"name": "general"}])
    await until(lambda: town.core.client.readiness.is_ready(int(guild["id"])), "the guild arrives")
    bare = Place(town, guild, "")
    for command in ("privacy", "my-data", "forget-me"):
        assert (await uses(bare, "nina", command)).text == texts.NOT_SET_UP


# ----------------------------------------------------------------------- /my-data
async def test_my_data_is_a_file_with_ones_own_and_nothing_of_others(place: Place) -> None:
    words = words_of(place)
    await place.sent("ada", content=words)
    await place.sent("marlow", content="somebody else's words")
    await moderates(place, "member_note", text="she is watched")
    told = await uses(place, "ada", "my-data")
    data: dict[str, Any] = json.loads(await attached(place, told))
    text = json.dumps(data)
    assert words in text
    assert "somebody else's words" not in text
    assert data["user_id"] == place.member("ada")
    assert {call["operation"] for call in data["data"]["calls"]} >= {"message_send"}
    assert {call["by"]["user_id"] for call in data["data"]["audit"]} == {place.member("ada")}
    assert len(data["data"]["sent_messages"]) == 1
    assert await place.token("ada") not in text
    assert data["left_out"] == {}
    # What moderators noted of somebody is theirs.
    hers = json.loads(await attached(place, await uses(place, "nina", "my-data")))
    assert "she is watched" not in json.dumps(hers)


async def test_what_does_not_fit_is_counted_and_nothing_is_missing_in_between() -> None:
    collected = Collected(most_bytes=100)
    collected.add("calls", {"n": 1})
    collected.add("calls", {"n": "x" * 200})
    collected.add("calls", {"n": 3})
    collected.add("audit", {"n": 4})
    assert collected.data == {"calls": [{"n": 1}], "audit": [{"n": 4}]}
    assert collected.left_out == {"calls": 2}


# --------------------------------------------------------------------- /forget-me
async def test_forget_me_takes_one_press_and_leaves_no_word(place: Place) -> None:
    words = words_of(place)
    core = place.town.core
    await place.sent("ada", content=words)
    loud = {"channel": place.channel("general"), "content": f"@everyone {words}", "ping": ["everyone"]}
    plan = await asked(place, "message_send", loud)
    assert set(await in_clear(place, words)) == {"call"}
    shown = await uses(place, "ada", "forget-me")
    assert shown.labels == [texts.FORGET]
    assert "can't be undone" in shown.text
    assert set(await in_clear(place, words)) == {"call"}, "nothing happens before the press"
    done = await presses(place, "ada", shown, texts.FORGET)
    assert done.text.startswith("**You are forgotten.**"), done.text
    assert "tokens revoked: 1" in done.text
    assert done.labels == []
    assert await in_clear(place, words) == []
    async with core.database.read() as session:
        ended = await calls.get(session, core.database.keyring, plan.plan_id)
    assert ended is not None
    assert ended.state is CallState.CANCELLED
    # Its token is dead, and what he may do in Discord he still may.
    assert not core.facts.snapshot.clients[place.granted["ada"].id].active(time.time())
    again = await uses(place, "ada", "forget-me")
    # All that there was to forget is that she asked before.
    assert (await presses(place, "ada", again, texts.FORGET)).text.endswith("\n- calls erased: 1")


async def test_the_audit_of_somebody_forgotten_stays_and_its_chain_holds(place: Place) -> None:
    words = words_of(place)
    await place.sent("ada", content=words)
    before = await place.audited(operation="message_send")
    shown = await uses(place, "ada", "forget-me")
    await presses(place, "ada", shown, texts.FORGET)
    after = await place.audited(operation="message_send")
    assert [row.id for row in after] == [row.id for row in before]
    assert words not in "".join(row.arguments + row.reason for row in after)


async def test_neither_a_viewers_role_nor_a_guilds_policy_bars_anybody_from_his_own_data(place: Place) -> None:
    await place.set_rules(rules=ClassRules(read="deny", write="deny", destroy="deny"))
    assert (await uses(place, "wren", "my-data")).text.startswith(texts.MY_DATA)
    shown = await uses(place, "wren", "forget-me")
    assert shown.labels == [texts.FORGET], shown.text
    assert (await presses(place, "wren", shown, texts.FORGET)).text.startswith("**You are forgotten.**")
    wren = place.town.core.facts.snapshot.memberships[place.workspace_id, int(place.member("wren"))]
    assert wren.label == "viewer"


async def test_no_program_asks_for_him(place: Place) -> None:
    for name in ("privacy_get", "my_data_get", "data_forget", "guild_export"):
        for through in (name, "operation_read", "operation_write"):
            arguments: dict[str, Any] = {"name": name, "arguments": {}} if through != name else {}
            answer = await place.call(through, "ada", **arguments)
            assert answer.is_error, (name, through)
            assert "canary" not in answer.text


# ------------------------------------------------------------------- guild export
async def test_administrators_take_away_what_is_kept_of_a_guild(place: Place, elsewhere: Place) -> None:
    words = words_of(place)
    await place.set_policy("news", write="deny")
    await place.sent("ada", content=words)
    await elsewhere.sent("ada", content="of another guild")
    await moderates(place, "member_warn", reason="pushed the line")
    told = await uses(place, "olive", "export-guild")
    lines = [json.loads(line) for line in gzip.decompress(await attached(place, told)).splitlines()]
    assert lines[0]["guild_id"] == place.id
    sections = {line["section"] for line in lines}
    assert sections >= {"export", "channel_policies", "cases", "audit"}
    audited = [line for line in lines if line["section"] == "audit"]
    assert {line["operation"] for line in audited} >= {"message_send", "member_warn"}
    text = json.dumps(lines)
    # The audit promises lengths and keyed hashes; the reason of a case is the moderators' own.
    assert words not in text
    assert "pushed the line" in text
    assert elsewhere.id not in text


async def test_a_guild_is_exported_by_its_administrators_alone(place: Place) -> None:
    for who in ("marlow", "nina"):
        # Discord hides the command from them; whoever gets at it all the same is refused.
        outcome = await place.town.core.executor.run("guild_export", {"guild": place.id}, person(place, who))
        assert outcome.status is Status.REFUSED, outcome


async def test_what_is_kept_can_be_shortened_and_is_told_as_it_is() -> None:
    settings = Settings(_env_file=None, arguments_kept_days=2, audit_kept_days=90)  # pyright: ignore[reportCallIssue]
    said = [how_long(kept) for kept in forgetting_of(settings, new_keyring()).kept()]
    assert "2 days after the call has ended" in said
    assert "90 days after the entry" in said


async def test_what_was_under_way_is_erased_when_it_has_ended(place: Place) -> None:
    """A call that is being carried out while its person asks to be forgotten."""
    words = words_of(place)
    core = place.town.core
    caller = person(place, "ada")
    slow = {"method": "POST", "path": "/channels/*/messages", "latency": 1.0, "times": 1}
    await place.town.sandbox.control("fault", faults=[slow])
    try:
        arguments = {"channel": place.channel("general"), "content": words, "dry_run": False}
        sending = asyncio.create_task(core.executor.run("message_send", arguments, caller))

        async def is_executing() -> bool:
            async with core.database.read() as session:
                states = await session.scalars(
                    select(col(Call.state)).where(
                        col(Call.workspace_id) == place.workspace_id, col(Call.operation) == "message_send"
                    )
                )
            return "executing" in list(states)

        await until(is_executing, "it is being sent")
        shown = await uses(place, "ada", "forget-me")
        await presses(place, "ada", shown, texts.FORGET)
        assert (await sending).status is Status.DONE
    finally:
        await place.town.sandbox.control("reset")
    async with core.database.unit_of_work() as session:
        assert await core.forgetting.forgotten_again(session, time.time()) > 0
    assert await in_clear(place, words) == []
