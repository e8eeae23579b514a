"""Outcomes in words and as JSON values."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from bot.catalogue import CATALOGUE
from operations.base import Change, Encoded, Model, Outcome, PlanInfo, Preview, Status
from operations.outcomes import encode, plain, replayed, structured, text, timestamp, verdict
from operations.registry import Registry
from policy.model import Kind, Refuse, Step, Strength, Tier

REGISTRY = Registry(CATALOGUE)
ARGUMENTS = {"channel": "general", "content": 'say "hi" – ä\nnew line'}
AT = 1_700_000_000.0


class Result(Model):
    message_id: str
    jump_url: str | None = None


def preview(**more: Any) -> Preview[Any]:
    given: dict[str, Any] = {
        "summary": "Send a message to #general in Harbor",
        "effect": Result(message_id="1"),
        "changes": (Change(target="channel 1 #general", field="message", before=None, after="hi"),),
        "unknowns": ("AutoMod may still block the text.",),
        "reversible": True,
    }
    return Preview(**(given | more))


def outcome(status: Status, **more: Any) -> Outcome:
    given: dict[str, Any] = {
        "operation": "message_send",
        "kind": Kind.WRITE,
        "call_id": "cl_a",
        "tier": Tier.WRITE,
        "preview": preview(),
        "arguments": ARGUMENTS,
    }
    return Outcome(status, **(given | more))


REFUSAL = Refuse(Step.DISCORD, "you_lack_permission", "You lack send_messages at #general.", "Ask someone.")
PLAN = PlanInfo("cl_a", AT, Strength.PERSON)


def next_call(shown: str) -> dict[str, Any]:
    """The call that a text ends with: its last line, to its last character."""
    last = shown.splitlines()[-1]
    assert last.startswith("To do it, call: ")
    return orjson.loads(last.removeprefix("To do it, call: "))


# ------------------------------------------------------------------- preview
def test_a_preview_says_first_that_nothing_is_done_and_ends_with_the_exact_next_call() -> None:
    shown = text(outcome(Status.PREVIEW))
    assert shown.startswith("NOT DONE – preview only. Send a message to #general in Harbor.")
    assert 'channel 1 #general: message nothing → "hi"' in shown
    assert "Not known before: AutoMod may still block the text." in shown
    call = next_call(shown)
    assert call == {"name": "message_send", "arguments": {**ARGUMENTS, "dry_run": False}}


def test_the_next_call_is_one_that_the_operation_takes() -> None:
    call = next_call(text(outcome(Status.PREVIEW, arguments={**ARGUMENTS, "dry_run": True, "idempotency_key": "k"})))
    operation = REGISTRY.get(call["name"])
    assert operation is not None
    given = call["arguments"]
    assert given.pop("dry_run") is False
    assert given.pop("idempotency_key") == "k"
    operation.Input.model_validate(given)


def test_who_called_through_a_generic_operation_is_told_the_call_through_it() -> None:
    call = next_call(text(outcome(Status.PREVIEW, through="operation_write")))
    assert call == {
        "name": "operation_write",
        "arguments": {"name": "message_send", "arguments": {**ARGUMENTS, "dry_run": False}},
    }


@pytest.mark.parametrize("through", ["", "operation_destroy"])
def test_the_next_call_of_a_plan_with_a_token_is_one_that_the_schema_takes(through: str) -> None:
    """No write's input schema has a `plan_token`."""
    plan = PlanInfo("cl_plan", AT, Strength.TOKEN, "secret")
    call = next_call(text(outcome(Status.PREVIEW, plan=plan, through=through)))
    assert call == {"name": "plan_confirm", "arguments": {"plan_id": "cl_plan", "plan_token": "secret"}}
    operation = REGISTRY.get(call["name"])
    assert operation is not None
    operation.Input.model_validate(call["arguments"])
    waiting = text(outcome(Status.NEEDS_CONFIRMATION, plan=plan, through=through))
    assert orjson.dumps(call).decode() in waiting


