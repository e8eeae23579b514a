"""The session that stores take: one unit of work, or one read."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from storage.crypto import Keyring

Session = AsyncSession
KEYRING = "keyring"


def keyring_of(session: Session) -> Keyring:
    """What seals and opens the texts of this session's database."""
    keyring = session.info.get(KEYRING)
    if not isinstance(keyring, Keyring):
        raise LookupError("the session was opened by no storage.database.Database")
    return keyring
