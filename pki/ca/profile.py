"""The three certificate profiles, as RFC 5280 requires and AWS IoT accepts.

Root: path length 1. Intermediate: path length 0; only the intermediate signs devices. Device: the subject has the thing
name as CN and the product's serial number; for client authentication only. All are signed with SHA-256. No I/O: keys
and the time are arguments. Names longer than X.520 allows, and issuers that are not valid at the given time, are
rejected.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lobby.errors import InvalidInput
from lobby.names import ThingName, parse_thing_name, shown
from pki.ca.keys import PrivateKey, PublicKey
from pki.errors import AuthorityError

ROOT_YEARS = 25
INTERMEDIATE_YEARS = 10
DEVICE_YEARS = 20
CLOCK_SKEW = timedelta(hours=1)
"""NotBefore is this much earlier than the time of issue, so that a device with a slow clock can connect."""
NAME_LIMIT = 64
"""Both ub-common-name and ub-organization-name (RFC 5280, appendix A.1)."""


@dataclass(frozen=True)
class Validity:
    """A validity period, and the requested end. The requested end is later if the issuer expires first."""

    not_before: datetime
    not_after: datetime
    requested_until: datetime

    @property
    def shortened(self) -> bool:
        return self.not_after < self.requested_until


def device_name(text: object) -> ThingName:
    """Return a thing name that also fits the subject CN. Raise `InvalidInput` INVALID_THING_NAME."""
    name = parse_thing_name(text)
    if len(name) > NAME_LIMIT:
        raise InvalidInput(
            "INVALID_THING_NAME",
            f"got {shown(name)}, {len(name)} characters, want at most {NAME_LIMIT}, the limit of a certificate's CN",
        )
    return name


def organization_name(text: str) -> str:
    """Return the manufacturer's name for the CA's subject. Raise `InvalidInput` INVALID_ORGANIZATION."""
    if 0 < len(text) <= NAME_LIMIT and text.isprintable() and text == text.strip():
        return text
    raise InvalidInput("INVALID_ORGANIZATION", f"got {shown(text)}, want 1 to {NAME_LIMIT} printable characters")


def plan_device_validity(now: datetime, years: int | None, issuer: x509.Certificate) -> Validity:
    """Return a device's validity. Without `years`, it is the longest that the issuer allows, at most `DEVICE_YEARS`."""
    validity = plan_validity(now, DEVICE_YEARS if years is None else years, issuer)
    return replace(validity, requested_until=validity.not_after) if years is None else validity


def plan_validity(now: datetime, years: int, issuer: x509.Certificate | None) -> Validity:
    """Return a validity of `years` from `now` (aware), limited to the issuer's.

    Raise `InvalidInput` INVALID_YEARS, or `AuthorityError` CA_NOT_VALID if the issuer is not valid at `now`.
    """
    start = now.astimezone(UTC).replace(microsecond=0)
    if not 1 <= years <= 100:
        raise InvalidInput("INVALID_YEARS", f"got {years}, want 1 to 100 years of validity")
    requested = _add_years(start, years)
    if issuer is None:
        return Validity(start - CLOCK_SKEW, requested, requested)
    first, last = issuer.not_valid_before_utc, issuer.not_valid_after_utc
    if not first <= start < last:
        raise AuthorityError(
            "CA_NOT_VALID",
            f"got the time {start:%F %T}Z, want one in the issuer's validity, {first:%F %T}Z to {last:%F %T}Z",
        )
    return Validity(max(start - CLOCK_SKEW, first), min(requested, last), requested)


def _add_years(start: datetime, years: int) -> datetime:
    try:
        return start.replace(year=start.year + years)
    except ValueError:  # 29 February
        return start.replace(year=start.year + years, day=28)


def ca_subject(organization: str, role: str, key: PublicKey) -> x509.Name:
    """Return the subject of a CA. It includes part of the key identifier, so two CAs of one organization differ: AWS
    IoT has a quota of CA certificates per subject, and users can distinguish them."""
    key_suffix = x509.SubjectKeyIdentifier.from_public_key(key).digest[:4].hex().upper()
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Device {role} CA {key_suffix}"),
        ]
    )


def build_root(organization: str, key: PrivateKey, validity: Validity) -> x509.Certificate:
    subject = ca_subject(organization, "Root", key.public_key())
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return _ca(_builder(subject, subject, key.public_key(), validity, identifier), path_length=1).sign(
        key, hashes.SHA256()
    )


def build_signer(organization: str, key: PrivateKey, validity: Validity) -> x509.Certificate:
    """Return a self-signed CA that signs devices, and no other CA."""
    subject = ca_subject(organization, "Signer", key.public_key())
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return _ca(_builder(subject, subject, key.public_key(), validity, identifier), path_length=0).sign(
        key, hashes.SHA256()
    )


def build_intermediate(
    organization: str, key: PublicKey, issuer: x509.Certificate, issuer_key: PrivateKey, validity: Validity
) -> x509.Certificate:
    subject = ca_subject(organization, "Intermediate", key)
    builder = _builder(subject, issuer.subject, key, validity, _key_identifier(issuer))
    return _ca(builder, path_length=0).sign(issuer_key, hashes.SHA256())


def build_device(
    name: ThingName,
    key: PublicKey,
    issuer: x509.Certificate,
    issuer_key: PrivateKey,
    validity: Validity,
    serial_number: str = "",
) -> x509.Certificate:
    """Return a device's certificate. `serial_number` is the product's serial number, which the subject contains."""
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if serial_number:
        attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial_number))
    subject = x509.Name(attributes)
    return (
        _builder(subject, issuer.subject, key, validity, _key_identifier(issuer))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PublicKey, validity: Validity, authority: x509.SubjectKeyIdentifier
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority),
            critical=False,
        )
    )


def _ca(builder: x509.CertificateBuilder, path_length: int) -> x509.CertificateBuilder:
    return builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True).add_extension(
        _usage("key_cert_sign", "crl_sign"), critical=True
    )


_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def _usage(*allowed: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in allowed for usage in _USAGES})


def _key_identifier(issuer: x509.Certificate) -> x509.SubjectKeyIdentifier:
    return issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
