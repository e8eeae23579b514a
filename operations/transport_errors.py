"""What the HTTP guard raised, dug out of what the HTTP client made of it."""

from __future__ import annotations

from operations.ledger import OutcomeUnknown, SendRefused


def unwrap(exception: BaseException) -> BaseException:
    """The guard's own error behind ``exception``, or ``exception`` itself.

    aiohttp writes a body in a task of its own: what a hook raises there reaches the caller as ClientConnectionError
    with the original as its cause. Read as it comes, a refusal would look like a lost answer.
    """
    seen: set[int] = set()
    current: BaseException | None = exception
    while current is not None and id(current) not in seen:
        if isinstance(current, SendRefused | OutcomeUnknown):
            return current
        seen.add(id(current))
        current = current.__cause__
    return exception
