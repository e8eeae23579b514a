"""Cases in Discord: commands, menus on members and messages, modals that hold over a restart, lists with pages."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from cogs.slash import case_texts
from tests.app import Place, environment, until
from tests.cogs.slashing import Told, offered, picks, presses, user, uses
from tests.sandbox_process import ControlError, SandboxProcess
from tests.served_process import served
from tests.stories.test_cases import told as directly

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def menu(
    place: Place, who: str, name: str, *, member: str | None = None, message: str | None = None
) -> dict[str, Any]:
    """An entry of the menu on a member or on a message of #general."""
    target = {"target_user": int(member)} if member is not None else {"target_message": int(message or 0)}
    raw: dict[str, Any] = await place.town.sandbox.control(
        "context_menu",
        user=int(place.member(who)),
        channel=int(place.channel("general")),
        name=name,
        wait=10,
        **target,
    )
    assert raw["acknowledged"], raw
    return raw


async def sends(place: Place, who: str, opened: dict[str, Any], **values: str) -> Told:
    """Fills in the modal that an interaction was answered with."""
    assert opened["kind"] == "modal", opened
    raw = await place.town.sandbox.control(
        "modal",
        user=int(place.member(who)),
        channel=int(place.channel("general")),
        interaction=int(opened["interaction"]),
        values=values,
        wait=10,
    )
    assert raw["acknowledged"], raw
    assert raw["ephemeral"], raw
    return Told(raw, place.channel("general"))


async def kept(place: Place) -> list[tuple[int, str, str]]:
    return [(case["case"], case["reason"], case["state"]) for case in reversed(await place.kept())]


# -------------------------------------------------------------------- commands
async def test_a_moderator_warns_notes_and_looks_it_up(place: Place) -> None:
    warned = await uses(place, "marlow", "warn", member=user(place, "nina"), reason="stop the spam")
    assert warned.text.startswith("**Done:**"), warned.text
    assert "stop the spam" in (await directly(place, "nina"))[0]
    noted = await uses(place, "marlow", "note", member=user(place, "nina"), text="asked twice")
    assert noted.text.startswith("**Done:**"), noted.text
    assert await kept(place) == [(1, "stop the spam", "closed"), (2, "asked twice", "closed")]

    listed = await uses(place, "marlow", "cases list", member=user(place, "nina"))
    assert listed.text.splitlines()[0] == case_texts.LIST_TITLE
    assert "**#2** note" in listed.text
    assert "**#1** warn" in listed.text
    one = await picks(place, "marlow", listed, "1", case_texts.LIST_PICK)
    assert "stop the spam" in one.text
    assert case_texts.CASE_NOTICE["sent"] in one.text
    shown = await uses(place, "marlow", "cases show", case="2")
    assert "asked twice" in shown.text
    history = await uses(place, "marlow", "cases history", member=user(place, "nina"))
    assert "warn 1, note 1" in history.text


async def test_a_case_is_edited_closed_opened_again_and_noted_upon(place: Place) -> None:
    reported = await uses(place, "nina", "report", text="rude", member=user(place, "bela"))
    assert reported.text == case_texts.REPORTED
    shown = await uses(place, "marlow", "cases show", case="1")
    assert shown.labels == [case_texts.CLOSE, case_texts.ADD_NOTE]
    closed = await presses(place, "marlow", shown, case_texts.CLOSE)
    assert closed.labels == [case_texts.OPEN_AGAIN, case_texts.ADD_NOTE]
    assert (await place.kept())[0]["state"] == "closed"
    opened = await presses(place, "marlow", closed, case_texts.OPEN_AGAIN)
    assert (await place.kept())[0]["state"] == "open"
    where = {"user": int(place.member("marlow")), "channel": int(opened.channel)}
    raw = await place.town.sandbox.control(
        "click",
        **where,
        message=int(opened.message["id"]),
        custom_id=opened.custom_id(case_texts.ADD_NOTE),
        wait=10,
    )
    await place.town.sandbox.control(
        "modal", **where, interaction=int(raw["interaction"]), values={"note": "talked to both"}, wait=10
    )
    done = await uses(place, "marlow", "cases close", case="#1", note="settled")
    assert done.text.startswith("**Done:**"), done.text
    assert (await place.kept())[0] == {
        "case": 1,
        "reason": "rude",
        "state": "closed",
        "notes": ["talked to both", "settled"],
    }


