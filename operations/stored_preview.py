"""A preview as a call's row keeps it, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from operations.base import Change, Preview
from policy.model import Requirement, Target
from policy.taint import Source


@dataclass(frozen=True, slots=True)
class StoredPreview:
    """``targets``: what the effect touches, the guild itself aside where there is anything else."""

    summary: str
    changes: tuple[Change, ...] = ()
    unknowns: tuple[str, ...] = ()
    reversible: bool = False
    targets: tuple[Target, ...] = ()


def dump(preview: Preview[Any], requirement: Requirement) -> str:
    """As JSON."""
    touched = {(need.target.kind, need.target.id): need.target for need in requirement.needs}
    beside_guild = [target for target in touched.values() if target.kind != "guild"]
    return orjson.dumps(
        {
            "summary": preview.summary,
            "changes": [change.model_dump(mode="json") for change in preview.changes],
            "unknowns": list(preview.unknowns),
            "reversible": preview.reversible,
            "targets": [
                [target.kind, target.id, target.guild_id, target.name, target.channel_id]
                for target in beside_guild or list(touched.values())
            ],
        }
    ).decode()


def load(text: str) -> StoredPreview:
    """An erased one is empty."""
    if not text:
        return StoredPreview("")
    found: dict[str, Any] = orjson.loads(text)
    return StoredPreview(
        found["summary"],
        tuple(Change.model_validate(change) for change in found["changes"]),
        tuple(found["unknowns"]),
        found["reversible"],
        tuple(Target(*target) for target in found["targets"]),
    )


def dump_sources(sources: frozenset[Source]) -> str:
    return orjson.dumps(sorted([source.guild_id, source.channel_id or 0, source.gate] for source in sources)).decode()


def load_sources(text: str) -> frozenset[Source]:
    return frozenset(
        Source(guild_id, channel_id or None, gate) for guild_id, channel_id, gate in orjson.loads(text or "[]")
    )
