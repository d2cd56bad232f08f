"""Keys and identities on disk: both kinds of libraries have the same behaviour, and a damaged file is never read as an
identity."""

import base64
import itertools
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from device.errors import BadCredentials
from device.identity_store import IdentityStore, Keys, load_identity
from device.machine.provisioning_messages import Pending
from device.native import NativeKeys
from device.portable.certificates import read_validity
from device.portable.keys import PortableKeys
from lobby.names import ThingName
from tests.functional.device.tls_certificates import issue
from tests.unit.device.provisioning_cloud import PROVISIONING, SERIAL, CountedKeys, certificate_for

both = pytest.mark.parametrize("keys", [NativeKeys(), PortableKeys()], ids=["native", "portable"])
PENDING = Pending(certificate_for(b"public key 1;"), "token 1")
Damage = Callable[[Path], object]


@both
@pytest.mark.parametrize(("length", "common_names"), [(1, 1), (64, 1), (65, 0), (128, 0)])
def test_a_request_is_signed_by_its_key_and_has_the_name_if_it_fits(keys: Keys, length: int, common_names: int) -> None:
    key = keys.create()
    request = x509.load_pem_x509_csr(keys.request(key, ThingName("n" * length)).encode())
    assert request.is_signature_valid
    assert [each.value for each in request.subject] == ["n" * length] * common_names
    public = request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert public == keys.public_key(key)
    assert load_pem_private_key(key, None).public_key() == request.public_key()


def test_either_library_reads_the_keys_of_the_other() -> None:
    for one, other in ((NativeKeys(), PortableKeys()), (PortableKeys(), NativeKeys())):
        key = one.create()
        assert one.public_key(key) == other.public_key(key)


@both
def test_a_file_that_is_no_key_on_p256_is_rejected(keys: Keys) -> None:
    whole = keys.create()
    for content in (b"", b"\xff", b"\0" * 200, whole[: len(whole) // 2], whole.replace(b"EC ", b"RSA "), b"x" * 5000):
        with pytest.raises(ValueError, match=r"got"):
            keys.public_key(content)


@both
@pytest.mark.parametrize("layout", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
def test_a_key_with_a_damaged_byte_is_rejected_or_still_a_key(keys: Keys, layout: PrivateFormat) -> None:
    """Each byte is changed: lengths, types, the curve's identifier, the secret and the point."""
    whole = ec.derive_private_key(4711, ec.SECP256R1()).private_bytes(Encoding.DER, layout, NoEncryption())
    name = "EC PRIVATE KEY" if layout is PrivateFormat.TraditionalOpenSSL else "PRIVATE KEY"
    rejected = 0
    for place, change in itertools.product(range(len(whole)), (0x01, 0x80)):
        damaged = whole[:place] + bytes([whole[place] ^ change]) + whole[place + 1 :]
        pem = f"-----BEGIN {name}-----\n{base64.b64encode(damaged).decode()}\n-----END {name}-----\n"
        try:
            keys.public_key(pem.encode())
        except ValueError:
            rejected += 1
    assert rejected > 20


def test_all_keys_are_different() -> None:
    assert len({keys.create() for keys in (NativeKeys(), PortableKeys()) for _ in range(20)}) == 40


@pytest.fixture
def store(tmp_path: Path) -> IdentityStore:
    return IdentityStore(tmp_path / "state", PROVISIONING, CountedKeys())


def provisioned(store: IdentityStore) -> None:
    store.prepare()
    store.store_pending(PENDING)
    store.store(SERIAL, PENDING)


def test_every_file_is_private_and_the_token_is_gone_after_the_identity_is_stored(
    store: IdentityStore, tmp_path: Path
) -> None:
    provisioned(store)
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    assert files == dict.fromkeys(("device.key.pem", "device.cert.pem", "identity.json"), 384)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["device.key.pem", "device.cert.pem", "identity.json"])
@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        lambda path: path.write_bytes(b"\0" * 300),
        lambda path: path.write_bytes(b"\xff\xfe"),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: path.write_bytes(b"null"),
    ],
    ids=["missing", "empty", "torn", "zeros", "no text", "a folder", "null"],
)
def test_a_damaged_identity_counts_as_missing_and_the_device_can_get_another(
    store: IdentityStore, tmp_path: Path, name: str, damage: Damage
) -> None:
    provisioned(store)
    assert store.load() is not None
    damage(tmp_path / "state" / name)
    assert load_identity(tmp_path / "state") is None
    ready = store.prepare()
    assert ready.public_key == (b"public key 1;" if name != "device.key.pem" else ready.public_key)
    provisioned(store)
    assert store.load() is not None


def test_a_key_that_is_unreadable_is_set_aside_and_not_overwritten(store: IdentityStore, tmp_path: Path) -> None:
    store.prepare()
    (tmp_path / "state" / "device.key.pem").write_bytes(b"damaged")
    assert store.prepare().public_key == b"public key 2;"
    assert (tmp_path / "state" / "device.key.pem.bad").read_bytes() == b"damaged"


def test_a_pending_certificate_of_another_key_is_not_used(store: IdentityStore) -> None:
    store.prepare()
    store.store_pending(Pending(certificate_for(b"public key 9;"), "token 9"))
    assert store.prepare().pending is None
    store.store_pending(PENDING)
    assert store.prepare().pending == PENDING


def test_the_validity_is_read_without_libraries_in_both_formats_of_a_time(tmp_path: Path) -> None:
    begins = datetime(2049, 12, 25, 1, 2, 3, tzinfo=UTC)  # it ends in 2050, as GeneralizedTime
    issued = issue(tmp_path, "sensor-1", issue(tmp_path, "ca"), not_before=begins)
    validity = read_validity(issued.cert)
    assert validity.not_before == issued.certificate.not_valid_before_utc
    assert validity.not_after == issued.certificate.not_valid_after_utc


@pytest.mark.parametrize("content", [b"", b"\xff", b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"])
def test_a_file_without_a_certificate_has_no_validity(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.pem").write_bytes(content)
    with pytest.raises(BadCredentials):
        read_validity(tmp_path / "c.pem")