def test_a_preview_with_a_problem_names_no_next_call() -> None:
    shown = text(outcome(Status.PREVIEW, preview=preview(problems=("The text is too long.",))))
    assert shown.startswith("NOT DONE – preview only.")
    assert "Problem: The text is too long." in shown
    assert "To do it" not in shown
    assert shown.endswith("mend the problems and call again.")


def test_a_preview_that_waits_for_a_person_says_so_before_the_next_call() -> None:
    shown = text(outcome(Status.PREVIEW, plan=PLAN, tier=Tier.CRITICAL))
    assert shown.splitlines()[-2].startswith("A person has to confirm it")
    assert next_call(shown)["arguments"]["dry_run"] is False


def test_a_preview_tells_all_that_is_known_before() -> None:
    assert structured(outcome(Status.PREVIEW)) == {
        "status": "preview",
        "operation": "message_send",
        "call_id": "cl_a",
        "tier": "write",
        "summary": "Send a message to #general in Harbor",
        "would_succeed": "yes",
        "changes": [{"target": "channel 1 #general", "field": "message", "before": None, "after": "hi"}],
        "problems": [],
        "unknowns": ["AutoMod may still block the text."],
        "reversible": True,
        "plan_id": None,
        "plan_token": None,
        "expires_at": None,
        "confirmation": "none",
    }


@pytest.mark.parametrize(
    ("strength", "confirmation"), [(Strength.TOKEN, "token"), (Strength.CLIENT, "token"), (Strength.PERSON, "human")]
)
def test_a_plan_says_which_proof_it_waits_for_and_until_when(strength: Strength, confirmation: str) -> None:
    plan = PlanInfo("cl_plan", AT, strength, "secret" if strength is not Strength.PERSON else None)
    shown = structured(outcome(Status.PREVIEW, plan=plan))
    assert shown["plan_id"] == "cl_plan"
    assert shown["expires_at"] == "2023-11-14T22:13:20Z"
    assert shown["confirmation"] == confirmation
    assert (shown["plan_token"] is None) is (strength is Strength.PERSON)


def test_a_problem_means_no() -> None:
    assert verdict(preview()) == "yes"
    assert verdict(preview(problems=("No.",))) == "no"


# -------------------------------------------------------------- other statuses
def test_a_write_that_was_done_tells_what_was_done_and_its_result() -> None:
    done = outcome(Status.DONE, data=Result(message_id="7"))
    assert text(done) == 'Done: Send a message to #general in Harbor. Result: {"message_id":"7"} (call cl_a)'
    assert structured(done) == {
        "status": "done",
        "operation": "message_send",
        "call_id": "cl_a",
        "tier": "write",
        "summary": "Send a message to #general in Harbor",
        "reversible": True,
        "result": {"message_id": "7"},
    }


def test_a_read_that_was_done_is_its_result_alone() -> None:
    for data in (Result(message_id="7"), Encoded(b'{"message_id":"7"}'), {"message_id": "7"}):
        read = outcome(Status.DONE, kind=Kind.READ, preview=None, data=data)
        assert structured(read) == {"message_id": "7"}
        assert text(read) == '{"message_id":"7"}'
    empty = outcome(Status.DONE, kind=Kind.CONTROL, preview=None)
    assert (structured(empty), text(empty)) == ({}, "{}")


def test_a_refusal_names_step_reason_and_remedy_and_nothing_else() -> None:
    refused = outcome(Status.REFUSED, refusal=REFUSAL)
    assert text(refused) == "Refused at step discord: You lack send_messages at #general. Ask someone."
    assert structured(refused) == {
        "status": "refused",
        "operation": "message_send",
        "call_id": "cl_a",
        "step": "discord",
        "code": "you_lack_permission",
        "reason": "You lack send_messages at #general.",
        "remedy": "Ask someone.",
    }


