"""Secrets, addresses, cards and phone numbers are masked wherever a text is kept, in linear time."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from policy.masking import MAX_PHONE_CHECKS, mask
from tests.policy.strategies import PROPERTY

BOT_TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcDe.abcdefghijklmnopqrstuvwxyz_-ABCDEF"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g"
SECRETS = {
    "discord bot token": BOT_TOKEN,
    "discord token of a user with two factors": "mfa.VkO_2G4Qv3T--NO--lWetW_tjND--TOKEN--QFTm6YGtzq9PH--4U",
    "own token": "ghd_Zm9vYmFyYmF6cXV4MDEyMzQ1Njc4OUFCQ0RFRg_1a2b3c",
    "jwt": JWT,
    "anthropic": "sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789-_AA",
    "openai": "sk-proj-abcdefghijklmnopqrst1234",
    "slack": "xoxb-123456789012-123456789012-abcdefABCDEF",
    "github": "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github, fine-grained": "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz",
    "gitlab": "glpat-abcdefghij0123456789",
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "google": "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "stripe": "sk_live_abcdefghijklmnop",
    "sendgrid": "SG.abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuvwxyz",
    "private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc+/=\n-----END RSA PRIVATE KEY-----",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
@pytest.mark.parametrize("frame", ["{}", "see {} there", "({})", "'{}'", '"{}",', "a={}", "`{}`", "x: {}\ny"])
def test_a_secret_is_masked_whatever_stands_around_it(secret: str, frame: str) -> None:
    masked = mask(frame.format(secret))
    assert "[token]" in masked
    assert not any(part in masked for part in re.findall(r"[A-Za-z0-9]{6,}", secret))


def test_a_private_key_that_is_cut_off_hides_all_that_follows() -> None:
    assert mask("key: -----BEGIN PRIVATE KEY-----\nMIIEow\nand so on") == "key: [token]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "POST https://discord.com/api/v10/webhooks/123456789012345678/abc-DEF_ghi012 failed",
            "POST https://discord.com/api/v10/webhooks/123456789012345678/[token] failed",
        ),
        ("/webhooks/1/aW50ZXJhY3Rpb24/messages/@original", "/webhooks/1/[token]/messages/@original"),
        (
            "/interactions/123456789012345678/aW50ZXJhY3Rpb24/callback",
            "/interactions/123456789012345678/[token]/callback",
        ),
        ("https://discord.com/api/webhooks/123456789012345678", "https://discord.com/api/webhooks/123456789012345678"),
        ("postgresql+asyncpg://bot:p@ss:word@localhost/db", "postgresql+asyncpg://bot:[token]@localhost/db"),
        ("redis://:hunter2@localhost:6379", "redis://:[token]@localhost:6379"),
        (f"Authorization: Bot {BOT_TOKEN}", "Authorization: Bot [token]"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [token]"),
        ("authorization: bearer abcdefghijklmnop0123", "authorization: bearer [token]"),
        ("DISCORD_TOKEN=abcdefgh01", "DISCORD_TOKEN=[token]"),
        ('{"client_secret": "abcdefgh01"}', '{"client_secret": "[token]"}'),
        ("password: hunter2hunter2", "password: [token]"),
        ("GET /callback?code=abcdef&state=xyz123#x", "GET /callback?code=[token]&state=[token]#x"),
        ("https://cdn.discordapp.com/a.png?ex=1&hm=abcdef", "https://cdn.discordapp.com/a.png?ex=1&hm=[token]"),
    ],
)
def test_a_secret_goes_and_what_names_it_stays(text: str, expected: str) -> None:
    assert mask(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to bob.smith+x@example.co.uk.", "write to [email]."),
        ("_bob@example.com_", "[email]_"),
        ("<mailto:jürgen@exämple.de>", "<mailto:[email]>"),
        ("a@b.com,c@d.org", "[email],[email]"),
        ("from 10.0.0.1:8080 and 255.255.255.255", "from [ip]:8080 and [ip]"),
        ("[2001:db8::1]:443, fe80::1%eth0, ::1.", "[[ip]]:443, [ip]%eth0, [ip]."),
        ("address:fe80::1: down", "address:[ip]: down"),
        ("::ffff:192.0.2.1", "[ip]"),
    ],
)
def test_addresses_are_masked(text: str, expected: str) -> None:
    assert mask(text) == expected


@pytest.mark.parametrize(
    "number",
    [
        "+14155552671",
        "+1 415 555 2671",
        "+44 20 7946 0958",
        "+49 (0)151 12345678",
        "+49-30-901820",
        "+33 6 12 34 56 78",
        "+86 138 0013 8000",
        "0044 20 7946 0958",
        "00 49 151 12345678",
        "(202) 456-1111",
        "202-456-1111",
        "202.456.1111",
        "1-202-456-1111",
        "020 7946 0958",
        "07911 123456",
        "07911123456",
        "030 901820",
        "030/901820",
        "0151 12345678",
        "015112345678",
        "+٤٩ ١٥١ ١٢٣٤٥٦٧٨",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "call {} today", "tel:{}", "({})", "{}, please", "*{}*", "_{}_"])
def test_a_phone_number_is_masked(number: str, frame: str) -> None:
    masked = mask(frame.format(number))
    assert "[phone]" in masked
    assert not re.search(r"\d{3}", masked)


@pytest.mark.parametrize(
    "card",
    [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "5555 5555 5555 4444",
        "2223003122003222",
        "378282246310005",
        "3782 822463 10005",
        "30569309025904",
        "6011 1111 1111 1117",
        "3530111333300000",
        "4222222222222",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "card {}.", "_{}_", "{}, 12/27"])
def test_a_payment_card_is_masked(card: str, frame: str) -> None:
    assert mask(frame.format(card)) == frame.format("[card]")


def test_single_digits_are_a_card_when_they_are_all_that_there_is() -> None:
    spaced = " ".join("4111111111111111")
    assert mask(f"card {spaced}.") == "card [card]."
    assert mask(f"scores {spaced} 7 9") == f"scores {spaced} 7 9"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello, world",
        "id 123456789012345678 and 1234567890123456789",
        "<@123456789012345678> <#123456789012345678> <:smile:123456789012345678> <t:1700000000:R>",
        "https://discord.com/channels/123456789012345678/123456789012345679/1234567890123456789",
        "2026-01-15T12:30:45.123456+00:00",
        "03.05.2024 12:30, 2024-01-15 12:30:45, 01/02/2024",
        "1700000000 1700000000000 1700000000000000",
        "4111111111111112 is no card: its check digit is wrong",
        "std::string v1.2.3.4 1.2.3.4.5 999.1.1.1 12:30:45 a:b:c",
        "user@localhost, @alice, #general",
        "risk-averse, task-management-of-things, disk-usage-overview",
        "550e8400-e29b-41d4-a716-446655440000",
        "permissions 1099511627776, 2048",
        "bot restarting, bearer of news, token: none",
        "[token] [email] [phone] [card] [ip]",
    ],
)
def test_what_is_no_secret_stays_as_it_is(text: str) -> None:
    assert mask(text) == text


@PROPERTY
@given(
    st.text(max_size=40),
    st.sampled_from(
        [BOT_TOKEN, JWT, SECRETS["aws"], SECRETS["own token"], "bob.smith@example.com", "4111111111111111"]
    ),
    st.text(max_size=40),
)
@example("", JWT, "")
def test_a_secret_among_other_words_never_survives(before: str, secret: str, after: str) -> None:
    assert secret not in mask(f"{before} {secret} {after}")


@PROPERTY
@given(st.text(alphabet="0123456789+-.()/ :@aeyJ_=%", max_size=200))
def test_no_text_makes_masking_raise_and_digits_are_never_made_up(text: str) -> None:
    masked = re.sub(r"\[(token|email|phone|card|ip)\]", "", mask(text))
    assert len(masked) <= len(text)
    assert set(masked) <= set(text)


def test_beyond_its_budget_it_masks_what_only_looks_like_a_phone_number() -> None:
    nobody = "+999 123 4567\n"
    assert mask(nobody) == nobody
    masked = mask(nobody * (MAX_PHONE_CHECKS + 1))
    assert masked.splitlines()[0] == nobody.strip()
    assert masked.splitlines()[-1] == "[phone]"


ADVERSARIAL = {
    "letters": "a",
    "digits": "1",
    "single digits": "1 ",
    "groups of a card": "4111 ",
    "American numbers": "202 456 1111 ",
    "German numbers": "0151 12345678 ",
    "plus": "+1",
    "parentheses": "(",
    "dots": "1.",
    "colons": "a:",
    "double colons": "::",
    "at": "a@",
    "domains": "a.",
    "percent": "%",
    "start of a JWT": "eyJ",
    "starts of JWTs": "-eyJ",
    "bot tokens cut off": "aaaaaaaaaaaaaaaaaaaa.aaaaaa.",
    "URLs": "://a:",
    "URLs without end": "://a:b",
    "webhooks": "/webhooks/1",
    "prefixes of keys": " -sk-",
    "own tokens": "ghd_",
    "bearers": "bearer ",
    "assignments": 'token: "',
    "queries": "?key=",
    "private keys": "-----BEGIN PRIVATE KEY----",
    "ends of private keys": "-----END",
}


def seconds(text: str) -> float:
    started = time.process_time()
    mask(text)
    return time.process_time() - started


@pytest.mark.parametrize("unit", ADVERSARIAL.values(), ids=ADVERSARIAL.keys())
def test_four_times_the_text_takes_about_four_times_as_long(unit: str) -> None:
    """What is quadratic anywhere takes 16 times as long; 10 leaves room for a machine with other work."""

    def text(characters: int) -> str:
        return (unit * (characters // len(unit) + 1))[:characters]

    ratio = 0.0
    for _ in range(3):
        ratio = seconds(text(1_000_000)) / max(seconds(text(250_000)), 1e-4)
        if ratio < 10:
            break
    assert ratio < 10
