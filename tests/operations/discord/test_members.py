"""Reading members and bans, over the wire of the sandbox."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from operations.base import Status
from policy.model import Strength
from tests.app import until
from tests.operations.discord.crew import heard, heard_of, stranger
from tests.operations.discord.outcomes import code
from tests.operations.discord.road import Road
from tests.samples import UNKNOWN_ID

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def all_pages(crew: Road, operation: str, rows: str, member: str, limit: int) -> list[dict[str, Any]]:
    """The rows of every page; each page but the last is full."""
    found: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    while True:
        page = await crew.read(operation, member, limit=limit, **more)
        found += page[rows]
        if "cursor" not in page:
            return found
        assert len(page[rows]) == limit
        more = {"cursor": page["cursor"]}


# ----------------------------------------------------------------------- get
async def test_a_member_is_told_in_full_and_named_by_id_mention_or_name(crew: Road) -> None:
    ned = crew.guild["members"]["ned"]
    for named in (ned, f"<@{ned}>", "ned", "@ned", "Neddy", "Edward"):
        found = await crew.read("member_get", "nina", member=named)
        assert {**found, "joined_at": "", "created_at": ""} == {
            "id": ned,
            "guild_id": crew.guild["id"],
            "username": "ned",
            "display_name": "Edward",
            "nickname": "Neddy",
            "roles": [{"id": crew.guild["roles"]["Member"], "name": "Member"}],
            "joined_at": "",
            "created_at": "",
        }
        assert found["joined_at"].endswith("Z")


async def test_owner_bot_timeout_and_pending_are_told_where_they_are_so(crew: Road) -> None:
    added = await crew.sandbox.control("add_member", guild=crew.guild_id, name="newcomer", pending=True)
    nina = int(crew.guild["members"]["nina"])
    await crew.sandbox.control("timeout", guild=crew.guild_id, user=nina, seconds=600)
    await heard_of(crew, "nina", lambda member: member.is_timed_out(), "the timeout arrives")
    assert (await crew.read("member_get", "nina", member=added["id"]))["pending"] is True
    assert (await crew.read("member_get", "nina", member="olive"))["owner"] is True
    assert (await crew.read("member_get", "nina", member=str(crew.core.state.source.bot_user_id)))["bot"] is True
    assert (await crew.read("member_get", "nina", member="nina"))["timed_out_until"].endswith("Z")


async def test_who_is_no_member_reads_as_nobody(crew: Road) -> None:
    user_id = await stranger(crew)
    outcomes = [await crew.call("member_get", "nina", member=named) for named in (user_id, UNKNOWN_ID, "nobody")]
    assert outcomes[0].refusal == outcomes[1].refusal == outcomes[2].refusal
    assert code(outcomes[0]) == "unknown_member"


async def test_names_of_members_are_made_safe(crew: Road) -> None:
    await crew.sandbox.control("set_nick", guild=crew.guild_id, user=crew.guild["members"]["nina"], nick="ni\u202ena")
    await heard_of(crew, "nina", lambda member: member.nick, "the nickname arrives")
    assert (await crew.read("member_get", "ned", member="nina"))["nickname"] == "nina"


# ---------------------------------------------------------------------- list
async def test_all_members_are_listed_by_the_age_of_their_accounts_with_lean_rows(crew: Road) -> None:
    listed = await crew.read("member_list", "nina")
    names = [row["username"] for row in listed["members"]]
    assert sorted(names) == ["Guildhall", "ada", "cora", "mike", "ned", "nina", "olive"]
    ids = [int(row["id"]) for row in listed["members"]]
    assert ids == sorted(ids)
    nina = next(row for row in listed["members"] if row["username"] == "nina")
    assert set(nina) == {"id", "username", "role_ids", "joined_at"}
    assert {listed["roles"][role_id] for role_id in nina["role_ids"]} == {"Member"}
    assert listed["member_count"] == 7
    assert "cursor" not in listed


@pytest.mark.parametrize("limit", [1, 3, 7])
async def test_pages_hold_everybody_once(crew: Road, limit: int) -> None:
    rows = await all_pages(crew, "member_list", "members", "nina", limit)
    assert rows == (await crew.read("member_list", "nina"))["members"]


async def test_members_are_fetched_once_and_a_list_follows_every_change(crew: Road) -> None:
    await crew.read("member_list", "nina")
    await crew.sandbox.control("requests", clear=True)
    added = await crew.sandbox.control("add_member", guild=crew.guild_id, name="zoe")

    async def names() -> set[str]:
        return {row["username"] for row in (await crew.read("member_list", "nina"))["members"]}

    async def has_zoe() -> bool:
        return "zoe" in await names()

    await until(has_zoe, "zoe is listed")
    user = int(crew.guild["members"]["ned"])
    await crew.sandbox.control("set_nick", guild=crew.guild_id, user=user, nick="Edgar")

    async def ned_is_edgar() -> bool:
        rows = (await crew.read("member_list", "nina"))["members"]
        return any(row.get("nickname") == "Edgar" for row in rows)

    await until(ned_is_edgar, "the nickname is listed")
    await crew.sandbox.control("leave", guild=crew.guild_id, user=int(added["id"]))

    async def zoe_is_gone() -> bool:
        return "zoe" not in await names()

    await until(zoe_is_gone, "zoe is gone")
    asked = (await crew.sandbox.control("requests"))["requests"]
    # Whether she is still in another guild of the workspace is asked there.
    here = [each for each in asked if each["path"].startswith(f"/guilds/{crew.guild_id}")]
    assert here == [], "the gateway keeps the members current"


async def test_a_timeout_that_has_ended_is_listed_no_longer(crew: Road) -> None:
    user = int(crew.guild["members"]["nina"])
    await crew.sandbox.control("timeout", guild=crew.guild_id, user=user, seconds=1)

    async def listed() -> bool:
        rows = (await crew.read("member_list", "ned"))["members"]
        return any("timed_out_until" in row for row in rows)

    async def listed_no_longer() -> bool:
        return not await listed()

    await until(listed, "the timeout is listed")
    await until(listed_no_longer, "its end is listed")


async def test_without_the_members_intent_pages_come_by_rest(crew: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    by_gateway = await crew.read("member_list", "nina")

    def never_current(_guild_id: int) -> bool:
        return False

    monkeypatch.setattr(crew.core.state.source, "members_are_current", never_current)
    for limit in (2, 7, 1000):
        assert await all_pages(crew, "member_list", "members", "nina", limit) == by_gateway["members"]
    await crew.sandbox.control(
        "fault", faults=[{"method": "GET", "path": "/guilds/*/members", "status": 403, "code": 50001, "times": 1}]
    )
    assert (await crew.call("member_list", "nina")).status is Status.REFUSED


async def test_a_long_list_tells_its_progress(crew: Road) -> None:
    told: list[tuple[float, float | None]] = []
    held = asyncio.Event()
    source = crew.core.state.source
    complete = source.complete_members

    async def slowly(guild: Any) -> None:
        await held.wait()
        await complete(guild)

    async def progress(done: float, total: float | None = None, message: str | None = None) -> None:
        told.append((done, total))
        held.set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "complete_members", slowly)
        caller = crew.caller("nina")
        outcome = await crew.core.executor.run("member_list", {"limit": 1}, caller, progress=progress)
    assert outcome.status is Status.DONE
    assert told
    assert all(total == 7 for _, total in told)


async def test_a_cursor_is_for_its_own_caller(crew: Road) -> None:
    cursor = (await crew.read("member_list", "nina", limit=2))["cursor"]
    assert code(await crew.call("member_list", "ned", limit=2, cursor=cursor)) == "unknown_cursor"
    assert code(await crew.call("member_list", "nina", cursor="x.y")) == "unknown_cursor"


# -------------------------------------------------------------------- search
@pytest.mark.parametrize(
    ("query", "found"),
    [("n", ["ned", "nina"]), ("NI", ["nina"]), ("@ned", ["ned"]), ("neddy", ["ned"]), ("ina", []), ("Edw", [])],
)
async def test_a_search_finds_how_usernames_and_nicknames_begin(crew: Road, query: str, found: list[str]) -> None:
    """Before and after the gateway has told of everybody."""
    guild = crew.core.state.source.cached(crew.guild_id)
    assert guild is not None
    for is_complete in (False, True):
        if is_complete:
            await guild.chunk()
            await heard(crew, lambda guild: guild.chunked, "all members are known")
        answer = await crew.read("member_search", "nina", query=query)
        assert [row["username"] for row in answer["members"]] == found
        assert "more" not in answer
        assert set(answer["roles"].values()) == ({"Member"} if found else set())


async def test_a_search_says_that_there_are_more(crew: Road) -> None:
    answer = await crew.read("member_search", "nina", query="n", limit=1)
    assert [row["username"] for row in answer["members"]] == ["ned"]
    assert answer["more"] is True


# ---------------------------------------------------------------------- bans
async def banned(crew: Road, count: int) -> list[str]:
    """The ids, in their order."""
    ids: list[str] = []
    for number in range(count):
        ids.append(await stranger(crew, f"raider{number}"))
        await crew.sandbox.control("ban", guild=crew.guild_id, user=int(ids[-1]), reason=f"ra\u202eid {number}")
    return sorted(ids, key=int)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_bans_are_listed_by_page_with_reasons_made_safe(crew: Road, limit: int) -> None:
    ids = await banned(crew, 3)
    rows = await all_pages(crew, "ban_list", "bans", "mike", limit)
    assert [row["user_id"] for row in rows] == ids
    assert [(row["username"], row["reason"]) for row in rows] == [(f"raider{n}", f"raid {n}") for n in range(3)]


async def test_bans_are_for_those_who_may_ban(crew: Road) -> None:
    await banned(crew, 1)
    await crew.sandbox.control("requests", clear=True)
    assert code(await crew.call("ban_list", "nina")) == "you_lack_permission"
    # The card of an earlier test may be on its way to somebody's direct messages still.
    here = f"/guilds/{crew.guild_id}/"
    requests = (await crew.sandbox.control("requests"))["requests"]
    asked = {request["path"] for request in requests if request["path"].startswith(here)}
    assert asked <= {f"{here}members/{crew.guild['members']['nina']}"}, "only who asks is looked up"


async def test_whoever_read_the_bans_is_tainted_by_them(crew: Road) -> None:
    named = {"member": "nina", "duration_seconds": 60, "dry_run": True}
    before = (await crew.call("member_timeout", "mike", **named)).plan
    assert before is not None
    assert before.strength is Strength.TOKEN
    await crew.read("ban_list", "mike")
    after = (await crew.call("member_timeout", "mike", **named)).plan
    assert after is not None
    assert after.strength is Strength.PERSON
