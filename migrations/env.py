"""What Alembic runs: inside the connection that migrations.runner hands over, or from its own command line."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection

from migrations.runner import engine_for
from storage.tables import metadata


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_server_default=True,
        # SQLite can't alter a column: Alembic copies the table instead.
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_from_command_line() -> None:
    url = context.get_x_argument(as_dictionary=True).get("url")
    if not url:
        raise ValueError("Name the database: alembic -x url=sqlite:///path/to/file.db …")
    engine = engine_for(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()


given: Connection | None = context.config.attributes.get("connection")
if given is None:
    asyncio.run(run_from_command_line())
else:
    run(given)
