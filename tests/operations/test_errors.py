from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from operations.error_texts import STATUS_TEXTS, TEXTS
from operations.errors import Refused, translate
from policy.model import Refuse, Step

TOKEN = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"


def failed(status: int, body: dict[str, Any] | str, headers: dict[str, str] | None = None) -> discord.HTTPException:
    """An error as discord.py raises it for this answer."""
    response = cast("Any", SimpleNamespace(status=status, reason="", headers=headers or {}))
    kinds = {403: discord.Forbidden, 404: discord.NotFound}
    kind = discord.DiscordServerError if status >= 500 else kinds.get(status, discord.HTTPException)
    return kind(response, body)


@pytest.mark.parametrize("code", TEXTS)
def test_every_known_code_says_what_is_wrong_and_what_helps(code: int) -> None:
    failure = translate(failed(400, {"code": code, "message": "Discord's words"}))
    assert failure.code == code
    assert re.fullmatch(r"[A-Z].*[^.]\.( .*)?", failure.reason)
    assert re.fullmatch(r"[A-Z].+\.", failure.remedy)


@pytest.mark.parametrize(
    ("status", "code", "part"),
    [
        (403, 50013, "lack a permission"),
        (403, 50001, "cannot see"),
        (404, 10008, "message does not exist"),
        (400, 30013, "500 channels"),
        (400, 200000, "AutoMod"),
        (403, 60003, "two-factor"),
        (400, 160005, "locked"),
    ],
)
def test_codes_that_matter_are_told_in_plain_words(status: int, code: int, part: str) -> None:
    assert part in translate(failed(status, {"code": code, "message": "x"})).reason


def test_a_refusal_names_the_step_and_discords_code() -> None:
    refusal = translate(failed(403, {"code": 50013, "message": "Missing Permissions"})).refusal()
    assert (refusal.step, refusal.code) == (Step.DISCORD, "discord_50013")
    assert refusal.remedy.startswith("Check my role")


def test_an_unknown_code_passes_discords_words_on() -> None:
    failure = translate(failed(400, {"code": 99_999, "message": "Something new"}))
    assert failure.reason == "Discord did not accept the arguments. Discord says: Something new"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 418])
def test_an_answer_without_a_code_is_told_by_its_status(status: int) -> None:
    failure = translate(failed(status, "<html>blocked</html>"))
    assert failure.reason == STATUS_TEXTS.get(status, ("Discord refused this.", ""))[0]
    assert failure.code == 0
    assert failure.refusal().code == f"discord_{status}"


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_error_inside_discord_says_to_try_again(status: int) -> None:
    failure = translate(failed(status, ""))
    assert failure.status == status
    assert failure.remedy.startswith("Try again")


# ---------------------------------------------------------------- rate limits
def test_a_limit_kept_by_the_library_says_when_to_come_back() -> None:
    failure = translate(discord.RateLimited(12.3))
    assert failure.retry_after_seconds == 12.3
    assert failure.remedy == "Come back in 13 s."
    assert failure.refusal().step is Step.RATE
    assert failure.refusal().retry_after_seconds == 12.3


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "3"}, 3.0),
        ({"X-RateLimit-Reset-After": "0.5"}, 0.5),
        ({"Retry-After": "soon", "X-RateLimit-Reset-After": "2"}, 2.0),
        ({"Retry-After": "nan"}, None),
        ({}, None),
    ],
)
def test_a_limit_told_by_discord_is_read_from_its_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert translate(failed(429, {"code": 0, "message": "slow down"}, headers)).retry_after_seconds == seconds


# ---------------------------------------------------------------- form errors
def form(errors: dict[str, Any]) -> discord.HTTPException:
    return failed(400, {"code": 50035, "message": "Invalid Form Body", "errors": errors})


def one(code: str, message: str) -> dict[str, Any]:
    return {"_errors": [{"code": code, "message": message}]}


def test_a_form_error_names_each_field_and_why() -> None:
    failure = translate(
        form(
            {
                "content": one("BASE_TYPE_MAX_LENGTH", "Must be 2000 or fewer in length."),
                "embeds": {"0": {"fields": {"2": {"value": one("BASE_TYPE_REQUIRED", "This field is required")}}}},
            }
        )
    )
    assert failure.reason == (
        "Discord did not accept the arguments: content: Must be 2000 or fewer in length; "
        "embeds[0].fields[2].value: This field is required."
    )


def test_a_form_error_about_the_whole_request_is_told() -> None:
    assert "the request: the guild is odd." in translate(form(one("X", "the guild is odd"))).reason


def test_common_form_errors_have_words_of_their_own() -> None:
    errors = {"message_reference": one("MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")}
    assert "the message to reply to does not exist" in translate(form(errors)).reason


def test_a_form_error_without_fields_keeps_discords_words() -> None:
    failure = translate(failed(400, {"code": 50035, "message": "Invalid Form Body: name is too long"}))
    assert failure.reason == "Discord did not accept the arguments. Discord says: name is too long"


def test_many_form_errors_are_counted() -> None:
    errors = {f"field{number}": one("X", "bad") for number in range(14)}
    assert translate(form(errors)).reason.endswith("and 4 more.")


@pytest.mark.parametrize(
    "secret",
    [
        f"https://discord.com/api/v10/webhooks/1/{'a' * 68}",
        f"/webhooks/123/{'b' * 68}",
        f"Bot {TOKEN}",
        "c" * 68,
    ],
)
def test_no_token_and_no_address_is_passed_on(secret: str) -> None:
    for error in (
        form({"url": one("X", f'Value "{secret}" is odd')}),
        failed(400, {"code": 99_999, "message": f"at {secret} now"}),
        failed(400, {"code": 50035, "message": f"Invalid Form Body: {secret}"}),
    ):
        text = str(translate(error))
        assert secret.rsplit(maxsplit=1)[-1] not in text
        assert "aaaa" not in text
        assert "bbbb" not in text


def test_long_and_hidden_text_of_discord_is_cut_and_cleaned() -> None:
    failure = translate(failed(400, {"code": 99_999, "message": "a \u202e" * 500 + "\x00"}))
    assert len(failure.reason) < 300
    assert "\u202e" not in failure.reason


def test_refused_carries_its_refusal() -> None:
    refusal = Refuse(Step.SCOPE, "scope", "The scope is missing.", "Ask for it.")
    assert Refused(refusal).refusal is refusal
    assert str(Refused(refusal)) == "The scope is missing."
