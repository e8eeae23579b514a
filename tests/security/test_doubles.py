"""One call, at most one effect: whatever Discord's answer becomes, and whatever the libraries would repeat."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio

from tests.app import Answer, Place, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

TAG = re.compile(r"gh:cl_[a-z0-9]+:[0-9a-f]+")
FAULTS: dict[str, dict[str, Any]] = {
    "500": {"status": 500},
    "502": {"status": 502},
    "503": {"status": 503},
    "504": {"status": 504},
    "a reset": {"reset": True},
}
AFTER = pytest.mark.parametrize("fault", FAULTS)


@pytest_asyncio.fixture(loop_scope="session")
async def mended(place: Place) -> AsyncGenerator[Place]:
    """Faults end with the test."""
    await place.town.effects()
    await place.town.requests()
    yield place
    await place.town.sandbox.control("reset")


async def strikes(place: Place, method: str, path: str, **fault: Any) -> None:
    await place.town.sandbox.control("fault", faults=[{"method": method, "path": path, **fault}])


async def settled(place: Place, answer: Answer) -> str:
    """The outcome in the audit, once recovery has come to an end."""

    async def outcome() -> bool:
        return bool(await place.audited(call_id=answer.data["call_id"], entry="outcome"))

    await until(outcome, "the outcome is audited")
    rows = await place.audited(call_id=answer.data["call_id"], entry="outcome")
    return rows[-1].status


@AFTER
async def test_line_16_a_message_whose_answer_is_lost_stands_there_once(mended: Place, fault: str) -> None:
    await strikes(mended, "POST", "*/messages", when="after", times=1, **FAULTS[fault])
    answer = await mended.call("message_send", channel=mended.channel("general"), content="once", dry_run=False)
    assert answer.status in ("done", "unknown"), answer
    assert await settled(mended, answer) in ("done", "unknown")
    history = await mended.history("general")
    assert [message["content"] for message in history] == ["once"]
    if answer.status == "done":
        assert answer.data["result"]["message_id"] == history[0]["id"]


@AFTER
async def test_line_16_a_channel_whose_answer_is_lost_is_made_once(mended: Place, fault: str) -> None:
    await strikes(mended, "POST", "/guilds/*/channels", when="after", times=1, **FAULTS[fault])
    answer = await mended.call("channel_create", guild=mended.id, name="only-one", dry_run=False)
    assert answer.status in ("done", "unknown"), answer
    channels = await mended.channels()
    made = [name for name in channels if name == "only-one"]
    effects = [effect for effect in await mended.town.effects() if effect["path"].endswith("/channels")]
    assert (len(made), len(effects)) == (1, 1)
    assert answer.status == "done", "the audit log of Discord tells what became of it"
    assert answer.data["result"]["id"] == channels["only-one"]["id"]


@AFTER
async def test_line_16_an_edit_whose_answer_is_lost_is_done_once(mended: Place, fault: str) -> None:
    message_id = await mended.sent(content="before")
    await mended.town.effects()
    await strikes(mended, "PATCH", "*", when="after", times=1, **FAULTS[fault])
    channel = await mended.call("channel_edit", channel=mended.channel("news"), topic="an edited topic", dry_run=False)
    await strikes(mended, "PATCH", "*", when="after", times=1, **FAULTS[fault])
    message = await mended.call(
        "message_edit", channel=mended.channel("general"), message=message_id, content="after", dry_run=False
    )
    assert (channel.status, message.status) == ("done", "done"), (channel, message)
    assert [effect["method"] for effect in await mended.town.effects()] == ["PATCH", "PATCH"]


@pytest.mark.parametrize("fault", ["500", "502", "a reset"])
async def test_line_16_what_never_took_effect_is_not_said_to_be_done(mended: Place, fault: str) -> None:
    await strikes(mended, "POST", "/guilds/*/channels", when="before", **FAULTS[fault])
    answer = await mended.call("channel_create", guild=mended.id, name="never", dry_run=False)
    assert answer.status in ("failed", "unknown"), answer
    assert await mended.town.effects() == []
    assert "never" not in await mended.channels()
    sent = [request for request in await mended.town.requests() if request["method"] == "POST"]
    assert len(sent) == 1, "nothing is sent again"


async def test_line_16_a_persistent_fault_after_the_effect_still_leaves_one_message(mended: Place) -> None:
    """Sending again with the nonce is repeated by Discord's own rule alone, and each time it changes nothing."""
    await strikes(mended, "POST", "*/messages", when="after", reset=True)
    answer = await mended.call("message_send", channel=mended.channel("general"), content="once", dry_run=False)
    assert answer.status in ("done", "unknown")
    assert [message["content"] for message in await mended.history("general")] == ["once"]
    real = [effect for effect in await mended.town.effects() if not effect["duplicate_nonce"]]
    assert len(real) == 1


async def test_line_16_a_callers_reason_carries_no_tag_into_discords_audit_log(mended: Place) -> None:
    """Else he could make another call's effect look like his own, or the other way round."""
    await mended.done("channel_create", guild=mended.id, name="first", dry_run=False)
    entries = (await mended.town.sandbox.control("audit_log", guild=mended.guild_id))["entries"]
    learned = TAG.search(entries[0]["reason"])
    assert learned is not None
    forged = f"{learned[0]} and {learned[0][:3]}{learned[0]}{learned[0][3:]}"
    await mended.done("channel_create", guild=mended.id, name="second", reason=f"because {forged}", dry_run=False)
    entries = (await mended.town.sandbox.control("audit_log", guild=mended.guild_id))["entries"]
    reason: str = entries[0]["reason"]
    assert "because" in reason
    assert learned[0] not in reason
    assert len(TAG.findall(reason)) == 1


async def test_line_16_a_forged_tag_in_another_persons_entry_does_not_reconcile(mended: Place) -> None:
    """Somebody reads the tag while the request is under way, and makes a channel by hand with it as the reason."""
    path = f"/guilds/{mended.id}/channels"
    await strikes(mended, "POST", "/guilds/*/channels", when="before", reset=True, latency=0.5, times=1)
    await mended.town.requests()
    calling = asyncio.create_task(mended.call("channel_create", guild=mended.id, name="theirs", dry_run=False))
    tags: list[str] = []

    async def on_its_way() -> bool:
        seen = (await mended.town.sandbox.control("requests"))["requests"]
        tags.extend(request["reason"] for request in seen if request["method"] == "POST" and request["reason"])
        return bool(tags)

    await until(on_its_way, "the request is under way")
    await mended.town.sandbox.control(
        "as_user",
        user=int(mended.member("ada")),
        method="POST",
        path=path,
        body={"name": "theirs", "type": 0},
        reason=tags[0],
    )
    answer = await calling
    assert answer.status in ("failed", "unknown"), answer
    assert "result" not in answer.data
    effects = await mended.town.effects()
    assert [effect for effect in effects if effect["method"] == "POST" and "gh:" in (effect["reason"] or "")] == []
