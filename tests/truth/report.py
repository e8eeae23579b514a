"""The figures of a sweep as a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.openapi import MISSING, description
from tests.sandbox_process import REPOSITORY
from tests.truth.findings import Finding
from tests.truth.scope import LEFT_OUT, SWEPT
from tests.truth.sweep import State

PAGE = REPOSITORY / "docs" / "truth.md"
MAX_UNKNOWN = 0.02
MAX_KEPT = 50


@dataclass(slots=True)
class Row:
    """What was found of one operation."""

    says: Counter[str] = field(default_factory=Counter[str])
    kinds: Counter[str] = field(default_factory=Counter[str])
    executed: int = 0
    unknown: Counter[str] = field(default_factory=Counter[str])
    explained: Counter[str] = field(default_factory=Counter[str])

    @property
    def states(self) -> int:
        return sum(self.says.values())

    def add(self, finding: Finding) -> None:
        self.says[finding.says] += 1
        self.kinds[finding.kind] += 1
        self.executed += finding.executed
        if finding.says == "unknown":
            self.unknown[_shape(finding.reason)] += 1
        if finding.kind in ("explained no", "explained beyond", "explained excess"):
            self.explained[finding.discord] += 1


def _shape(reason: str) -> str:
    """A reason without what differs from state to state."""
    return " ".join("…" if any(letter.isdigit() for letter in word) else word for word in reason.split())[:160]


@dataclass(slots=True)
class Report:
    """``wrong``: states, and what was found, as text."""

    seed: int
    rows: dict[str, Row] = field(default_factory=dict[str, Row])
    wrong: list[str] = field(default_factory=list[str])

    def add(self, state: State, finding: Finding) -> None:
        self.rows.setdefault(finding.operation, Row()).add(finding)
        if finding.is_wrong and len(self.wrong) < MAX_KEPT:
            self.wrong.append(told(state, finding))

    @property
    def states(self) -> int:
        return sum(row.states for row in self.rows.values())

    @property
    def writes(self) -> int:
        """The effects that were executed for a requester, each measured by the oracle of rights."""
        return sum(row.executed for row in self.rows.values())

    @property
    def unknown_share(self) -> float:
        return sum(row.says["unknown"] for row in self.rows.values()) / max(self.states, 1)

    def count(self, kind: str) -> int:
        return sum(row.kinds[kind] for row in self.rows.values())

    @property
    def failures(self) -> list[str]:
        found = list(self.wrong)
        if self.unknown_share > MAX_UNKNOWN:
            found.append(f"{self.unknown_share:.1%} of the states are unknown; at most {MAX_UNKNOWN:.0%} may be")
        return found


def told(state: State, finding: Finding) -> str:
    lines = [
        f"{finding.kind}: {state}",
        f"  Guildhall says {finding.says}: {state.readable(finding.reason) or 'no problem'}",
        f"  Discord says: {state.readable(finding.discord) or 'taken'}",
        f"  again: python -m tests.truth --state {state.name}",
    ]
    return "\n".join(lines)


COLUMNS: Mapping[str, str] = {
    "false yes": "Guildhall says yes, and Discord refuses, or the tables do, or nothing would be written there",
    "excess": "policy lets a person do what Discord would refuse him by hand, or what Guildhall's pages do not let him",
    "beyond": "somebody ends with more than the requester holds, or a row of another guild or person is written",
    "undescribed": "a request that Discord's OpenAPI description does not know",
    "unexplained no": "Guildhall says no, and Discord would take it from the bot and from the person",
    "gap": "the simulated Discord lacks the route or a field",
}


def page(report: Report) -> str:
    lines = [
        "# Truth of previews",
        "",
        "Written by `make truth`. Random guilds, requesters, targets and arguments; the product judges each call, then",
        "its effect is executed on the simulated Discord, as the bot and as the requester, and put back. What is",
        "Guildhall's own is carried out in its tables, in a transaction that is taken back; whether the requester may",
        "is judged by an oracle that knows the pages alone. What an effect leaves in the tables is looked at, too.",
        "",
        f"Seed {report.seed}: {report.states:,} states. {report.writes:,} writes were executed and measured",
        "by an independent oracle. A state is made again with `python -m tests.truth --state SEED:GUILD:STATE`.",
        "",
        "| operation | states | yes | no | unknown | executed | "
        + " | ".join(COLUMNS)
        + " | no, confirmed | no, explained | no, not addressable |",
        "| --- |" + " ---: |" * (8 + len(COLUMNS)),
    ]
    total = Row()
    for name in sorted({each.name for each in SWEPT} | report.rows.keys()):
        row = report.rows.get(name, Row())
        lines.append(_line(f"`{name}`", row))
        total.says += row.says
        total.kinds += row.kinds
        total.executed += row.executed
    lines += [_line("all", total), ""]
    lines += [f"- **{name}**: {meaning}. Must be 0." for name, meaning in COLUMNS.items()]
    lines += [
        "- **no, confirmed**: Discord refuses it as well, the bot or the requester; or the tables or the pages do.",
        "- **no, not addressable**: the bot sees no such object, so there is nothing to send.",
        "",
        f"Unknown: {report.unknown_share:.2%} of the states (at most {MAX_UNKNOWN:.0%}).",
        "",
        "Not judged, since it has no preview of its own:",
        "",
        *(f"- `{name}`: {why}." for name, why in sorted(LEFT_OUT.items())),
        "",
        *_causes("Why it is unknown", {name: row.unknown for name, row in report.rows.items()}),
        *_causes("Explained", {name: row.explained for name, row in report.rows.items()}),
        "## Requests against Discord's OpenAPI description",
        "",
    ]
    known = description()
    if known is None:
        lines.append(MISSING.replace(str(REPOSITORY.parent), ".."))
    else:
        lines.append("Every request of an executed write is validated. Known disagreements that were met:")
        lines.append("")
        lines += [f"- {each.name}: {each.reason}" for each in sorted(known.seen, key=lambda each: each.name)]
    if report.failures:
        lines += ["", "## What is wrong", "", "```", *report.failures, "```"]
    return "\n".join(lines) + "\n"


def _line(name: str, row: Row) -> str:
    cells = [name, row.states, row.says["yes"], row.says["no"], row.says["unknown"], row.executed]
    cells += [row.kinds[kind] for kind in COLUMNS]
    cells += [row.kinds[kind] for kind in ("confirmed no", "explained no", "not addressable")]
    return "| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else cell for cell in cells) + " |"


def _causes(title: str, causes: Mapping[str, Counter[str]]) -> list[str]:
    lines = [f"## {title}", "", "| operation | times | why |", "| --- | ---: | --- |"]
    for name, counter in sorted(causes.items()):
        lines += [f"| `{name}` | {count:,} | {why} |" for why, count in counter.most_common()]
    return [*lines, ""]


def write(report: Report, path: Path = PAGE) -> None:
    path.write_text(page(report), encoding="utf-8")
