"""Certificates of a renewal on disk: what is kept, what is removed, and how damaged files are treated."""

import itertools
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from device.identity_store import IdentityStore, fingerprint, load_identity
from device.machine.provisioning_messages import Pending
from device.machine.renewal_events import Certificates, NewHeld
from device.renewal_store import RenewalStore
from lobby.names import Fingerprint
from tests.unit.device.failing_disk import FailingOnce
from tests.unit.device.provisioning_cloud import PROVISIONING, SERIAL, CountedKeys, certificate_for

Result = TypeVar("Result")
FIRST = Fingerprint("f" * 64)
PEM = certificate_for(b"public key 1;")
NEW = fingerprint(PEM)


@pytest.fixture
def store(tmp_path: Path) -> RenewalStore:
    return RenewalStore(tmp_path, SERIAL, FIRST, CountedKeys())


def again(folder: Path, configured: Fingerprint = FIRST) -> Certificates:
    return RenewalStore(folder, SERIAL, configured, CountedKeys()).load()


def test_a_key_is_made_once_and_kept_until_it_has_a_certificate(store: RenewalStore, tmp_path: Path) -> None:
    assert store.load() == Certificates()
    first = store.prepare()
    assert store.prepare() == first
    assert again(tmp_path) == Certificates(has_key=True)
    assert store.store(PEM, 2) == Certificates(None, NewHeld(NEW, 2))
    assert store.prepare().public_key == b"public key 2;"


def test_every_file_is_private(store: RenewalStore, tmp_path: Path) -> None:
    store.prepare()
    store.store(PEM, 2)
    names = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert names == dict.fromkeys(
        ("renewal.json", f"renewed-{NEW[:16]}.cert.pem", f"renewed-{NEW[:16]}.key.pem"), 0o600
    )


def test_both_certificates_are_kept_until_the_new_one_is_proven(store: RenewalStore, tmp_path: Path) -> None:
    store.prepare()
    store.store(PEM, 2)
    assert store.promote() == Certificates(NEW)
    store.prepare()
    second = certificate_for(b"public key 2;")
    held = store.store(second, 5)
    assert held == again(tmp_path) == Certificates(NEW, NewHeld(fingerprint(second), 5))
    assert store.files(NEW).key.exists()
    assert store.promote() == again(tmp_path) == Certificates(fingerprint(second))
    assert not store.files(NEW).key.exists()
    assert not store.files(NEW).cert.exists()


def test_a_lost_new_certificate_is_replaced_and_its_files_removed(store: RenewalStore) -> None:
    store.prepare()
    store.store(PEM, 2)
    assert store.give_up() == Certificates(None, NewHeld(NEW, 2, given_up=True))
    store.prepare()
    second = certificate_for(b"public key 2;")
    assert store.store(second, 3) == Certificates(None, NewHeld(fingerprint(second), 3))
    assert not store.files(NEW).key.exists()


def test_a_certificate_without_its_key_is_not_stored(store: RenewalStore) -> None:
    with pytest.raises(OSError, match="without its key"):
        store.store(PEM, 2)
    store.prepare()
    with pytest.raises(OSError, match="without its key"):
        store.store(certificate_for(b"public key 9;"), 2)
    assert store.load() == Certificates(has_key=True)


def test_each_action_can_be_repeated_after_any_failed_call(tmp_path: Path) -> None:
    """Also if the failed call is the flush of the folder after the last rename: the action has had its effect."""
    failures = 0
    for number in itertools.count():
        folder, failing = tmp_path / str(number), FailingOnce(number)
        store = RenewalStore(folder, SERIAL, FIRST, CountedKeys(), calls=failing.calls)
        public_key = _repeated(store.prepare).public_key
        pem = certificate_for(public_key)
        assert _repeated(lambda: store.store(pem, 2)).new == NewHeld(fingerprint(pem), 2)  # noqa: B023
        assert again(folder) == Certificates(None, NewHeld(fingerprint(pem), 2))
        _repeated(store.promote)
        assert again(folder) == Certificates(fingerprint(pem))
        if failing.left >= 0:
            break
        failures += 1
    assert failures > 40


def _repeated(action: Callable[[], Result]) -> Result:
    """Carry out an action, and repeat it as the device does if it fails."""
    try:
        return action()
    except OSError:
        return action()


@pytest.mark.parametrize("kind", ["cert", "key"])
@pytest.mark.parametrize(
    "damage",
    [Path.unlink, lambda path: path.write_bytes(b""), lambda path: path.write_bytes(b"\xff" * 40)],
    ids=["missing", "empty", "no text"],
)
def test_a_damaged_certificate_counts_as_missing(
    store: RenewalStore, kind: str, damage: Callable[[Path], object]
) -> None:
    store.prepare()
    store.store(PEM, 2)
    damage(getattr(store.files(NEW), kind))
    assert store.load() == Certificates()


@pytest.mark.parametrize("content", [b"", b"null", b"{}", b"\xff"])
def test_a_damaged_state_counts_as_none_and_the_device_can_renew(
    store: RenewalStore, tmp_path: Path, content: bytes
) -> None:
    store.prepare()
    (tmp_path / "renewal.json").write_bytes(content)
    assert store.load() == Certificates()
    store.prepare()
    assert store.store(certificate_for(b"public key 2;"), 2).new is not None


def test_what_is_stored_for_another_certificate_of_the_settings_is_not_used(
    store: RenewalStore, tmp_path: Path
) -> None:
    store.prepare()
    store.store(PEM, 2)
    assert again(tmp_path, Fingerprint("e" * 64)) == Certificates()


def test_a_provisioned_device_keeps_its_identity_without_the_key_that_it_has_renewed(tmp_path: Path) -> None:
    keys = CountedKeys()
    identities = IdentityStore(tmp_path, PROVISIONING, keys)
    identities.prepare()
    identities.store(SERIAL, Pending(PEM, "token 1"))
    renewals = RenewalStore(tmp_path, SERIAL, NEW, keys, tmp_path / "device.key.pem")
    renewals.prepare()
    renewals.store(certificate_for(b"public key 2;"), 2)
    assert (tmp_path / "device.key.pem").exists()
    renewals.promote()
    assert not (tmp_path / "device.key.pem").exists()
    identity = load_identity(tmp_path)
    assert identity is not None
    assert identity.certid == NEW, "the label shows the first certificate"
