"""What a command that cannot be done says on its way out."""

from __future__ import annotations


class CommandError(Exception):
    """A command cannot be done; the text is one line that says what to do."""


def problems_of(error: Exception) -> tuple[str, ...] | None:
    """What is told of an error, line by line; None of one that is a mistake of ours."""
    if isinstance(error, CommandError):
        return (str(error),)
    # Here, and not above: most commands end well, and none of them needs all of this.
    from bot.client import ConnectionRefusedByDiscord
    from bot.settings import SettingsError
    from storage.database import DatabaseUnavailable
    from storage.instance import MarkMismatch

    match error:
        case SettingsError():
            return error.problems
        case ConnectionRefusedByDiscord() | MarkMismatch() | ValueError():
            return (str(error),)
        case DatabaseUnavailable():
            return (f"DATABASE_URL: the database does not answer ({error}); start it, or mend the URL.",)
        case OSError():
            return (f"{error.strerror or error}; choose another PORT or address, or mend the file.",)
        case _:
            return None
