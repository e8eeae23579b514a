"""The audit as JSON lines, with each entry's place in the chain, so that it can be verified without the database.

Each workspace begins with a line ``{"audit": 1, "head": {...}, "signature": "…"}``; its chained entries follow, one a
line, oldest first. Whoever holds SECRET_KEYS can verify the file.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable
from dataclasses import asdict
from typing import Any

from storage.audit_chain import CHAINED_COLUMNS, Head, read_head
from storage.audit_verification import MOST_PROBLEMS, Check, Problem, VerifyReport, chained, workspaces
from storage.crypto import Keyring
from storage.session import Session
from storage.tables import AuditEvent

FORMAT = 1
COLUMNS = ("seq", "mac", *CHAINED_COLUMNS)


class NoExport(ValueError):
    """These lines are no export of an audit; the text says which one is not, and why."""


async def lines(session: Session, workspace_id: str | None = None) -> AsyncGenerator[str]:
    """The audit of one workspace, or of all; each line without its end."""
    for name in [workspace_id] if workspace_id is not None else await workspaces(session):
        found = await read_head(session, name)
        if found is None:
            continue
        head, signature = found
        yield _line({"audit": FORMAT, "head": asdict(head), "signature": signature})
        async for row in chained(session, name, head.checkpoint_seq):
            yield _line({column: getattr(row, column) for column in COLUMNS})


def _line(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def verify(exported: Iterable[str], keyring: Keyring) -> VerifyReport:
    """Whether an export is the audit as it was written. Raises NoExport."""
    check: Check | None = None
    checked, count, problems = 0, 0, list[Problem]()

    def end() -> None:
        nonlocal checked
        if check is not None:
            check.end()
            checked += check.checked
            problems.extend(check.problems)

    for number, line in enumerate(exported, start=1):
        try:
            fields: dict[str, Any] = json.loads(line)
            if "audit" in fields:
                if fields["audit"] != FORMAT:
                    raise NoExport(f"Line {number}: written by another version of Guildhall.")
                end()
                head = Head(**fields["head"])
                check, count = Check(keyring, head.workspace_id), count + 1
                check.begin((head, str(fields["signature"])))
            elif check is None:
                raise NoExport(f"Line {number}: an export begins with a head.")
            else:
                check.entry(AuditEvent(**{column: fields[column] for column in COLUMNS}))
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError):
            raise NoExport(f"Line {number}: no line of an exported audit.") from None
    end()
    return VerifyReport(checked, 0, count, tuple(problems[:MOST_PROBLEMS]))
