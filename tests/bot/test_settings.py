"""Settings are read from environment and .env; what can't be used is named, with what to write, and no secret."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from bot.settings import Settings, SettingsError, load

REAL_TOKEN = ".".join([base64.urlsafe_b64encode(b"123456789012345678").decode().rstrip("="), "GxYzAb", "a" * 38])
EXAMPLE = Path(__file__).resolve().parents[2] / ".env.example"
SANDBOX = {"DISCORD_API_BASE_URL": "http://127.0.0.1:8790/api/v10", "ALLOW_INSECURE_DISCORD_API": "true"}


@pytest.fixture(autouse=True)
def _without_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def _load(**overrides: str) -> Settings:
    return load(overrides, env_file=None, needs_token=False)


def _problem(**overrides: str) -> str:
    with pytest.raises(SettingsError) as caught:
        _load(**overrides)
    assert len(caught.value.problems) == 1
    return str(caught.value)


def test_the_environment_goes_before_the_file_and_overrides_go_before_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text("HOST=10.0.0.1\nPORT=1111\nLOG_LEVEL=ERROR\nPOSTGRES_PASSWORD=for-compose\n")
    monkeypatch.setenv("PORT", "2222")
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    settings = load({"LOG_LEVEL": "WARNING"}, env_file=file, needs_token=False)
    assert (settings.host, settings.port, settings.log_level) == ("10.0.0.1", 2222, "WARNING")


def test_an_empty_value_counts_as_unset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text("DISCORD_CLIENT_ID=\nALLOWED_GUILD_IDS=\nREDIS_URL=\n")
    monkeypatch.setenv("PORT", "")
    settings = load({"PUBLIC_URL": ""}, env_file=file, needs_token=False)
    assert (settings.discord_client_id, settings.allowed_guild_ids, settings.redis_url) == (None, frozenset(), None)
    assert (settings.port, settings.public_url) == (8000, None)


def test_a_real_token_is_accepted_with_spaces_around_it() -> None:
    token = _load(DISCORD_BOT_TOKEN=f" {REAL_TOKEN}\n").discord_bot_token
    assert token is not None
    assert token.get_secret_value() == REAL_TOKEN


def test_a_missing_token_is_said_where_one_is_needed() -> None:
    with pytest.raises(SettingsError, match=r"^DISCORD_BOT_TOKEN: missing; copy it from https://"):
        load(env_file=None)


@pytest.mark.parametrize(
    "token",
    ["hunter2-is-no-token", "a.b.c", f"{REAL_TOKEN}.more", "x" * 24 + ".GxYzAb." + "a" * 38, "with spaces.in it.here"],
)
def test_what_has_not_the_shape_of_a_token_is_refused_without_being_repeated(token: str) -> None:
    problem = _problem(DISCORD_BOT_TOKEN=token)
    assert problem.startswith("DISCORD_BOT_TOKEN: this has not the shape")
    assert token not in problem


def test_a_word_before_the_token_is_named() -> None:
    assert _problem(DISCORD_BOT_TOKEN=f"Bot {REAL_TOKEN}") == "DISCORD_BOT_TOKEN: leave out the word before the token."


def test_a_sandbox_token_is_for_a_sandbox_on_this_machine() -> None:
    assert _load(DISCORD_BOT_TOKEN="sandbox.abc", **SANDBOX).talks_to_loopback
    assert "this token is the sandbox's" in _problem(DISCORD_BOT_TOKEN="sandbox.abc")
    elsewhere = {"DISCORD_API_BASE_URL": "https://proxy.example.org/api/v10"}
    assert "this token is the sandbox's" in _problem(DISCORD_BOT_TOKEN="sandbox.abc", **elsewhere)


@pytest.mark.parametrize(
    "url",
    [
        "http://discord.example.org/api/v10",
        "http://10.0.0.5/api/v10",
        "http://127.0.0.1.example.org/api/v10",
        "http://localhost.example.org/api/v10",
        "ftp://127.0.0.1/api",
        "https://user:hunter2@discord.com/api/v10",
        "discord.com/api/v10",
        "https://discord.com/api/v10?to=elsewhere",
        "http://127.0.0.1:99999/api",
    ],
)
def test_an_address_that_would_give_the_token_away_is_refused(url: str) -> None:
    problem = _problem(DISCORD_BOT_TOKEN=REAL_TOKEN, DISCORD_API_BASE_URL=url, ALLOW_INSECURE_DISCORD_API="true")
    assert problem.startswith("DISCORD_API_BASE_URL: ")
    assert "hunter2" not in problem


def test_plain_http_needs_a_flag_even_on_this_machine() -> None:
    url = SANDBOX["DISCORD_API_BASE_URL"]
    assert "ALLOW_INSECURE_DISCORD_API=true" in _problem(DISCORD_API_BASE_URL=url)
    assert _load(**SANDBOX).discord_api_base_url == url
    assert _load(DISCORD_API_BASE_URL="https://proxy.example.org/api/v10/").discord_api_base_url is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_GUILD_IDS", "123,general"),
        ("ALLOWED_GUILD_IDS", "-5"),
        ("DISCORD_CLIENT_ID", "my-app"),
        ("DATABASE_URL", "mysql://user:hunter2@host/db"),
        ("REDIS_URL", "http://:hunter2@host"),
        ("SECRET_KEYS", "hunter2"),
        ("MCP_TRANSPORT", "websocket"),
        ("PORT", "80000"),
        ("PUBLIC_URL", "http://example.org"),
        ("PUBLIC_URL", "https://example.org/path"),
        ("ALLOWED_HOSTS", "https://example.org"),
        ("ALLOWED_ORIGINS", "example.org"),
        ("MAX_BODY_BYTES", "10"),
        ("METRICS_TOKEN", "hunter2"),
        ("ENABLE_GATEWAY", "perhaps"),
        ("AGENT_BASE_URL", "http://provider.example.org"),
        ("AGENT_MODEL", "a model"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_bad_value_is_named_in_one_line_without_the_value_of_a_secret(name: str, value: str) -> None:
    problem = _problem(**{name: value})
    assert problem.startswith(f"{name}: ")
    assert "hunter2" not in problem
    assert "\n" not in problem


def test_every_problem_has_its_line() -> None:
    with pytest.raises(SettingsError) as caught:
        _load(PORT="0", LOG_LEVEL="LOUD", REDIS_URL="nowhere")
    assert [line.split(":")[0] for line in caught.value.problems] == ["REDIS_URL", "PORT", "LOG_LEVEL"]


def test_parts_that_need_each_other_are_named() -> None:
    assert _problem(DISCORD_CLIENT_SECRET="hunter2-hunter2").startswith("DISCORD_CLIENT_ID: missing")
    assert _problem(AGENT_ENABLED="true", AGENT_API_KEY="k" * 20, ENABLE_GATEWAY="false").startswith("AGENT_ENABLED: ")


def test_a_setting_that_does_not_exist_is_named() -> None:
    assert _problem(DISCORD_TOKEN="x") == "DISCORD_TOKEN: there is no such setting; .env.example lists all."


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"PORT=\xff\xfe")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load(env_file=file, needs_token=False)


def test_lists_are_separated_by_commas() -> None:
    settings = _load(
        ALLOWED_GUILD_IDS="123456789012345678, 223456789012345678",
        ALLOWED_HOSTS="a.example.org,[::1]",
        ALLOWED_ORIGINS="https://a.example.org,http://localhost:3000",
    )
    assert settings.allowed_guild_ids == {123456789012345678, 223456789012345678}
    assert settings.allowed_hosts == {"a.example.org", "[::1]"}
    assert settings.allowed_origins == {"https://a.example.org", "http://localhost:3000"}


def test_addresses_and_database_have_defaults_of_their_own() -> None:
    assert _load().address == "http://127.0.0.1:8000"
    assert _load(HOST="0.0.0.0", PORT="9").address == "http://127.0.0.1:9"  # noqa: S104
    assert _load(HOST="::1").address == "http://[::1]:8000"
    assert _load(PUBLIC_URL="https://guild.example.org/").address == "https://guild.example.org"
    assert _load(DATA_DIR="/srv/data").database == "sqlite+aiosqlite:////srv/data/guildhall.db"
    assert _load(DATABASE_URL="postgresql://u:p@h/db").database == "postgresql://u:p@h/db"


def test_secrets_are_not_in_the_repr_and_are_listed_for_the_log() -> None:
    settings = _load(DISCORD_BOT_TOKEN=REAL_TOKEN, METRICS_TOKEN="m" * 20, DATABASE_URL="postgresql://u:hunter2@h/db")
    assert REAL_TOKEN not in repr(settings)
    assert "hunter2" not in repr(settings)
    assert {secret.get_secret_value() for secret in settings.secrets()} == {
        REAL_TOKEN,
        "m" * 20,
        "postgresql://u:hunter2@h/db",
    }


def _documented() -> dict[str, str]:
    lines = re.findall(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) == len(dict(lines)), "a variable is documented twice"
    return dict(lines)


def test_the_example_file_documents_every_setting_and_nothing_else() -> None:
    assert set(_documented()) == {name.upper() for name in Settings.model_fields}


def test_the_example_file_gives_the_true_defaults() -> None:
    documented = _documented()
    assert _load(**documented) == _load()
    for name, field in Settings.model_fields.items():
        has_default = field.default not in (None, frozenset())
        assert bool(documented[name.upper()]) == has_default, f"{name.upper()}: the default is not shown"


def test_the_example_file_can_be_used_as_it_is() -> None:
    assert load(env_file=EXAMPLE, needs_token=False) == _load()
