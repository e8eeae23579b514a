"""A request to Discord whose answer is lost, before or after its effect: at most one effect, and an honest outcome."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.effects import WRITES, message_send
from tests.faults.instance import Instance
from tests.sandbox_process import GuildIds, SandboxProcess

# Longer than the shortened time that an execution may take.
HANGS = 2.0
AFTER = {
    "reset": {"reset": True, "when": "after"},
    "502": {"status": 502, "when": "after"},
    "503": {"status": 503, "when": "after"},
    "hang": {"hang": HANGS, "when": "after"},
}
BEFORE = {
    "reset": {"reset": True},
    "502": {"status": 502},
    "hang": {"hang": HANGS},
}


async def _token(instance: Instance, guild: GuildIds, member: str = "ada") -> str:
    await instance.install(guild)
    return await instance.token(guild, member)


@pytest.mark.parametrize("fault", AFTER)
@pytest.mark.parametrize("operation", WRITES)
async def test_a_fault_after_the_effect_leaves_one_effect_that_is_found_again(
    steady_instance: Instance, sandbox: SandboxProcess, guild: GuildIds, operation: str, fault: str
) -> None:
    token = await _token(steady_instance, guild)
    write = WRITES[operation](sandbox, guild)
    await write.suffers({**AFTER[fault], "times": 1})
    answer = await write.by(steady_instance, token)
    assert answer.status == "done", answer
    assert await write.effects() == 1
    call_id = answer.data["call_id"]
    assert await steady_instance.audited(call_id) == [("intent", "executing"), ("outcome", "done")]


@pytest.mark.parametrize("fault", BEFORE)
@pytest.mark.parametrize(
    ("operation", "outcome", "effects"), [("message_send", "done", 1), ("channel_create", "unknown", 0)]
)
async def test_a_fault_before_the_effect_is_made_good_by_a_nonce_and_told_as_unknown_without_one(
    steady_instance: Instance,
    sandbox: SandboxProcess,
    guild: GuildIds,
    operation: str,
    fault: str,
    outcome: str,
    effects: int,
) -> None:
    token = await _token(steady_instance, guild)
    write = WRITES[operation](sandbox, guild)
    await write.suffers({**BEFORE[fault], "times": 1})
    answer = await write.by(steady_instance, token)
    assert answer.status == outcome, answer
    assert await write.effects() == effects
    call_id = answer.data["call_id"]
    assert await steady_instance.audited(call_id) == [("intent", "executing"), ("outcome", outcome)]
    assert steady_instance.mistakes == [], steady_instance.log


@pytest.mark.parametrize("operation", WRITES)
async def test_a_fault_that_does_not_end_leaves_at_most_one_effect_and_an_unknown_outcome(
    steady_instance: Instance, sandbox: SandboxProcess, guild: GuildIds, operation: str
) -> None:
    token = await _token(steady_instance, guild)
    write = WRITES[operation](sandbox, guild)
    # Who asks is known from now on; what the write itself asks of Discord never gets an answer.
    assert not (await steady_instance.call(token, "channel_list", guild=guild["id"])).is_error
    _, path = write.route.split()
    lost = {"reset": True, "when": "after"}
    await sandbox.control(
        "fault", faults=[{"path": path, **lost}, {"path": f"/guilds/{guild['id']}/audit-logs", **lost}]
    )
    answer = await write.by(steady_instance, token)
    assert answer.status == "unknown", answer
    assert await write.effects() == 1
    call_id = answer.data["call_id"]
    assert await steady_instance.audited(call_id) == [("intent", "executing"), ("outcome", "unknown")]


@pytest.mark.parametrize("operation", WRITES)
async def test_an_effect_that_comes_after_the_call_gave_up_is_still_the_only_one(
    steady_instance: Instance, sandbox: SandboxProcess, guild: GuildIds, operation: str
) -> None:
    token = await _token(steady_instance, guild)
    write = WRITES[operation](sandbox, guild)
    await write.suffers({"latency": 1.5, "times": 1})
    answer = await write.by(steady_instance, token)
    assert answer.status == "done", answer
    assert await write.effects() == 1


@pytest.mark.parametrize("operation", WRITES)
async def test_a_rate_limit_of_discord_is_waited_for(
    steady_instance: Instance, sandbox: SandboxProcess, guild: GuildIds, operation: str
) -> None:
    token = await _token(steady_instance, guild)
    write = WRITES[operation](sandbox, guild)
    await write.suffers({"status": 429, "retry_after": 0.3, "times": 2})
    answer = await write.by(steady_instance, token)
    assert answer.status == "done", answer
    assert await write.effects() == 1
    assert [each["status"] for each in await write.requests()] in ([429, 429, 200], [429, 429, 201])


@pytest.mark.parametrize("operation", WRITES)
async def test_a_rate_limit_that_lasts_too_long_fails_with_when_to_come_back(
    steady_instance: Instance, sandbox: SandboxProcess, guild: GuildIds, operation: str
) -> None:
    token = await _token(steady_instance, guild)
    write = WRITES[operation](sandbox, guild)
    await write.suffers({"status": 429, "retry_after": 90})
    answer = await write.by(steady_instance, token)
    assert answer.status == "failed", answer
    assert "90" in answer.data["reason"] or "91" in answer.data["reason"], answer
    assert await write.effects() == 0


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_edit_whose_answer_is_lost_is_found_by_looking_at_the_message(
    steady_instance: Instance, sandbox: SandboxProcess, guild: GuildIds, when: str
) -> None:
    token = await _token(steady_instance, guild)
    sent = await message_send(sandbox, guild, "first").by(steady_instance, token)
    channel, message = guild["channels"]["general"], sent.data["result"]["message_id"]
    path = f"/channels/{channel}/messages/{message}"
    await sandbox.control("fault", faults=[{"method": "PATCH", "path": path, "reset": True, "when": when}])
    answer = await steady_instance.call(
        token, "message_edit", channel=channel, message=message, content="second", dry_run=False
    )
    found = await sandbox.control("history", channel=int(channel))
    content = {each["id"]: each["content"] for each in found["messages"]}[message]
    assert (answer.status, content) == (("done", "second") if when == "after" else ("unknown", "first")), answer
    requests: list[dict[str, Any]] = (await sandbox.control("requests"))["requests"]
    assert sum(each["method"] == "PATCH" and each["path"] == path for each in requests) == 1


@pytest.mark.parametrize("fault", [{"reset": True}, {"status": 503}, {"status": 429, "retry_after": 90}])
async def test_a_preview_or_a_read_that_discord_does_not_answer_is_refused_with_a_reason(
    steady_instance: Instance, sandbox: SandboxProcess, guild: GuildIds, fault: dict[str, Any]
) -> None:
    token = await _token(steady_instance, guild)
    sent = await message_send(sandbox, guild).by(steady_instance, token)
    channel, message = guild["channels"]["general"], sent.data["result"]["message_id"]
    await sandbox.control("fault", faults=[{"method": "GET", "path": f"/channels/{channel}/messages*", **fault}])
    read = await steady_instance.call(token, "message_list_recent", channel=channel)
    preview = await steady_instance.call(token, "message_edit", channel=channel, message=message, content="second")
    for answer in (read, preview):
        assert answer.status == "refused", answer
        assert answer.data["retry_after_seconds"] > 0, answer
        assert answer.data["remedy"]
    await sandbox.control("fault", faults=[])
    assert not (await steady_instance.call(token, "message_list_recent", channel=channel)).is_error


@pytest.mark.parametrize(
    ("fault", "outcome"), [({"status": 403, "code": 50013}, "done"), ({"status": 404, "code": 10008}, "unknown")]
)
async def test_of_two_requests_the_second_of_which_is_refused_nobody_hears_that_nothing_was_changed(
    steady_instance: Instance, sandbox: SandboxProcess, guild: GuildIds, fault: dict[str, Any], outcome: str
) -> None:
    token = await _token(steady_instance, guild)
    await sandbox.control("fault", faults=[{"method": "POST", "path": "*/crosspost", **fault}])
    answer = await steady_instance.call(
        token, "message_send", channel=guild["channels"]["news"], content="news", crosspost=True, dry_run=False
    )
    assert answer.status == outcome, answer
    assert "Nothing was changed" not in answer.text
    told = answer.data["result"]["not_published"] if outcome == "done" else answer.data["reason"]
    assert told
    found = await sandbox.control("history", channel=int(guild["channels"]["news"]))
    assert [each["content"] for each in found["messages"]] == ["news"]
