"""What a single setting may be: the types of `Settings`, and what tells a real token from others."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from bot.loopback import is_loopback_host
from storage.crypto import Keyring
from storage.engines import parse_url

# https://discord.com/developers/docs/reference#authentication: three parts, the first of them the bot's id in base64.
_TOKEN = re.compile(r"^(?P<user>[\w-]{20,})\.[\w-]{5,}\.[\w-]{20,}$", re.ASCII)


def is_real_token(token: str) -> bool:
    """Whether it has the shape of a bot token that Discord gave out."""
    match = _TOKEN.match(token)
    if match is None:
        return False
    user = match["user"]
    try:
        return base64.urlsafe_b64decode(user + "=" * (-len(user) % 4)).decode("ascii").isdigit()
    except (binascii.Error, UnicodeDecodeError):
        return False


def _split(value: object) -> object:
    if isinstance(value, str):
        return [part for part in (part.strip() for part in value.split(",")) if part]
    return value


def _guild_ids(value: object) -> object:
    parts = _split(value)
    if isinstance(parts, list) and not all(_is_digits(part) for part in cast("list[object]", parts)):
        raise ValueError("write Discord's guild ids (digits), separated by commas")
    return cast("object", parts)


def _is_digits(value: object) -> bool:
    text = str(value)
    return text.isascii() and text.isdigit()


def _stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _url(*, path: bool = False) -> Callable[[str], str]:
    def check(value: str) -> str:
        url = value.rstrip("/")
        try:
            parts = urlsplit(url)
            has_host = bool(parts.hostname) and parts.port != 0
        except ValueError:
            has_host = False
            parts = urlsplit("")
        if parts.scheme not in ("https", "http") or not has_host:
            raise ValueError("write a URL that begins with https://")
        if parts.username is not None or parts.query or parts.fragment or (parts.path and not path):
            raise ValueError("leave out user name, query, fragment" + ("" if path else " and path"))
        if parts.scheme == "http" and not is_loopback_host(parts.hostname or ""):
            raise ValueError("http:// is for this machine alone (127.0.0.1, localhost); write an https:// URL")
        return url

    return check


def _redis_url(value: SecretStr) -> SecretStr:
    if urlsplit(value.get_secret_value()).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("write redis://host:6379/0, rediss://… with TLS, or unix:///path")
    return value


def _database_url(value: SecretStr) -> SecretStr:
    parse_url(value.get_secret_value())
    return value


def _secret_keys(value: SecretStr) -> SecretStr:
    Keyring.load(value.get_secret_value(), Path())
    return value


def _hosts(values: frozenset[str]) -> frozenset[str]:
    for value in values:
        if not re.fullmatch(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]", value):
            raise ValueError("write host names without scheme and port, separated by commas")
    return values


def _origins(values: frozenset[str]) -> frozenset[str]:
    check = _url()
    return frozenset(check(value) for value in values)


def _model_name(value: str) -> str:
    if not re.fullmatch(r"[\w.:/@-]{1,200}", value, re.ASCII):
        raise ValueError("write the model's id as its provider names it")
    return value


Text = Annotated[str, BeforeValidator(_stripped)]
Secret = Annotated[SecretStr, BeforeValidator(_stripped)]
Snowflake = Annotated[int, Field(gt=0, lt=2**63)]
GuildIds = Annotated[frozenset[Snowflake], NoDecode, BeforeValidator(_guild_ids)]
Hosts = Annotated[frozenset[str], NoDecode, BeforeValidator(_split), AfterValidator(_hosts)]
Origins = Annotated[frozenset[str], NoDecode, BeforeValidator(_split), AfterValidator(_origins)]
SiteUrl = Annotated[Text, AfterValidator(_url())]
"""Scheme, host and port; http on this machine alone."""
BaseUrl = Annotated[Text, AfterValidator(_url(path=True))]
"""The same with a path."""
DatabaseUrl = Annotated[Secret, AfterValidator(_database_url)]
RedisUrl = Annotated[Secret, AfterValidator(_redis_url)]
SecretKeys = Annotated[Secret, AfterValidator(_secret_keys)]
ModelName = Annotated[Text, AfterValidator(_model_name)]
