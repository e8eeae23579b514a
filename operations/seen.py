"""What one has to see to know what an outcome tells: for whoever repeats it to others (see operations.audience)."""

from __future__ import annotations

import re
from typing import Any, cast

from operations.base import Outcome, ReadOperation
from operations.decider import Prepared
from operations.guild_state import GuildView
from operations.outcomes import encode
from policy.model import Target
from policy.taint import Source

_ID = re.compile(rb"(?<!\d)\d{15,20}(?!\d)")
_IN_CHANNELS = frozenset({"channel", "category", "thread"})


def places_of(prepared: Prepared, outcome: Outcome) -> frozenset[Source]:
    """Where the text in it comes from, the channels that were touched, and every channel that its result names.

    Only what the requester sees himself: of all else the outcome says nothing, and neither may this.
    """
    view, operation = prepared.ctx.view, prepared.operation
    if view is None:
        return _other_guilds(prepared, outcome)
    found = {channel_id for need in prepared.requirement.needs if (channel_id := _home(need.target)) is not None}
    places: set[Source] = set()
    if outcome.refusal is None:
        if isinstance(operation, ReadOperation):
            reading = cast("ReadOperation[Any, Any]", operation)
            places.update(reading.sources(prepared.ctx, prepared.arguments))
        found.update(_named(outcome))
    places.update(Source(view.id, channel_id) for channel_id in found if _is_seen(view, channel_id))
    return frozenset(places)


def _other_guilds(prepared: Prepared, outcome: Outcome) -> frozenset[Source]:
    """That somebody is in another guild is nothing for the members of this one."""
    source, own = prepared.ctx.services.state.source, prepared.ctx.caller.guild_ids or frozenset()
    named = _named(outcome)
    return frozenset(Source(each) for each in named if each not in own and source.cached(each) is not None)


def _named(outcome: Outcome) -> set[int]:
    return set() if outcome.data is None else {int(text) for text in _ID.findall(encode(outcome.data))}


def _home(target: Target) -> int | None:
    if target.channel_id is not None:
        return target.channel_id
    return target.id if target.kind in _IN_CHANNELS else None


def _is_seen(view: GuildView, channel_id: int) -> bool:
    channel = view.channel(channel_id)
    return channel is not None and view.sees(channel)