def test_a_refusal_for_now_says_when_to_come_back() -> None:
    limited = Refuse(Step.RATE, "rate_limited", "Too many.", "Come back in 2.3 s.", retry_after_seconds=2.345)
    assert structured(outcome(Status.REFUSED, refusal=limited))["retry_after_seconds"] == 2.3


def test_a_failure_says_that_nothing_was_changed() -> None:
    failed = outcome(Status.FAILED, detail="Discord refused it.", error_code=50013)
    assert text(failed) == "Failed: Discord refused it. Nothing was changed. (call cl_a)"
    assert structured(failed) | {"x": 0} == structured(outcome(Status.FAILED)) | {
        "reason": "Discord refused it.",
        "discord_code": 50013,
        "x": 0,
    }


def test_an_unknown_outcome_says_to_look_before_repeating() -> None:
    shown = text(outcome(Status.UNKNOWN, detail="Discord's answer was lost."))
    assert shown.startswith("Unknown: Discord's answer was lost.")
    assert "nothing is sent again" in shown
    assert "cl_a" in shown


@pytest.mark.parametrize(
    ("strength", "who"), [(Strength.PERSON, "A person has to confirm"), (Strength.TOKEN, '"plan_token":"t"')]
)
def test_what_waits_for_a_confirmation_is_told_as_not_done(strength: Strength, who: str) -> None:
    waiting = outcome(Status.NEEDS_CONFIRMATION, tier=Tier.RISKY, plan=PlanInfo("cl_a", AT, strength, "t"))
    shown = text(waiting)
    assert shown.startswith("NOT DONE – ")
    assert who in shown
    assert "2023-11-14T22:13:20Z" in shown
    assert structured(waiting)["status"] == "needs_confirmation"
    assert "would_succeed" not in structured(waiting)


@pytest.mark.parametrize("status", Status, ids=lambda status: status.value)
def test_every_status_has_a_text_and_a_structure_that_json_takes(status: Status) -> None:
    for refusal in (None, REFUSAL if status is Status.REFUSED else None):
        shown = outcome(status, refusal=refusal, data=Result(message_id="1") if status is Status.DONE else None)
        assert text(shown)
        assert orjson.loads(orjson.dumps(structured(shown)))["status"] == status.value
        assert shown.is_error is (status in (Status.REFUSED, Status.FAILED, Status.UNKNOWN))
    assert text(outcome(status, preview=None))


# --------------------------------------------------------------------- replay
def test_a_repeated_key_gives_the_stored_outcome_under_its_first_call() -> None:
    first = outcome(Status.DONE, data=Result(message_id="7"), detail="Found in Discord's audit log.")
    again = replayed(outcome(Status.PREVIEW, call_id="cl_b"), "cl_a", structured(first), same_payload=True)
    assert structured(again) == structured(first)


def test_a_repeated_key_gives_the_stored_plan() -> None:
    first = outcome(Status.NEEDS_CONFIRMATION, tier=Tier.WRITE, plan=PLAN)
    again = replayed(outcome(Status.PREVIEW, call_id="cl_b"), "cl_a", structured(first), same_payload=True)
    assert structured(again) == structured(first)


def test_a_key_with_other_arguments_is_refused_and_one_in_flight_is_told() -> None:
    other = replayed(outcome(Status.PREVIEW), "cl_a", {"status": "done"}, same_payload=False)
    assert other.refusal is not None
    assert other.refusal.code == "idempotency_mismatch"
    waiting = replayed(outcome(Status.PREVIEW), "cl_a", None, same_payload=True)
    assert waiting.refusal is not None
    assert (waiting.refusal.code, waiting.refusal.retry_after_seconds) == ("in_flight", 2.0)


# ----------------------------------------------------------------------- data
def test_absent_fields_are_left_out_and_encoded_bytes_stay_as_they_are() -> None:
    assert plain(Result(message_id="1")) == {"message_id": "1"}
    assert plain(None) is None
    encoded = Encoded(b'{"a": 1}')
    assert encode(encoded) is encoded.json
    assert timestamp(0.9) == "1970-01-01T00:00:00Z"
