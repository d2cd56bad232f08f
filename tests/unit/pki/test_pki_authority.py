"""The CA: its certificates with strict verifiers, its files, and the errors."""

import shutil
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from lobby.errors import InvalidInput
from pki import storage
from pki.ca import crl
from pki.ca.authority import INTERMEDIATE_CERT, INTERMEDIATE_KEY, ROOT_KEY, Authority, create_hierarchy, load_authority
from pki.ca.certificates import common_name
from pki.ca.crl import crl_number, load_crl
from pki.ca.keys import KeyType
from pki.errors import AuthorityError, StorageError


def verify(ca: Authority, leaf: x509.Certificate, at: datetime) -> list[x509.Certificate]:
    """Return the chain from cryptography's verifier: its default CA policy, and its leaf policy without the SAN."""
    leaf_policy = ExtensionPolicy.webpki_defaults_ee().may_be_present(
        x509.SubjectAlternativeName, Criticality.AGNOSTIC, None
    )
    verifier = (
        PolicyBuilder()
        .store(Store([ca.root]))
        .time(at)
        .extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=leaf_policy)
        .build_client_verifier()
    )
    return verifier.verify(leaf, [ca.intermediate]).chain


@pytest.mark.parametrize("ca_key", [KeyType.EC_P256, KeyType.RSA_2048])
@pytest.mark.parametrize("device_key", [KeyType.EC_P256, KeyType.EC_P384, KeyType.RSA_2048])
def test_a_strict_verifier_accepts_the_chain_of_a_device(
    tmp_path: Path, now: datetime, ca_key: KeyType, device_key: KeyType
) -> None:
    ca = create_hierarchy(tmp_path, "Acme GmbH", now=now, key_type=ca_key)
    device = ca.issue_device("sensor-1", now=now, key_type=device_key)
    assert verify(ca, device.certificate, now) == [device.certificate, ca.intermediate, ca.root]
    hash_used = device.certificate.signature_hash_algorithm
    assert isinstance(hash_used, hashes.SHA256)


