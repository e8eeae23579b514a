"""What moderators do by hand in Discord is a case within a moment, and once: also what was done while we were away."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from bot import settings
from bot.marked_database import opened_database
from storage import cases, installations
from storage.cases import CaseQuery, CaseRecord
from storage.database import Database
from storage.instance import Mark
from tests.app import Place, Town, environment, until
from tests.sandbox_process import GuildIds, SandboxProcess
from tests.served_process import served

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def by_hand(place: Place, action: str, who: str, by: str = "ada", **more: Any) -> None:
    await place.town.sandbox.control(
        action, guild=place.guild_id, user=int(place.member(who)), by=int(place.member(by)), **more
    )


async def kept(town: Town, guild: GuildIds) -> list[CaseRecord]:
    """Oldest first."""
    installation = town.core.facts.snapshot.installations[int(guild["id"])]
    async with town.core.database.read() as session:
        return (await cases.page(session, CaseQuery(installation.id)))[::-1]


async def are_kept(town: Town, guild: GuildIds, count: int) -> list[CaseRecord]:
    async def all_are() -> bool:
        return len(await kept(town, guild)) >= count

    await until(all_are, f"{count} cases", 30)
    return await kept(town, guild)


async def test_what_is_done_by_hand_becomes_a_case_with_who_did_it_and_why(place: Place) -> None:
    await by_hand(place, "timeout", "nina", "marlow", seconds=600, reason="calm down")
    await by_hand(place, "timeout", "nina")
    await by_hand(place, "kick", "bela", reason="third time")
    await by_hand(place, "ban", "wren", reason="a raid")
    await by_hand(place, "unban", "wren")
    await by_hand(place, "set_nick", "nina", nick="Nina of Harbor")
    found = await are_kept(place.town, place.guild, 5)
    assert [(case.number, case.kind.value, case.reason) for case in found] == [
        (1, "timeout", "calm down"),
        (2, "timeout_remove", ""),
        (3, "kick", "third time"),
        (4, "ban", "a raid"),
        (5, "unban", ""),
    ]
    names = ["nina", "nina", "bela", "wren", "wren"]
    assert [str(case.user_id) for case in found] == [place.member(name) for name in names]
    assert [str(case.moderator_id) for case in found] == [place.member("marlow"), *[place.member("ada")] * 4]
    assert found[0].expires_at == pytest.approx(found[0].created_at + 600, abs=5)
    assert all(case.discord_entry_id is not None and case.call_id is None for case in found)
    listed = await place.done("case_list", "marlow", guild=place.id)
    assert [row["kind"] for row in listed["cases"]] == ["unban", "ban", "kick", "timeout_remove", "timeout"]


async def test_what_guildhall_did_is_one_case_and_not_a_second_one_by_hand(place: Place) -> None:
    done = await place.call("member_timeout_remove", "ada", guild=place.id, member=place.member("nina"), dry_run=False)
    assert done.status == "refused", "she is not timed out"
    await by_hand(place, "timeout", "nina", seconds=600)
    await are_kept(place.town, place.guild, 1)
    await place.done("member_timeout_remove", "ada", guild=place.id, member=place.member("nina"), dry_run=False)
    # What comes later by hand stands behind it: had the bot's own entry been taken, it would be there by now.
    await by_hand(place, "kick", "bela")
    found = await are_kept(place.town, place.guild, 3)
    assert [case.kind.value for case in found] == ["timeout", "timeout_remove", "kick"]
    assert [case.discord_entry_id is None for case in found] == [False, True, False]


async def test_without_the_right_to_read_the_log_nothing_is_taken_and_nothing_breaks(place: Place) -> None:
    blind = await place.town.place("Blind", bot_permissions=["view_channel", "send_messages"])
    await by_hand(blind, "kick", "bela")
    await by_hand(place, "kick", "bela")
    await are_kept(place.town, place.guild, 1)
    assert await kept(blind.town, blind.guild) == []


async def test_what_was_done_during_an_absence_is_made_up_for_once(tmp_path: Path) -> None:
    """While the process was down, and while the gateway was lost for good: each entry is one case."""
    async with SandboxProcess() as sandbox:
        members = [{"name": name} for name in ("amy", "bob", "cid", "dan", "eve")]
        guild = await sandbox.make_guild("Anchor", members=members, channels=[{"name": "general"}])
        given = environment(sandbox, tmp_path)

        async def kick(name: str) -> None:
            await sandbox.control("kick", guild=int(guild["id"]), user=int(guild["members"][name]))

        async def kicked(database: Database, count: int) -> list[tuple[int, str]]:
            """Numbers and names, once there are so many."""
            known = {user_id: name for name, user_id in guild["members"].items()}
            found: list[CaseRecord] = []

            async def are_there() -> bool:
                async with database.read() as session:
                    installation = await installations.active(session, int(guild["id"]))
                    if installation is not None:
                        found[:] = (await cases.page(session, CaseQuery(installation.id)))[::-1]
                return len(found) >= count

            await until(are_there, f"{count} cases", 30)
            return [(case.number, known[str(case.user_id)]) for case in found]

        await kick("amy")  # before the installation: none of our business
        async with served(given, tmp_path), opened(given) as database:
            await kick("bob")
            assert await kicked(database, 1) == [(1, "bob")]
        await kick("cid")
        async with served(given, tmp_path), opened(given) as database:
            assert await kicked(database, 2) == [(1, "bob"), (2, "cid")]
            await sandbox.control("gateway", forget=True, abort=True, refuse_seconds=1)
            await kick("dan")
            assert await kicked(database, 3) == [(1, "bob"), (2, "cid"), (3, "dan")]
            await kick("eve")
            assert await kicked(database, 4) == [(1, "bob"), (2, "cid"), (3, "dan"), (4, "eve")]


def opened(given: dict[str, str]) -> AbstractAsyncContextManager[Database]:
    """The database of an instance, beside it."""
    return opened_database(settings.load(given, env_file=None), Mark.SANDBOX)
