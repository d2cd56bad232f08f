"""The signer of an enrolment: what a user may enter, and what its certificates contain."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lobby.domain.own_ca import issue, parse_signer, require_key_of_ca
from lobby.domain.signer import Signer
from lobby.domain.trust.remote_key import remote_key
from lobby.domain.trust.signing_request import parse_signing_request
from lobby.errors import InvalidInput
from lobby.names import ThingName
from tests import certificates as make

ARN = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
NAME = ThingName("sensor-1")
CA = make.authority("Own CA", pathlen=0)
SIGNER = Signer(ARN, CA.pem, 365)


def sign_with(key: Any) -> Any:
    """Return what KMS does with the key: it signs a SHA-256."""
    if isinstance(key, rsa.RSAPrivateKey):
        return lambda digest: key.sign(digest, padding.PKCS1v15(), utils.Prehashed(SHA256()))
    return lambda digest: key.sign(digest, ec.ECDSA(utils.Prehashed(SHA256())))


def issued(issuer: make.Issuer = CA, *, days: int = 365, kind: str = "SECP256R1", sign: Any = None) -> x509.Certificate:
    request = make.load_request(make.signing_request(NAME, 3, kind=kind))
    signer = Signer(ARN, issuer.pem, days)
    return issue(signer, request, NAME, 4711, make.NOW, sign or sign_with(issuer.key))


@pytest.mark.parametrize("kind", ["SECP256R1", "rsa-2048"])
def test_the_certificate_is_signed_by_the_ca_for_the_devices_key(kind: str) -> None:
    issuer = make.authority("Own CA", kind=kind)
    certificate = issued(issuer)
    certificate.verify_directly_issued_by(issuer.certificate)
    assert certificate.public_key() == make.key("SECP256R1", 3).public_key()
    assert certificate.serial_number == 4711
    assert certificate.signature_hash_algorithm is not None
    assert certificate.signature_hash_algorithm.name == "sha256"


def test_the_certificate_is_for_a_tls_client_with_the_thing_name_only() -> None:
    certificate = issued()
    assert certificate.subject == make.subject((NameOID.COMMON_NAME, NAME))
    value = {type(each.value): each.value for each in certificate.extensions}
    assert value[x509.BasicConstraints] == x509.BasicConstraints(ca=False, path_length=None)
    assert list(value[x509.ExtendedKeyUsage]) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not value[x509.KeyUsage].key_cert_sign
    key_id = CA.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert value[x509.AuthorityKeyIdentifier].key_identifier == key_id


def test_the_certificate_is_valid_for_the_days_and_not_longer_than_the_ca() -> None:
    assert issued(days=30).not_valid_after_utc == make.NOW + 30 * make.DAY
    short = make.authority(end=make.NOW + 10 * make.DAY)
    assert issued(short, days=30).not_valid_after_utc == short.certificate.not_valid_after_utc
    young = make.authority(begin=make.NOW)
    assert issued(young).not_valid_before_utc == make.NOW


def test_a_device_with_an_rsa_key_may_use_it_for_key_exchange() -> None:
    usage = issued(kind="rsa-2048").extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_encipherment) == (True, True)


@pytest.mark.parametrize(
    ("issuer", "sign"),
    [
        pytest.param(CA, sign_with(make.key("SECP256R1", 77)), id="another key signs"),
        pytest.param(make.authority(end=make.NOW - timedelta(seconds=1)), None, id="the CA has expired"),
        pytest.param(make.authority(begin=make.NOW + make.DAY), None, id="the CA is not valid yet"),
        pytest.param(
            make.authority(more=[(x509.NameConstraints([x509.DirectoryName(make.named("x"))], None), True)]),
            None,
            id="the CA does not permit the name",
        ),
    ],
)
def test_a_ca_that_cannot_sign_gives_no_certificate(issuer: make.Issuer, sign: Any) -> None:
    with pytest.raises(InvalidInput, match="SIGNER_UNAVAILABLE"):
        issued(issuer, sign=sign)


def test_a_signer_is_entered_with_its_key_certificate_and_validity() -> None:
    assert parse_signer(ARN, f"\n{CA.pem}\n", 365, make.NOW) == SIGNER
    assert Signer.decode(SIGNER.encode()) == SIGNER


@pytest.mark.parametrize(
    ("key", "ca", "days", "want"),
    [
        pytest.param(ARN.replace("key/", "alias/"), CA.pem, 365, "want the ARN of a key", id="an alias"),
        pytest.param("1234abcd", CA.pem, 365, "want the ARN of a key", id="an id"),
        pytest.param(None, CA.pem, 365, "want the ARN of a key", id="no key"),
        pytest.param(ARN, "nothing", 365, "cannot issue devices", id="no certificate"),
        pytest.param(ARN, None, 365, "want the CA's certificate in PEM", id="no text"),
        pytest.param(ARN, "x" * 10_000, 365, "want the CA's certificate in PEM", id="a long text"),
        pytest.param(ARN, CA.pem * 2, 365, "cannot issue devices: got 2 CA certificates", id="two"),
        pytest.param(ARN, CA.pem, 0, "got 0 days, want 1 to 36500", id="no day"),
        pytest.param(ARN, CA.pem, 36_501, "want 1 to 36500", id="too many days"),
        pytest.param(ARN, CA.pem, True, "want 1 to 36500", id="no number"),
        pytest.param(ARN, make.pem_of(make.device(CA)), 365, "CA:TRUE", id="a device's certificate"),
        pytest.param(ARN, make.authority(end=make.NOW - make.DAY).pem, 365, "valid until", id="expired"),
        pytest.param(ARN, make.authority(begin=make.NOW + make.DAY).pem, 365, "valid from", id="not valid yet"),
        pytest.param(
            ARN, make.authority(identifiers=False).pem, 365, "subjectKeyIdentifier", id="without an identifier"
        ),
        pytest.param(ARN, make.authority(kind="rsa-1024").pem, 365, "RSA of 1024 bits", id="a weak key"),
        pytest.param(
            ARN,
            make.authority(
                extensions=[
                    (x509.BasicConstraints(ca=True, path_length=None), True),
                    (make.usage(key_cert_sign=False, crl_sign=True), True),
                ]
            ).pem,
            365,
            "keyCertSign",
            id="a CA that signs lists only",
        ),
    ],
)
def test_another_signer_is_refused(key: object, ca: object, days: object, want: str) -> None:
    with pytest.raises(InvalidInput, match="INVALID_SIGNER") as refused:
        parse_signer(key, ca, days, make.NOW)
    assert want in refused.value.message


def test_a_private_key_is_not_repeated_in_the_message() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_signer(ARN, "-----BEGIN PRIVATE KEY-----\nsecret\n", 365, make.NOW)  # pragma: allowlist secret
    assert "secret" not in refused.value.message


def public(key: Any) -> bytes:
    encoded: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


@pytest.mark.parametrize(
    ("key", "usage", "state", "want"),
    [
        pytest.param(CA.key, "SIGN_VERIFY", "Disabled", "want it enabled", id="disabled"),
        pytest.param(CA.key, "SIGN_VERIFY", "PendingDeletion", "want it enabled", id="to be deleted"),
        pytest.param(CA.key, "ENCRYPT_DECRYPT", "Enabled", "for SIGN_VERIFY", id="for encryption"),
        pytest.param(make.key("SECP256R1", 77), "SIGN_VERIFY", "Enabled", "not the key of the CA", id="another key"),
        pytest.param(make.key("SECP384R1"), "SIGN_VERIFY", "Enabled", "of another kind", id="another curve"),
        pytest.param(make.key("ed25519"), "SIGN_VERIFY", "Enabled", "of another kind", id="Ed25519"),
    ],
)
def test_a_key_that_is_not_the_cas_is_refused(key: Any, usage: str, state: str, want: str) -> None:
    with pytest.raises(InvalidInput, match=want):
        require_key_of_ca(SIGNER, public(key), usage, state)


def test_the_key_of_the_ca_is_accepted() -> None:
    require_key_of_ca(SIGNER, public(CA.key), "SIGN_VERIFY", "Enabled")


@pytest.mark.parametrize("kind", ["SECP256R1", "rsa-2048"])
def test_a_remote_key_only_signs_a_sha_256(kind: str) -> None:
    remote: Any = remote_key(make.key(kind).public_key(), lambda _digest: b"")
    builder = x509.CertificateSigningRequestBuilder().subject_name(make.named("x"))
    with pytest.raises(TypeError, match="want SHA-256"):
        builder.sign(remote, SHA384())
    for secret in (remote.private_numbers, remote.private_bytes):
        with pytest.raises(TypeError, match="elsewhere"):
            secret()


@pytest.mark.filterwarnings("ignore:Attribute's length")
def test_a_name_that_is_too_long_for_a_cn_gets_no_certificate() -> None:
    name = ThingName("s" * 65)
    long = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name, _validate=False)])
    request = parse_signing_request(make.signing_request(name=long), name)
    with pytest.raises(InvalidInput, match="INVALID_CSR: got a name of 65 characters, want at most 64"):
        issue(SIGNER, request, name, 4711, make.NOW, sign_with(CA.key))
