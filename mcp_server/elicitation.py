"""What is asked of a client's person before a plan runs, and whether the client can ask it.

An answer proves the client only, for any program can answer: whoever needs a person is offered a link, never a form.
https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation
"""

from __future__ import annotations

import mcp.types as t

from operations.base import Outcome
from operations.outcomes import preview_lines

NOTHING_TO_FILL_IN: t.ElicitRequestedSchema = {"type": "object", "properties": {}}
"""Accepting is the whole answer; a field to fill in could contradict it."""


def takes_forms(capabilities: t.ClientCapabilities | None) -> bool:
    """Whether the client declared form mode; an empty declaration, as of 2025-06-18, means it as well."""
    declared = None if capabilities is None else capabilities.elicitation
    return declared is not None and (declared.form is not None or declared.url is None)


def takes_urls(capabilities: t.ClientCapabilities | None) -> bool:
    """Whether the client declared URL mode."""
    declared = None if capabilities is None else capabilities.elicitation
    return declared is not None and declared.url is not None


def form(outcome: Outcome) -> t.ElicitRequest:
    """Asks whether a stored plan is to be done; the preview stands in the message, in words."""
    asked = [f"Shall Guildhall do this? It is {outcome.tier.label}.", *preview_lines(outcome)]
    return t.ElicitRequest(
        params=t.ElicitRequestFormParams(message="\n".join(asked), requested_schema=NOTHING_TO_FILL_IN)
    )


def link(outcome: Outcome, plan_id: str, url: str, *, named: bool) -> t.ElicitRequest:
    """Offers the card where a person confirms. ``named``: with an id, which only 2025-11-25 asks for."""
    asked = ["A person has to confirm this in Discord. The link opens its card.", *preview_lines(outcome)]
    params = t.ElicitRequestURLParams(message="\n".join(asked), url=url, elicitation_id=plan_id if named else None)
    return t.ElicitRequest(params=params)
