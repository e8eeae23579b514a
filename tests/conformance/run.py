"""Run the official MCP conformance suite against the fixture server: ``python -m tests.conformance.run``.

The suite comes from npm, into ``.cache``, and so does a Node.js where the system's is too old. Arguments narrow the
report to scenarios whose name holds one of them. Exits with 1 when a scenario fails, when one was not exercised, or
when one that is listed in `NOT_EXERCISED` or `EXPECTED_FAILURES` passes after all.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import npm

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "suite-0.1": "npm:@modelcontextprotocol/conformance@0.1.16",
    "suite-0.2": "npm:@modelcontextprotocol/conformance@0.2.0-alpha.12",
}
OLDEST_NODE = (22, 0)
LEG_SECONDS = 300

EXPECTED_FAILURES: Mapping[str, str] = {}
"""Scenario to reason, for what fails knowingly."""

NOT_EXERCISED: Mapping[str, str] = {
    "server-sse-polling": "replays a broken stream from an event store; Guildhall keeps none, clients fetch anew",
}
"""Scenario to reason, for what ends without a passed or failed check."""


@dataclass(frozen=True)
class Leg:
    """One run of one release of the suite at one protocol version."""

    package: str
    version: str

    @property
    def name(self) -> str:
        return f"{PACKAGES[self.package].rpartition('@')[2]} at {self.version}"


LEGS = (Leg("suite-0.1", "2025-11-25"), Leg("suite-0.2", "2025-11-25"), Leg("suite-0.2", "2026-07-28"))


@dataclass(frozen=True)
class Result:
    """What became of one scenario."""

    scenario: str
    passed: int
    failures: tuple[str, ...]

    @property
    def problem(self) -> str | None:
        """Why this result fails the run, or None."""
        known = EXPECTED_FAILURES.get(self.scenario) or NOT_EXERCISED.get(self.scenario)
        if self.failures:
            return None if self.scenario in EXPECTED_FAILURES else "; ".join(self.failures)
        if self.passed:
            return f"passes, but is listed as known ({known}): remove it from the list" if known else None
        return None if self.scenario in NOT_EXERCISED else "ended without a passed or failed check"


def install() -> tuple[Path, Path]:
    """The Node.js to run the suite with, and the folder that it is installed in."""
    try:
        return npm.node(OLDEST_NODE), npm.install(
            "conformance", json.dumps({"private": True, "dependencies": PACKAGES})
        )
    except npm.Unavailable as error:
        sys.exit(f"The conformance suite can't be run. {error}")


@contextmanager
def fixture_url() -> Generator[str]:
    """Run the fixture server and give its URL."""
    command = [sys.executable, "-m", "tests.conformance.fixture_server"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            sys.exit("The fixture server did not start; its own message stands above.")
        try:
            yield url
        finally:
            process.stdin.close()
            process.wait(timeout=10)


def run_leg(node: Path, suites: Path, leg: Leg, only: Sequence[str]) -> list[Result]:
    """Run one leg against a fixture server of its own."""
    suite = suites / "node_modules" / leg.package / "dist" / "index.js"
    with tempfile.TemporaryDirectory() as output, fixture_url() as url:
        base = [node, suite, "server", "--url", url, "--spec-version", leg.version, "-o", output]
        printed = subprocess.run(
            [*base, "--suite", "all"],
            capture_output=True,
            text=True,
            check=False,
            timeout=LEG_SECONDS,
            cwd=output,
            env={**os.environ, "NO_COLOR": "1"},
        ).stdout
        started = re.findall(r"=== Running scenario: (\S+) ===", printed)
        if not started:
            sys.exit(f"The suite ran nothing:\n{printed}")
        return [read_result(Path(output), scenario) for scenario in started if matches(scenario, only)]


def matches(scenario: str, only: Sequence[str]) -> bool:
    return not only or any(part in scenario for part in only)


def read_result(output: Path, scenario: str) -> Result:
    """Read the checks that the suite wrote for `scenario`; a warning counts as a failure."""
    passed = 0
    failures: list[str] = []
    # The folder is named with a timestamp behind, and one scenario's name may begin another's.
    for folder in output.glob(f"server-{scenario}-2*"):
        for check in json.loads((folder / "checks.json").read_text()):
            match check["status"]:
                case "SUCCESS":
                    passed += 1
                case "FAILURE" | "WARNING":
                    failures.append(f"{check['id']}: {check.get('errorMessage', check['status'])}")
                case _:
                    pass
    return Result(scenario, passed, tuple(failures))


def summary(results: Mapping[Leg, list[Result]]) -> list[str]:
    """Give the table: a line for each leg, then each problem."""
    lines = [f"{'suite and protocol version':34}{'scenarios':>10}{'checks passed':>15}{'known':>7}{'problems':>10}"]
    problems: list[str] = []
    for leg, outcomes in results.items():
        wrong = [outcome for outcome in outcomes if outcome.problem]
        known = [outcome for outcome in outcomes if not outcome.problem and (outcome.failures or not outcome.passed)]
        checks = sum(outcome.passed for outcome in outcomes)
        lines.append(f"{leg.name:34}{len(outcomes):>10}{checks:>15}{len(known):>7}{len(wrong):>10}")
        problems.extend(f"{leg.name}: {outcome.scenario}: {outcome.problem}" for outcome in wrong)
        lines.extend(
            f"  known: {outcome.scenario}: {EXPECTED_FAILURES.get(outcome.scenario) or NOT_EXERCISED[outcome.scenario]}"
            for outcome in known
        )
    return [*lines, *problems]


def main(only: Sequence[str]) -> int:
    node, suites = install()
    results = {leg: run_leg(node, suites, leg, only) for leg in LEGS}
    print("\n".join(summary(results)))
    return int(any(outcome.problem for outcomes in results.values() for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
