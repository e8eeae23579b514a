from __future__ import annotations

import pytest

from storage.engines import parse_url


@pytest.mark.parametrize(
    ("text", "driver"),
    [
        ("sqlite:///data/guildhall.db", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:////var/lib/guildhall.db", "sqlite+aiosqlite"),
        ("postgres://ada@host/name", "postgresql+asyncpg"),
        ("postgresql://ada:secret@host:5432/name", "postgresql+asyncpg"),
        ("postgresql+asyncpg://host/name", "postgresql+asyncpg"),
    ],
)
def test_these_urls_are_understood(text: str, driver: str) -> None:
    assert parse_url(text).drivername == driver


@pytest.mark.parametrize(
    "text",
    [
        "",
        "guildhall.db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///a.db?mode=ro&secret=hunter2",
        "postgresql://ada:hunter2@host",
        "postgresql://ada:hunter2@host:port/name",
        "mysql://ada:hunter2@host/name",
        "postgresql+psycopg2://ada:hunter2@host/name",
    ],
)
def test_other_urls_are_refused_in_one_line_without_the_password(text: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL") as raised:
        parse_url(text)
    assert "hunter2" not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "postgresql://user:password@host" in str(raised.value)