async def test_a_list_has_pages_and_numbers_are_offered(place: Place) -> None:
    for number in range(12):
        await place.done(
            "member_note", "ada", guild=place.id, member=place.member("nina"), text=f"note {number}", dry_run=False
        )
    first = await uses(place, "marlow", "cases list")
    assert first.labels == [case_texts.LIST_PICK, "Older"]
    assert "**#12**" in first.text
    assert "**#2**" not in first.text
    second = await presses(place, "marlow", first, "Older")
    assert "**#2**" in second.text
    assert second.labels == [case_texts.LIST_PICK, "Newer"]
    assert await offered(place, "marlow", "cases show", "case", "11") == ["11 note nina (11)"]


@pytest.mark.parametrize("command", ["cases list", "warn", "note"])
async def test_what_is_for_moderators_is_not_shown_to_others(place: Place, command: str) -> None:
    with pytest.raises(ControlError, match="not visible to this user"):
        await uses(place, "nina", command)


async def test_a_wrong_number_is_told_in_words(place: Place) -> None:
    bad = await uses(place, "marlow", "cases show", case="twelve")
    assert bad.text == case_texts.BAD_NUMBER.format(value="twelve")
    assert "no case of that number" in (await uses(place, "marlow", "cases show", case="99")).text


# ----------------------------------------------------------------------- menus
async def test_the_menu_on_a_member_warns_by_a_modal(place: Place) -> None:
    opened = await menu(place, "marlow", case_texts.MENU_WARN, member=place.member("nina"))
    warned = await sends(place, "marlow", opened, reason="stop the spam")
    assert warned.text.startswith("**Done:**"), warned.text
    assert await kept(place) == [(1, "stop the spam", "closed")]
    listed = await menu(place, "marlow", case_texts.MENU_CASES, member=place.member("nina"))
    assert "**#1** warn" in listed["message"]["content"]


async def test_the_menu_on_a_message_times_its_author_out(place: Place) -> None:
    message = await place.says("nina", "general", "spam")
    opened = await menu(place, "marlow", case_texts.MENU_TIME_OUT, message=message)
    wrong = await sends(place, "marlow", opened, length="soon", reason="")
    assert wrong.text == case_texts.BAD_LENGTH.format(value="soon")
    opened = await menu(place, "marlow", case_texts.MENU_TIME_OUT, message=message)
    done = await sends(place, "marlow", opened, length="2h", reason="calm down")
    assert done.text.startswith("**Done:**"), done.text
    members = (await place.world())["guild"]["members"]
    assert next(each for each in members if each["id"] == place.member("nina"))["timed_out_until"]
    assert await kept(place) == [(1, "calm down", "closed")]


async def test_any_member_reports_a_message_or_a_member_by_the_menu(place: Place) -> None:
    message = await place.says("bela", "general", "a rude word")
    opened = await menu(place, "nina", case_texts.MENU_REPORT, message=message)
    assert (await sends(place, "nina", opened, text="")).text == case_texts.REPORTED
    opened = await menu(place, "nina", case_texts.MENU_REPORT, member=place.member("bela"))
    assert (await sends(place, "nina", opened, text="all day long")).text == case_texts.REPORTED
    assert await kept(place) == [(1, "", "open"), (2, "all day long", "open")]
    first = await uses(place, "marlow", "cases show", case="1")
    assert message in first.text
    assert "a rude word" not in first.text
    assert case_texts.CASE_MEMBER.format(user_id=place.member("bela")) in first.text


async def test_a_modal_that_was_opened_before_a_restart_still_counts(tmp_path: Path) -> None:
    """In processes of their own: where Discord is, is one for a whole process."""
    async with SandboxProcess() as sandbox:
        guild = await sandbox.make_guild("Anchor", members=[{"name": "amy"}], channels=[{"name": "general"}])
        given = environment(sandbox, tmp_path)
        where = {"user": int(guild["owner_id"]), "channel": int(guild["channels"]["general"])}

        async def is_installed() -> bool:
            with contextlib.suppress(ControlError):
                told = await sandbox.control("slash", **where, name="whoami", options={}, wait=10)
                return "workspace" in str(told["message"])
            return False

        async with served(given, tmp_path):
            await until(is_installed, "the guild is installed")
            target = int(guild["members"]["amy"])
            opened = await sandbox.control("context_menu", **where, name=case_texts.MENU_WARN, target_user=target)
        async with served(given, tmp_path):
            await until(is_installed, "the guild has arrived")
            interaction = int(opened["interaction"])
            raw = await sandbox.control("modal", **where, interaction=interaction, values={"reason": "spam"}, wait=10)
            assert raw["message"]["content"].startswith("**Done:**"), raw
            shown = await sandbox.control("slash", **where, name="cases show", options={"case": "1"}, wait=10)
            assert "spam" in str(shown["message"])
