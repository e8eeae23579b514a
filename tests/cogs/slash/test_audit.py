"""/audit: filters, pages, details, undoing; and what one may not see."""

from __future__ import annotations

import pytest

from cogs import texts
from cogs.slash.audit import moment
from cogs.slash.options import BadValue
from tests.app import Place
from tests.cogs.slashing import offered, picks, presses, user, uses

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_what_was_done_is_listed_looked_at_and_undone(place: Place) -> None:
    await uses(place, "ada", "channel create", name="pottery")
    await uses(place, "nina", "message send", content="hello")
    listed = await uses(place, "ada", "audit", operation="channel_create")
    assert "`channel_create` – **done**" in listed.text
    assert "message_send" not in listed.text
    (row,) = await place.audited(operation="channel_create", entry="intent")
    details = await picks(place, "ada", listed, row.call_id, texts.AUDIT_PICK)
    assert row.call_id in details.text
    assert details.labels == ["Undo"]
    waiting = await presses(place, "ada", details, "Undo")
    assert (await presses(place, "ada", waiting, "Confirm", "pottery")).text.startswith("**Done:**")
    assert "pottery" not in await place.channels()


async def test_filters_by_member_status_and_time(place: Place) -> None:
    await uses(place, "ada", "channel create", name="pottery")
    await uses(place, "nina", "message send", content="hello")
    ninas = await uses(place, "ada", "audit", member=user(place, "nina"))
    assert "message_send" in ninas.text
    assert "channel_create" not in ninas.text
    assert (await uses(place, "ada", "audit", status="failed")).text == texts.AUDIT_NOTHING
    assert "message_send" in (await uses(place, "ada", "audit", since="1h")).text
    assert (await place.done("audit_list", since="2099-01-01T00:00:00Z"))["calls"] == []
    assert "is no time" in (await uses(place, "ada", "audit", since="lately")).text


async def test_a_plain_member_sees_his_own_alone(place: Place) -> None:
    await uses(place, "ada", "channel create", name="pottery")
    assert (await uses(place, "nina", "audit")).text == texts.AUDIT_NOTHING
    (row,) = await place.audited(operation="channel_create", entry="intent")
    hidden = await uses(place, "nina", "audit", call=row.call_id)
    absent = await uses(place, "nina", "audit", call="cl_" + "a" * 17)
    assert hidden.text == absent.text
    assert row.call_id not in str(await offered(place, "nina", "audit", "call"))
    assert await offered(place, "ada", "audit", "call", "channel") == [f"channel_create done ({row.call_id})"]


async def test_pages_are_turned(place: Place) -> None:
    for number in range(12):
        await uses(place, "ada", "message send", content=f"number {number}")
    first = await uses(place, "ada", "audit", mine=True)
    assert first.text.count("`message_send`") == 10
    older = await presses(place, "ada", first, "Older")
    assert older.text.count("`message_send`") == 2
    assert older.labels == [texts.AUDIT_PICK, "Newer"]
    assert (await presses(place, "ada", older, "Newer")).text.splitlines()[1:] == first.text.splitlines()[1:]


async def test_times_are_read_as_people_write_them() -> None:
    assert moment("2h", 10_000.0) == 2_800.0
    assert moment("1970-01-02", 1e9) == 86_400.0
    for wrong in ("2026-13-01", "yesterday", "99999999999d", "2026-1-1"):
        with pytest.raises(BadValue, match="is no time"):
            moment(wrong, 1e9)
