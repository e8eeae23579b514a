"""The audit as its readers see it: one's own calls, and others' within what one may see."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from storage import audit
from storage.audit import AuditEntry, AuditQuery
from tests.app import Place, until, without
from tests.operations.calls import done, read, refused, run

pytestmark = pytest.mark.asyncio(loop_scope="session")

UNKNOWN_ID = "1000000000000000001"


async def listed(place: Place, who: str = "ada", /, **arguments: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await read(place, "audit_list", who, guild=place.id, **arguments))["calls"]
    return found


async def entries_of(place: Place, operation: str) -> list[AuditEntry]:
    async with place.town.core.database.read() as session:
        page = await audit.page(session, AuditQuery(workspace_id=place.workspace_id, operation=operation))
    return [entry for call in page.calls for entry in call]


# ---------------------------------------------------------------------- content
async def test_a_call_is_one_row_that_says_who_what_and_what_came_of_it(place: Place) -> None:
    outcome = await run(place, "message_send", channel="general", content="a secret text", dry_run=False)
    [row] = await listed(place)
    assert row["call_id"] == outcome.call_id
    assert (row["operation"], row["status"], row["tier"]) == ("message_send", "done", "write")
    assert row["by"]["user_id"] == place.member("ada")
    assert row["by"]["kind"] == "token"
    assert row["channel_id"] == place.channel("general")
    assert row["target_ids"] == [place.channel("general")]
    assert row["arguments"]["channel"] == "general"
    assert row["arguments"]["content"]["length"] == len("a secret text")
    assert "secret" not in orjson.dumps(row).decode()


async def test_a_refusal_says_step_code_and_reason(place: Place) -> None:
    await refused(place, "channel_create", "nina", guild=place.id, name="x")
    [row] = await listed(place, "nina", mine=True)
    assert (row["status"], row["step"], row["code"]) == ("refused", "discord", "you_lack_permission")
    assert "manage_channels" in row["reason"]


# ------------------------------------------------------------------- visibility
async def test_others_calls_are_for_those_who_may_read_the_audit_log(place: Place) -> None:
    await place.sent("ada")
    await place.sent("nina")
    assert [row["by"]["user_id"] for row in await listed(place, "nina")] == [place.member("nina")]
    assert {row["by"]["user_id"] for row in await listed(place, "marlow")} == {
        place.member("ada"),
        place.member("nina"),
    }
    assert await listed(place, "marlow", mine=True) == []


async def test_calls_in_a_channel_that_one_does_not_see_are_neither_listed_nor_counted(place: Place) -> None:
    vault = await place.by_hand(
        "olive",
        "POST",
        f"/guilds/{place.id}/channels",
        {
            "name": "vault",
            "type": 0,
            "permission_overwrites": [
                {"id": place.id, "type": 0, "allow": "0", "deny": "1024"},
                {"id": place.town.sandbox.bot_id, "type": 1, "allow": "1024", "deny": "0"},
            ],
        },
    )
    guild = place.town.core.state.source.cached(place.guild_id)
    assert guild is not None
    await until(lambda: guild.get_channel(int(vault["id"])), "the channel arrives")
    for _ in range(3):
        await done(place, "message_send", channel=vault["id"], content="x")
    await place.sent("ada")
    for _ in range(3):
        await done(place, "message_send", channel=vault["id"], content="x")
    page = await read(place, "audit_list", "marlow", guild=place.id, limit=1)
    assert [row["channel_id"] for row in page["calls"]] == [place.channel("general")]
    # The older ones are hidden: nothing tells that there are any.
    assert "cursor" not in page
    assert len(await listed(place, "ada")) == 7


async def test_a_page_ends_with_a_cursor_only_where_more_may_be_seen(place: Place) -> None:
    for number in range(5):
        await place.sent("ada", content=str(number))
        await place.sent("nina", content=str(number))
    seen: list[str] = []
    cursor: str | None = None
    pages = 0
    while True:
        more = {} if cursor is None else {"cursor": cursor}
        page = await read(place, "audit_list", "nina", guild=place.id, limit=2, **more)
        pages += 1
        seen += [row["call_id"] for row in page["calls"]]
        cursor = page.get("cursor")
        if cursor is None:
            break
    assert pages == 3
    assert len(seen) == len(set(seen)) == 5
    assert seen == [row["call_id"] for row in await listed(place, "nina")]


async def test_a_cursor_does_not_tell_how_many_calls_others_made(place: Place) -> None:
    await place.sent("nina")
    await place.sent("nina")
    cursor = (await read(place, "audit_list", "nina", guild=place.id, limit=1))["cursor"]
    body = cursor.partition(".")[0]
    [position] = orjson.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert isinstance(position, str)
    assert not position.isdecimal()


async def test_filters_narrow_the_list(place: Place) -> None:
    await place.sent("ada")
    await refused(place, "channel_create", "nina", guild=place.id, name="x")
    assert [row["operation"] for row in await listed(place, status="refused")] == ["channel_create"]
    assert [row["operation"] for row in await listed(place, operation="message_send")] == ["message_send"]
    assert [row["by"]["user_id"] for row in await listed(place, member="@nina")] == [place.member("nina")]
    assert await listed(place, operation="no_such") == []
    # The filter for a status is for what came of a call, not for what it was in between.
    assert await listed(place, status="executing") == []


async def test_the_calls_of_another_workspace_are_nobodys_here(place: Place, elsewhere: Place) -> None:
    await elsewhere.sent("ada")
    assert await listed(place) == []


# ---------------------------------------------------------------------- masking
async def test_the_audit_tells_no_more_of_a_hidden_object_than_the_answer_did(place: Place, elsewhere: Place) -> None:
    """Otherwise the list would be the oracle that the answer is not."""
    ids = {
        "hidden": place.channel("mod-room"),
        "foreign": elsewhere.channel("general"),
        "unknown": UNKNOWN_ID,
    }
    rows: dict[str, Any] = {}
    for name, channel in ids.items():
        await refused(place, "channel_get", "nina", channel=channel)
        row = (await listed(place, "nina", mine=True))[0]
        assert row["arguments"] == {"channel": channel}
        rows[name] = without(row, "call_id", "at", "arguments")
    assert rows["hidden"] == rows["unknown"] == rows["foreign"]
    assert rows["unknown"]["step"] == "resolve"
    assert "target_ids" not in rows["hidden"]
    assert "reason" not in rows["hidden"]


async def test_a_guild_that_one_is_not_in_leaves_the_same_row_as_one_that_is_nowhere(
    place: Place, elsewhere: Place
) -> None:
    guild = await place.town.sandbox.make_guild("Aside", members=[{"name": "zoe"}])
    aside = await place.town.settled(guild, workspace_id=place.workspace_id)
    rows: list[Any] = []
    for guild_id in (aside.id, elsewhere.id, UNKNOWN_ID):
        await refused(place, "channel_list", "nina", guild=guild_id)
        mine = await listed(place, "nina", mine=True)
        assert mine[0]["arguments"] == {"guild": guild_id}
        rows.append(without(mine[0], "call_id", "at", "arguments"))
    assert rows[0] == rows[1] == rows[2]


async def test_an_auditor_reads_neither_candidates_nor_ids_of_what_was_unknown(place: Place) -> None:
    await refused(place, "channel_get", "ada", guild=place.id, channel="no-such")
    await refused(place, "channel_get", "nina", guild=place.id, channel=place.channel("mod-room"))
    for row in await listed(place, "marlow"):
        assert "reason" not in row
        assert "target_ids" not in row
        assert "channel_id" not in row
        assert row["code"] == "unknown"


# ----------------------------------------------------------------------- bounds
async def test_what_an_entry_keeps_of_huge_arguments_is_bounded(place: Place) -> None:
    many = {f"field_{number}": "x" * 1_000 for number in range(5_000)}
    await refused(place, "message_send", "ada", channel=place.channel("general"), content="c" * 50_000, **many)
    [entry] = await entries_of(place, "message_send")
    assert len(entry.arguments) <= 20_000
    kept = orjson.loads(entry.arguments)
    assert kept["channel"] == place.channel("general")
    assert kept["…"] > 0


async def test_a_huge_or_odd_name_of_an_operation_is_kept_short_and_clean(place: Place) -> None:
    for name in ("x" * 100_000, "a\u202eb\x00c\ud800", "<@123>`*", ""):
        outcome = await run(place, name)
        assert outcome.refusal is not None
        assert outcome.refusal.code == "unknown_operation"
        assert len(outcome.operation) <= 64
        outcome.operation.encode()
    assert len(await listed(place, mine=True)) == 4


async def test_a_misspelt_operation_is_told_the_right_one(place: Place) -> None:
    refusal = await refused(place, "message_sends", channel="general")
    assert "message_send" in refusal.remedy
    assert refusal.code == "unknown_operation"
