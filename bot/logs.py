"""Logging: structlog and the standard library's loggers through one road, to standard error, without secrets."""

from __future__ import annotations

import logging
import sys
import threading
from types import TracebackType
from typing import Literal, TextIO

import structlog
from structlog.dev import plain_traceback
from structlog.typing import Processor

from bot.log_secrets import SecretRegistry
from bot.settings import Settings

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Format = Literal["console", "json"]

# Below these levels the libraries write whole payloads: messages of people, tokens of interactions, SQL parameters.
_QUIETEST_USEFUL = {
    "aiohttp": logging.INFO,
    "alembic": logging.WARNING,
    "aiosqlite": logging.INFO,
    "anthropic": logging.INFO,
    "asyncio": logging.INFO,
    "discord": logging.INFO,
    "mcp": logging.INFO,
    "sqlalchemy": logging.WARNING,
}


def configure_from(settings: Settings) -> SecretRegistry:
    """Logs to standard error as the settings say, without any of their secrets."""
    secrets = SecretRegistry(settings.secrets())
    configure(settings.log_level, settings.log_format, secrets)
    return secrets


def configure(level: Level, log_format: Format, secrets: SecretRegistry, *, stream: TextIO | None = None) -> None:
    """Set up logging for the process; a second call replaces the first.

    ``secrets`` is asked at every line, so that what is added to it later is hidden as well. Uncaught exceptions are
    logged too: Python would print their text, and whatever secret stands in it, as it is. Standard output stays free.
    """
    target = stream or sys.stderr
    handler = logging.StreamHandler(target)
    handler.setFormatter(_formatter(log_format, secrets, colours=target.isatty()))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name, least in _QUIETEST_USEFUL.items():
        logging.getLogger(name).setLevel(max(least, root.level))
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_added_to_every_line(),
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread
    sys.unraisablehook = _log_unraisable


def _added_to_every_line() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _formatter(log_format: Format, secrets: SecretRegistry, *, colours: bool) -> logging.Formatter:
    renderer: Processor
    if log_format == "json":
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        # Exceptions are text by then; the pretty ones would show local variables.
        renderer = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain_traceback)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_added_to_every_line(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            secrets.processor,
            renderer,
        ],
    )


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("guildhall").critical("uncaught exception", exc_info=(kind, error, traceback))


def _log_uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None and not issubclass(arguments.exc_type, SystemExit):
        _log_uncaught(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)


def _log_unraisable(arguments: sys.UnraisableHookArgs) -> None:
    logging.getLogger("guildhall").error(
        "%s",
        arguments.err_msg or "exception ignored",
        exc_info=(arguments.exc_type, arguments.exc_value or arguments.exc_type(), arguments.exc_traceback),
    )