def test_a_device_certificate_cannot_sign_another(shared_ca: Authority, now: datetime) -> None:
    device = shared_ca.issue_device("sensor-1", now=now)
    assert device.private_key is not None
    forged_ca = Authority(shared_ca.directory, shared_ca.intermediate, device.certificate, device.private_key)
    forged = forged_ca.issue_device("sensor-2", now=now)
    with pytest.raises(VerificationError):
        verify(forged_ca, forged.certificate, now)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_openssl_accepts_the_chain_and_the_revocation_list(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    ca = create_hierarchy(tmp_path, "Acme GmbH", now=now)
    device = ca.issue_device("sensor-1", now=now)
    other = ca.issue_device("sensor-2", now=now)
    ca.revoke([other.certificate], crl.Reason.KEY_COMPROMISE, now=now)
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-crl_check", "-CAfile", "root.cert.pem"]
    command += ["-untrusted", INTERMEDIATE_CERT, "-CRLfile", "intermediate.crl.pem"]
    for credential, verdict in ((device, 0), (other, 2)):
        path = tmp_path / f"{credential.name}.pem"
        path.write_bytes(credential.cert_pem)
        done = subprocess.run([*command, path], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == verdict, done.stderr
    assert "revoked" in done.stderr


def test_the_certificate_profiles_follow_rfc_5280(shared_ca: Authority, now: datetime) -> None:
    device = shared_ca.issue_device("sensor-1", now=now).certificate
    for certificate, is_ca, path_length in ((shared_ca.root, True, 1), (shared_ca.intermediate, True, 0)):
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
        assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, is_ca, path_length)
        assert usage.critical
        assert usage.value.key_cert_sign
        assert usage.value.crl_sign
        assert not usage.value.digital_signature
    basic = device.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = device.extensions.get_extension_for_class(x509.KeyUsage)
    purposes = device.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert (basic.critical, basic.value.ca) == (True, False)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    for child, issuer in ((device, shared_ca.intermediate), (shared_ca.intermediate, shared_ca.root)):
        identifier = child.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        assert identifier == issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        assert 0 < child.serial_number < 1 << 160
        assert child.serial_number.bit_length() > 64


def test_the_subject_is_the_thing_name_and_nothing_else(shared_ca: Authority, now: datetime) -> None:
    device = shared_ca.issue_device("line-4:sensor_1", now=now)
    assert device.certificate.subject.rfc4514_string() == "CN=line-4:sensor_1"
    assert device.certid == device.certificate.fingerprint(hashes.SHA256()).hex()
    chain = x509.load_pem_x509_certificates(device.chain_pem)
    assert chain == [device.certificate, shared_ca.intermediate]


def test_no_certificate_outlives_its_issuer(shared_ca: Authority, now: datetime) -> None:
    long, short = (shared_ca.issue_device("d", now=now, years=years) for years in (20, 2))
    assert long.shortened
    assert long.certificate.not_valid_after_utc == shared_ca.intermediate.not_valid_after_utc
    assert not short.shortened
    assert short.certificate.not_valid_after_utc == now.replace(year=now.year + 2)
    assert shared_ca.root.not_valid_after_utc == now.replace(year=now.year + 25)
    assert shared_ca.intermediate.not_valid_after_utc == now.replace(year=now.year + 10)


def test_a_device_with_a_slow_clock_is_accepted(shared_ca: Authority, now: datetime) -> None:
    device = shared_ca.issue_device("d", now=now)
    late = now - timedelta(minutes=50)
    assert verify(shared_ca, device.certificate, late)[0] == device.certificate


def test_validity_from_a_leap_day_ends_on_28_february(tmp_path: Path) -> None:
    leap = datetime(2028, 2, 29, 8, 0, tzinfo=UTC)
    ca = create_hierarchy(tmp_path, "Acme", now=leap)
    assert ca.root.not_valid_after_utc == datetime(2053, 2, 28, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("years_on", [-1, 11])
def test_an_issuer_outside_its_validity_issues_nothing(shared_ca: Authority, now: datetime, years_on: int) -> None:
    with pytest.raises(AuthorityError, match="CA_NOT_VALID"):
        shared_ca.issue_device("d", now=now.replace(year=now.year + years_on))


@pytest.mark.parametrize(
    "name",
    ["", "a/b", "a+", "#", "a b", "ä", "a\n", "../x", "CN=x", "a" * 65, "a" * 129, "a\0b"],
    ids=["empty", "slash", "plus", "hash", "space", "umlaut", "newline", "path", "cn", "65", "129", "nul"],
)
def test_an_invalid_thing_name_gets_no_certificate(shared_ca: Authority, now: datetime, name: str) -> None:
    with pytest.raises(InvalidInput, match="INVALID_THING_NAME: got"):
        shared_ca.issue_device(name, now=now)


@pytest.mark.parametrize("years", [0, -1, 101])
def test_a_validity_out_of_range_is_rejected(shared_ca: Authority, now: datetime, years: int) -> None:
    with pytest.raises(InvalidInput, match="INVALID_YEARS"):
        shared_ca.issue_device("d", now=now, years=years)


@pytest.mark.parametrize("organization", ["", " Acme", "A" * 65, "A\nB", "A\0"])
def test_an_invalid_organization_creates_no_files(tmp_path: Path, now: datetime, organization: str) -> None:
    with pytest.raises(InvalidInput, match="INVALID_ORGANIZATION"):
        create_hierarchy(tmp_path / "ca", organization, now=now)
    assert not (tmp_path / "ca").exists()


def test_ca_keys_are_private_and_the_first_list_is_empty(ca: Authority) -> None:
    assert stat.S_IMODE(ca.directory.stat().st_mode) == 0o700
    for name in (ROOT_KEY, INTERMEDIATE_KEY):
        assert stat.S_IMODE((ca.directory / name).stat().st_mode) == 0o600
    assert (len(load_crl(ca.directory)), crl_number(load_crl(ca.directory))) == (0, 1)


def test_a_complete_ca_is_not_overwritten(ca: Authority, now: datetime) -> None:
    before = {path.name: path.read_bytes() for path in ca.directory.iterdir()}
    with pytest.raises(AuthorityError, match="CA_EXISTS"):
        create_hierarchy(ca.directory, "Acme GmbH", now=now)
    assert {path.name: path.read_bytes() for path in ca.directory.iterdir()} == before


def test_issuing_does_not_need_the_root_key(ca: Authority, now: datetime) -> None:
    (ca.directory / ROOT_KEY).unlink()
    assert load_authority(ca.directory).issue_device("d", now=now).name == "d"


def test_a_passphrase_protects_both_keys(tmp_path: Path, now: datetime) -> None:
    ca = create_hierarchy(tmp_path, "Acme", now=now, passphrase=b"correct horse")
    assert b"ENCRYPTED" in (tmp_path / ROOT_KEY).read_bytes()
    assert load_authority(tmp_path, b"correct horse").intermediate == ca.intermediate
    for wrong in (None, b"battery staple"):
        with pytest.raises(AuthorityError, match="BAD_PASSPHRASE"):
            load_authority(tmp_path, wrong)


def test_a_passphrase_for_an_unencrypted_key_is_rejected(ca: Authority) -> None:
    with pytest.raises(AuthorityError, match="BAD_PASSPHRASE"):
        load_authority(ca.directory, b"x")


@pytest.mark.parametrize("keep", [0, 1, 40, 200], ids=lambda kept: f"first {kept} bytes")
@pytest.mark.parametrize("name", [INTERMEDIATE_KEY, INTERMEDIATE_CERT])
def test_a_truncated_file_is_rejected_with_its_name(ca: Authority, name: str, keep: int) -> None:
    path = ca.directory / name
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(StorageError, match=name):
        load_authority(ca.directory)


def test_a_key_of_another_ca_is_rejected(ca: Authority, shared_ca: Authority) -> None:
    shutil.copy(shared_ca.directory / INTERMEDIATE_KEY, ca.directory / INTERMEDIATE_KEY)
    with pytest.raises(AuthorityError, match="CA_KEY_MISMATCH"):
        load_authority(ca.directory)
    shutil.copy(shared_ca.directory / INTERMEDIATE_CERT, ca.directory / INTERMEDIATE_CERT)
    with pytest.raises(AuthorityError, match="CA_KEY_MISMATCH"):
        load_authority(ca.directory)


def test_a_directory_without_a_ca_is_reported(tmp_path: Path) -> None:
    with pytest.raises(AuthorityError, match="NO_CA"):
        load_authority(tmp_path)


def test_an_incomplete_ca_is_not_completed_for_another_organization(
    tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes, mode: int = 0) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(storage, "replace", full)
        with pytest.raises(OSError, match="No space"):
            create_hierarchy(tmp_path, "Acme", now=now)
    with pytest.raises(AuthorityError, match="NO_CA"):
        load_authority(tmp_path)
    with pytest.raises(InvalidInput, match="INVALID_ORGANIZATION"):
        create_hierarchy(tmp_path, "Other", now=now)
    assert common_name(create_hierarchy(tmp_path, "Acme", now=now).root).startswith("Device Root CA ")
