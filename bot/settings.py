"""Settings from the environment and `.env`; every one is documented in `.env.example`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.loopback import is_loopback_host
from bot.setting_values import (
    BaseUrl,
    DatabaseUrl,
    GuildIds,
    Hosts,
    ModelName,
    Origins,
    RedisUrl,
    Secret,
    SecretKeys,
    SiteUrl,
    Snowflake,
    Text,
    is_real_token,
)

PORTAL = "https://discord.com/developers/applications"
_SANDBOX_TOKEN_PREFIX = "sandbox."  # noqa: S105 - a prefix


class SettingsError(ValueError):
    """Settings that can't be used.

    ``problems``: one line for each, naming the setting, why, and what to write; never a secret.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Settings(BaseSettings):
    """Read with ``load``. Empty values count as unset; lists are separated by commas."""

    model_config = SettingsConfigDict(
        env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    discord_bot_token: Secret | None = None
    discord_client_id: Snowflake | None = None
    discord_client_secret: Secret | None = None
    discord_api_base_url: BaseUrl | None = None
    allow_insecure_discord_api: bool = False
    allowed_guild_ids: GuildIds = frozenset()
    single_workspace: bool = True
    set_up_cards: bool = True

    enable_gateway: bool = True
    members_intent: bool = True
    message_content_intent: bool = True

    data_dir: Path = Path("data")
    database_url: DatabaseUrl | None = None
    redis_url: RedisUrl | None = None
    secret_keys: SecretKeys | None = None

    mcp_transport: Literal["http", "stdio"] = "http"
    host: Text = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: SiteUrl | None = None
    allowed_hosts: Hosts = frozenset()
    allowed_origins: Origins = frozenset()
    max_body_bytes: int = Field(default=4 * 1024 * 1024, ge=64 * 1024, le=64 * 1024 * 1024)
    metrics_token: Annotated[Secret, Field(min_length=16)] | None = None

    arguments_kept_days: Annotated[int, Field(ge=1, le=7)] = 7
    inverses_kept_days: Annotated[int, Field(ge=1, le=30)] = 30
    conversations_kept_days: Annotated[int, Field(ge=1, le=30)] = 30
    audit_kept_days: Annotated[int, Field(ge=1, le=180)] = 180
    left_guild_kept_days: Annotated[int, Field(ge=1, le=30)] = 30

    agent_enabled: bool = False
    agent_api_key: Secret | None = None
    agent_model: ModelName = "claude-sonnet-5-5"
    agent_base_url: BaseUrl | None = None
    agent_max_output_tokens: int = Field(default=8192, ge=256, le=128_000)
    agent_history_tokens: int = Field(default=20_000, ge=1000, le=500_000)
    agent_input_price: float = Field(default=2.0, ge=0, le=10_000)
    agent_output_price: float = Field(default=10.0, ge=0, le=10_000)
    agent_small_model: ModelName | None = None
    agent_small_input_price: float = Field(default=1.0, ge=0, le=10_000)
    agent_small_output_price: float = Field(default=5.0, ge=0, le=10_000)
    agent_workspace_daily_cost: float = Field(default=20.0, ge=0, le=1_000_000)
    agent_guild_daily_cost: float = Field(default=10.0, ge=0, le=1_000_000)
    agent_user_daily_tokens: int = Field(default=1_000_000, ge=0, le=10**12)

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if problems := [
            *self._api_problems(),
            *self._token_problems(),
            *self._part_problems(),
            *self._retention_problems(),
        ]:
            raise SettingsError(problems)
        return self

    def _retention_problems(self) -> Iterator[str]:
        if not self.arguments_kept_days <= self.inverses_kept_days <= self.audit_kept_days:
            yield (
                "INVERSES_KEPT_DAYS: set it to at least ARGUMENTS_KEPT_DAYS and at most AUDIT_KEPT_DAYS; what undoes a "
                "call is kept as long as the call's arguments at least, and no longer than its audit."
            )

    def _api_problems(self) -> Iterator[str]:
        url = self.discord_api_base_url
        if url and url.startswith("http://") and not self.allow_insecure_discord_api:
            yield (
                "DISCORD_API_BASE_URL: the bot's token would go unencrypted to another address than Discord's; if "
                "that is the sandbox on this machine, set ALLOW_INSECURE_DISCORD_API=true, else leave it out."
            )

    def _token_problems(self) -> Iterator[str]:
        token = self.discord_bot_token.get_secret_value() if self.discord_bot_token else ""
        if token.lower().startswith(("bot ", "bearer ")):
            yield "DISCORD_BOT_TOKEN: leave out the word before the token."
        elif not token or is_real_token(token) or (self.talks_to_loopback and not re.search(r"\s", token)):
            return
        elif token.startswith(_SANDBOX_TOKEN_PREFIX):
            yield (
                "DISCORD_BOT_TOKEN: this token is the sandbox's; set DISCORD_API_BASE_URL to the sandbox's address, or "
                f"copy a real bot's token from {PORTAL} → Bot."
            )
        else:
            yield (
                "DISCORD_BOT_TOKEN: this has not the shape of a bot token (three parts with dots between); copy it "
                f"from {PORTAL} → Bot → Reset Token. The client secret and the public key are something else."
            )

    def _part_problems(self) -> Iterator[str]:
        if self.discord_client_secret and not self.discord_client_id:
            yield f"DISCORD_CLIENT_ID: missing beside DISCORD_CLIENT_SECRET; copy both from {PORTAL} → OAuth2."
        if self.agent_enabled and not self.agent_api_key:
            yield "AGENT_API_KEY: missing while AGENT_ENABLED=true; set the key, or AGENT_ENABLED=false."
        if self.agent_enabled and not self.enable_gateway:
            yield "AGENT_ENABLED: the agent hears mentions through the gateway; set ENABLE_GATEWAY=true as well."

    @property
    def talks_to_loopback(self) -> bool:
        """Whether Discord is played by a program on this machine."""
        url = self.discord_api_base_url
        return url is not None and is_loopback_host(urlsplit(url).hostname or "")

    @property
    def database(self) -> str:
        """The database's URL: DATABASE_URL, else a SQLite file in DATA_DIR."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite+aiosqlite:///{self.data_dir / 'guildhall.db'}"

    @property
    def address(self) -> str:
        """Where people and clients reach this process: PUBLIC_URL, else this machine's own address."""
        if self.public_url is not None:
            return self.public_url
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def secrets(self) -> list[SecretStr]:
        """Every secret that is set: what must never reach a log."""
        return [value for name in type(self).model_fields if isinstance(value := getattr(self, name), SecretStr)]


def load(
    overrides: Mapping[str, str] | None = None,
    *,
    env_file: Path | None = Path(".env"),
    needs_token: bool = True,
    unset: Iterable[str] = (),
) -> Settings:
    """Settings from ``overrides`` (by variable name), the environment and ``env_file``, in this order of precedence.

    ``unset``: optional variables that count as unset whatever the environment says. ``needs_token``: whether a missing
    DISCORD_BOT_TOKEN is a problem. Raises SettingsError with one line a problem.
    """
    given: dict[str, Any] = {name.lower(): Settings.model_fields[name.lower()].get_default() for name in unset}
    given |= {name.lower(): value for name, value in (overrides or {}).items() if value}
    if unknown := sorted(given.keys() - Settings.model_fields.keys()):
        raise SettingsError(f"{name.upper()}: there is no such setting; .env.example lists all." for name in unknown)
    values: dict[str, Any] = {"_env_file": env_file, **given}
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise SettingsError(_problems(error)) from None
    except UnicodeDecodeError:
        raise SettingsError([f"{env_file}: this file is not UTF-8 text; save it as UTF-8."]) from None
    if needs_token and settings.discord_bot_token is None:
        missing = (
            f"DISCORD_BOT_TOKEN: missing; copy it from {PORTAL} → your application → Bot → Reset Token, and write it "
            "into .env or the environment. `guildhall demo` needs none."
        )
        raise SettingsError([missing])
    return settings


def _problems(error: ValidationError) -> Iterator[str]:
    """Pydantic's own texts name no input; the inputs themselves are left out on purpose."""
    for problem in error.errors(include_url=False, include_input=False):
        cause = problem.get("ctx", {}).get("error")
        if isinstance(cause, SettingsError):
            yield from cause.problems
            continue
        name = str(problem["loc"][0]).upper() if problem["loc"] else "settings"
        yield f"{name}: {str(cause or problem['msg']).rstrip('.')}."
