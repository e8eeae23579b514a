"""No secret reaches a log line: not in events, values, exceptions, stack traces, or what a library logs."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from bot import logs
from bot.log_secrets import HIDDEN, SecretRegistry
from bot.logs import Format, Level

# Known to the process, and of no shape that anything could recognise.
CANARY = "plain-canary-4711"
PASSWORD = "p@ss/w0rd-canary"
# Unknown to the process, and recognised by its shape.
STRAY_TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GxYzAb." + "c" * 38


@pytest.fixture(autouse=True)
def _restored() -> Generator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook, sys.unraisablehook)
    levels = {name: logging.getLogger(name).level for name in ("discord", "aiohttp", "sqlalchemy", "mcp", "asyncio")}
    yield
    root.handlers[:], root.level = before[0], before[1]
    sys.excepthook, threading.excepthook, sys.unraisablehook = before[2:]
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def _secrets() -> SecretRegistry:
    return SecretRegistry([SecretStr(CANARY), SecretStr("postgresql://user:p%40ss%2Fw0rd-canary@db:5432/g")])


def _configured(log_format: Format = "json", level: Level = "INFO") -> io.StringIO:
    stream = io.StringIO()
    logs.configure(level, log_format, _secrets(), stream=stream)
    return stream


def _line(stream: io.StringIO) -> dict[str, Any]:
    return json.loads(stream.getvalue().splitlines()[-1])


@dataclass
class Holder:
    token: str


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("secret", [CANARY, PASSWORD, STRAY_TOKEN, "p%40ss%2Fw0rd-canary"])
def test_no_part_of_a_line_shows_a_secret(log_format: Format, secret: str) -> None:
    stream = _configured(log_format)
    log = structlog.get_logger("test")
    event = f"event with {secret}"
    log.info(event, value=secret, nested={"list": [secret, {"deep": (secret,)}]}, thing=Holder(secret))
    log.info("with %s as argument", secret)
    try:
        try:
            raise ValueError(f"refused: {secret}")
        except ValueError as error:
            raise RuntimeError("wrapped") from error
    except RuntimeError as error:
        log.exception("it failed", error=error)
        logging.getLogger("discord.http").exception("the library failed with %r", error.__cause__)
    logging.getLogger("mcp").warning("argument %s", secret, stack_info=True)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"careful: {secret}", UserWarning, stacklevel=1)
    assert secret not in stream.getvalue()
    assert "RuntimeError: wrapped" in stream.getvalue()
    assert "careful" in stream.getvalue()
    assert len(stream.getvalue()) > 500


def test_uncaught_exceptions_are_logged_without_secrets() -> None:
    stream = _configured()

    def fail() -> None:
        raise ValueError(f"in a thread: {CANARY}")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    assert f"in a thread: {HIDDEN}" in _line(stream)["exception"]
    try:
        raise ValueError(f"at the end: {STRAY_TOKEN}")
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    assert "at the end: [token]" in _line(stream)["exception"]
    assert _line(stream)["level"] == "critical"


def test_a_secret_that_is_added_later_is_hidden_from_then_on() -> None:
    stream, secrets = io.StringIO(), SecretRegistry()
    logs.configure("INFO", "json", secrets, stream=stream)
    secrets.add(CANARY)
    structlog.get_logger().info("later", value=CANARY)
    assert _line(stream)["value"] == HIDDEN


def test_what_is_no_secret_stays_readable() -> None:
    stream = _configured()
    structlog.get_logger("bot").info(
        "listening", address="http://127.0.0.1:8000", guild_id=123456789012345678, nothing=None, took_ms=1.5, ok=True
    )
    line = _line(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "listening",
        "level": "info",
        "logger": "bot",
        "address": "http://127.0.0.1:8000",
        "guild_id": 123456789012345678,
        "nothing": None,
        "took_ms": 1.5,
        "ok": True,
    }


def test_libraries_log_through_the_same_road() -> None:
    stream = _configured()
    logging.getLogger("discord.gateway").info("Shard ID %s has connected", 0)
    line = _line(stream)
    assert (line["event"], line["logger"], line["level"]) == ("Shard ID 0 has connected", "discord.gateway", "info")


@pytest.mark.parametrize(
    "name", ["discord.http", "discord.gateway", "aiohttp.client", "mcp.server", "sqlalchemy.engine"]
)
def test_payloads_that_libraries_log_for_debugging_are_left_out(name: str) -> None:
    stream = _configured(level="DEBUG")
    logging.getLogger(name).debug("a payload with somebody's words")
    assert stream.getvalue() == ""
    structlog.get_logger("bot").debug("our own")
    assert _line(stream)["event"] == "our own"


def test_the_level_is_kept() -> None:
    stream = _configured(level="WARNING")
    structlog.get_logger().info("quiet")
    logging.getLogger("discord").info("quiet")
    assert stream.getvalue() == ""


def test_a_registry_does_not_show_its_secrets() -> None:
    assert CANARY not in repr(_secrets())


def test_a_database_without_password_stays_readable_and_short_words_are_no_secrets() -> None:
    secrets = SecretRegistry(["sqlite+aiosqlite:////data/guildhall.db", "abc", ""])
    assert (
        secrets.hide("abc in sqlite+aiosqlite:////data/guildhall.db") == "abc in sqlite+aiosqlite:////data/guildhall.db"
    )


def test_each_of_several_keys_is_hidden() -> None:
    secrets = SecretRegistry([SecretStr("first-key-of-two,second-key-of-two")])
    assert secrets.hide("first-key-of-two or second-key-of-two") == f"{HIDDEN} or {HIDDEN}"
