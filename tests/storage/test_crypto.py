from __future__ import annotations

import stat
from pathlib import Path

import pytest

from storage.crypto import Keyring, Unreadable

OLD = "an old key that is long enough to be used"
NEW = "a new key that is long enough to be used!"


def test_a_key_that_is_too_short_is_refused_with_how_to_make_one() -> None:
    with pytest.raises(ValueError, match=r"at least 32.*token_urlsafe"):
        Keyring(["short"])


def test_no_key_is_refused() -> None:
    with pytest.raises(ValueError, match="holds no key"):
        Keyring([])


def test_a_key_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        Keyring([OLD, OLD])


def test_a_mac_is_lower_case_hex_of_the_asked_length() -> None:
    mac = Keyring([OLD]).mac("tags", "text", length=20)
    assert len(mac) == 20
    assert set(mac) <= set("0123456789abcdef")


def test_purposes_have_keys_of_their_own() -> None:
    keyring = Keyring([OLD])
    assert keyring.mac("a", "text") != keyring.mac("b", "text")
    assert not keyring.verify("b", "text", keyring.mac("a", "text"))


def test_after_a_rotation_old_macs_verify_and_old_texts_open() -> None:
    old, rotated = Keyring([OLD]), Keyring([NEW, OLD])
    assert rotated.verify("p", "text", old.mac("p", "text"))
    assert rotated.open(old.seal("secret ☂")) == "secret ☂"
    assert rotated.mac("p", "text") != old.mac("p", "text")
    assert old.mac("p", "text") in rotated.macs("p", "text")


def test_without_its_key_a_sealed_text_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        Keyring([NEW]).open(Keyring([OLD]).seal("secret"))


@pytest.mark.parametrize("wrong", ["", "abc", "x" * 32, "☂" * 32, "0" * 65])
def test_a_wrong_mac_does_not_verify(wrong: str) -> None:
    assert not Keyring([OLD]).verify("p", "text", wrong)


def test_a_truncated_mac_of_few_digits_does_not_verify() -> None:
    keyring = Keyring([OLD])
    assert not keyring.verify("p", "text", keyring.mac("p", "text")[:8])


def test_the_repr_holds_no_key() -> None:
    assert OLD not in repr(Keyring([OLD]))


def test_the_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys"
    first = Keyring.load(None, path)
    second = Keyring.load("  ", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert first.mac("p", "text") == second.mac("p", "text")
    assert [entry.name for entry in path.parent.iterdir()] == ["keys"]


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    Keyring.load(None, path)
    path.chmod(0o640)
    with pytest.raises(ValueError, match="chmod 600"):
        Keyring.load(None, path)


def test_given_keys_come_before_the_file(tmp_path: Path) -> None:
    keyring = Keyring.load(f"{NEW}, {OLD}", tmp_path / "keys")
    assert keyring.macs("p", "text") == Keyring([NEW, OLD]).macs("p", "text")
    assert not (tmp_path / "keys").exists()
