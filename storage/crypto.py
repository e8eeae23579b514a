"""The secrets of the instance: signing and sealing, with rotation."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

LEAST_CHARACTERS = 32
LONGEST_MAC = 64
HOW_TO_MAKE_ONE = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"


class Unreadable(Exception):
    """A sealed text that none of the keys opens: altered, or sealed with a key that SECRET_KEYS no longer holds."""


class Keyring:
    """Secrets of the instance. The first key signs and seals; all of them verify and open, so that keys can be rotated.

    Every purpose has keys of its own, derived with HKDF-SHA256 (RFC 5869).
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises ValueError for no key, one shorter than 32 characters, or one given twice."""
        if not keys:
            raise ValueError(f"SECRET_KEYS holds no key. {HOW_TO_MAKE_ONE}")
        for place, key in enumerate(keys, start=1):
            if len(key) < LEAST_CHARACTERS:
                raise ValueError(
                    f"Key {place} of SECRET_KEYS has {len(key)} characters; it needs at least {LEAST_CHARACTERS}. "
                    f"{HOW_TO_MAKE_ONE}"
                )
        if len(set(keys)) != len(keys):
            raise ValueError("SECRET_KEYS holds the same key twice. Leave one of them out.")
        self._roots = tuple(key.encode() for key in keys)
        self._derived: dict[str, tuple[bytes, ...]] = {}
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in self._keys("seal")])

    @classmethod
    def load(cls, secret_keys: str | None, path: Path) -> Keyring:
        """Keys from the comma-separated ``secret_keys``; without any, from the file, which is made (0600) on first use.

        Raises ValueError for unusable keys or a file that others may read, OSError when the file can't be read or made.
        """
        if secret_keys and secret_keys.strip():
            return cls(_split(secret_keys))
        with contextlib.suppress(FileExistsError):
            _create(path)
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ValueError(f"Others can read the key file {path}. Run: chmod 600 '{path}'")
        return cls(_split(path.read_text(encoding="utf-8")))

    def __repr__(self) -> str:
        return f"Keyring({len(self._roots)} keys)"

    def mac(self, purpose: str, data: bytes | str, *, length: int = 32) -> str:
        """HMAC-SHA256 under the first key: ``length`` (at most 64) lower-case hex digits."""
        return self._mac(self._keys(purpose)[0], data, length)

    def macs(self, purpose: str, data: bytes | str, *, length: int = 32) -> tuple[str, ...]:
        """The MAC under each key, the first key's first."""
        return tuple(self._mac(key, data, length) for key in self._keys(purpose))

    def verify(self, purpose: str, data: bytes | str, mac: str) -> bool:
        """Whether any key made this MAC (of at least 16 digits). Takes the same time for all MACs of one length."""
        if not 16 <= len(mac) <= LONGEST_MAC or not mac.isascii():
            return False
        matches = [hmac.compare_digest(known, mac) for known in self.macs(purpose, data, length=len(mac))]
        return any(matches)

    def seal(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Raises Unreadable."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise Unreadable(
                "A stored text can't be opened: it was altered, or SECRET_KEYS no longer holds its key."
            ) from None

    def _keys(self, purpose: str) -> tuple[bytes, ...]:
        keys = self._derived.get(purpose)
        if keys is None:
            info = f"guildhall:{purpose}".encode()
            keys = tuple(HKDF(SHA256(), 32, salt=None, info=info).derive(root) for root in self._roots)
            self._derived[purpose] = keys
        return keys

    @staticmethod
    def _mac(key: bytes, data: bytes | str, length: int) -> str:
        if not 1 <= length <= LONGEST_MAC:
            raise ValueError(f"A MAC has 1 to {LONGEST_MAC} digits, not {length}.")
        message = data.encode() if isinstance(data, str) else data
        return hmac.digest(key, message, hashlib.sha256).hex()[:length]


def _split(text: str) -> list[str]:
    return [key for part in text.splitlines() for key in (piece.strip() for piece in part.split(",")) if key]


def _create(path: Path) -> None:
    """A new key file, complete from its first moment. Raises FileExistsError when there is one."""
    if path.exists():
        raise FileExistsError(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link fails where the name is taken: of two processes that start at once, both use the same keys.
        os.link(draft, path)
    finally:
        draft.unlink()
