"""The manufacturer's certificate authority in one directory: a root, and the intermediate that signs devices.

`create_hierarchy` creates the files one by one, each atomically, and resumes after a crash; it rejects a directory that
contains a complete CA. Only the intermediate's key is used to issue certificates, so the root's key can be moved
offline. The intermediate is the CA that is registered with a lobby.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from lobby.errors import InvalidInput
from lobby.names import shown
from pki import storage
from pki.ca import crl, keys, profile, tokens
from pki.ca.certificates import DeviceCredential, common_name, fingerprint, is_issued_by, load_certificate
from pki.ca.keys import KeyType, PrivateKey
from pki.devices.request import Request
from pki.errors import AuthorityError

ROOT_CERT, ROOT_KEY = "root.cert.pem", "root.key.pem"
INTERMEDIATE_CERT, INTERMEDIATE_KEY = "intermediate.cert.pem", "intermediate.key.pem"


@dataclass(frozen=True)
class Authority:
    """A loaded CA that can issue and revoke certificates."""

    directory: Path
    root: x509.Certificate
    intermediate: x509.Certificate
    key: PrivateKey = field(repr=False)

    def issue_device(
        self,
        name: str,
        *,
        now: datetime,
        key_type: KeyType = KeyType.EC_P256,
        key: PrivateKey | None = None,
        request: Request | None = None,
        years: int | None = None,
        serial_number: str = "",
    ) -> DeviceCredential:
        """Return a new credential for a new key of `key_type`, for `key`, or for the public key of `request`.

        Without `years`, it is valid as long as the issuer allows, at most `DEVICE_YEARS`. The subject contains the
        product's `serial_number`, or the one in the request. No file is written. Raise `InvalidInput` for an invalid
        name, validity or request, and `AuthorityError` CA_NOT_VALID if the intermediate is not valid at `now`.
        """
        thing = profile.device_name(name)
        if request is not None and request.name != thing:
            raise InvalidInput("INVALID_CSR", f"got a request for {shown(request.name)}, want {shown(thing)}")
        validity = profile.plan_device_validity(now, years, self.intermediate)
        private = None if request else key or keys.generate(key_type)
        public = request.public_key if request else private.public_key() if private else None
        certificate = profile.build_device(
            thing,
            keys.check_public_key(public),
            self.intermediate,
            self.key,
            validity,
            serial_number or (request.serial_number if request else ""),
        )
        return DeviceCredential(thing, certificate, private, self.intermediate, validity.shortened)

    def owns(self, certificate: x509.Certificate) -> bool:
        """Return whether this CA's intermediate signed `certificate`."""
        return is_issued_by(certificate, self.intermediate)

    def revoke(
        self, certificates: Sequence[x509.Certificate], reason: crl.Reason, *, now: datetime, days: int = crl.CRL_DAYS
    ) -> x509.CertificateRevocationList:
        """Record the revocations and return the revocation list that contains them.

        A certificate that is already revoked keeps its recorded time and reason. If all are revoked and in the current
        list, no new list is issued. Raise `InvalidInput` FOREIGN_CERTIFICATE for a certificate of another CA, before
        anything is recorded.
        """
        entries = [self._revocation(certificate, reason, now) for certificate in certificates]
        with storage.locked(self.directory):
            return crl.issue(self.directory, self.intermediate, self.key, now=now, days=days, revocations=entries)

    def _revocation(self, certificate: x509.Certificate, reason: crl.Reason, now: datetime) -> crl.Revocation:
        if not self.owns(certificate):
            subject = shown(certificate.subject.rfc4514_string())
            raise InvalidInput("FOREIGN_CERTIFICATE", f"got {subject}, want a certificate that this CA issued")
        return crl.Revocation(
            f"{certificate.serial_number:x}",
            fingerprint(certificate),
            common_name(certificate),
            reason,
            now.astimezone(UTC).replace(microsecond=0).isoformat(),
        )

    def renew_crl(self, *, now: datetime, days: int = crl.CRL_DAYS) -> x509.CertificateRevocationList:
        """Return the next revocation list: the same revocations, a later expiry."""
        with storage.locked(self.directory):
            return crl.issue(self.directory, self.intermediate, self.key, now=now, days=days)


def create_hierarchy(
    directory: Path,
    organization: str,
    *,
    now: datetime,
    key_type: KeyType = KeyType.EC_P256,
    passphrase: bytes | None = None,
    root_years: int = profile.ROOT_YEARS,
    intermediate_years: int = profile.INTERMEDIATE_YEARS,
    root_key_uri: str | None = None,
    intermediate_key_uri: str | None = None,
) -> Authority:
    """Create the CA and return it: keys, certificates and an empty revocation list, in this order.

    A key with a PKCS#11 URI is in that token, and is created there if it does not exist; `passphrase` is then the PIN.
    After a crash, the existing files are kept and the others are created; `organization` must be the same. Raise
    `AuthorityError` CA_EXISTS if `directory` contains a complete CA, `InvalidInput` for the organization or years.
    """
    profile.organization_name(organization)
    root_validity = profile.plan_validity(now, root_years, None)
    profile.plan_validity(now, intermediate_years, None)
    for uri in filter(None, (root_key_uri, intermediate_key_uri)):
        tokens.require_token(tokens.parse_uri(uri), passphrase)
    storage.private_directory(directory)
    with storage.locked(directory):
        if (directory / crl.CRL_FILE).exists():
            raise AuthorityError("CA_EXISTS", f"got {directory}, which contains a CA, want a new directory")
        root_key = _ensure_key(directory / ROOT_KEY, key_type, passphrase, root_key_uri)
        root = _ensure_certificate(
            directory / ROOT_CERT,
            organization,
            root_key,
            lambda: profile.build_root(organization, root_key, root_validity),
        )
        validity = profile.plan_validity(now, intermediate_years, root)
        key = _ensure_key(directory / INTERMEDIATE_KEY, key_type, passphrase, intermediate_key_uri)
        intermediate = _ensure_certificate(
            directory / INTERMEDIATE_CERT,
            organization,
            key,
            lambda: profile.build_intermediate(organization, key.public_key(), root, root_key, validity),
        )
        crl.issue(directory, intermediate, key, now=now)
    return load_authority(directory, passphrase)


def load_authority(directory: Path, passphrase: bytes | None = None) -> Authority:
    """Return the CA in `directory`.

    Raise `AuthorityError` NO_CA, BAD_PASSPHRASE or CA_KEY_MISMATCH, or `StorageError` BROKEN_FILE.
    """
    root, intermediate = load_certificates(directory)
    path = directory / INTERMEDIATE_KEY
    key = _load_key(path, passphrase)
    if not keys.same_key(key.public_key(), intermediate.public_key()):
        raise AuthorityError("CA_KEY_MISMATCH", f"got the key {path}, which does not match {INTERMEDIATE_CERT}")
    return Authority(directory, root, intermediate, key)


def load_certificates(directory: Path) -> tuple[x509.Certificate, x509.Certificate]:
    """Return the root and intermediate certificates, for work that needs no key. Raise like `load_authority`."""
    if not (directory / crl.CRL_FILE).exists():
        raise AuthorityError("NO_CA", f"got {directory}, which contains no complete CA, want one: run init")
    root, intermediate = (load_certificate(directory / name) for name in (ROOT_CERT, INTERMEDIATE_CERT))
    if not is_issued_by(intermediate, root):
        raise AuthorityError(
            "CA_KEY_MISMATCH", f"got {INTERMEDIATE_CERT} in {directory}, want one signed by {ROOT_CERT}"
        )
    return root, intermediate


def _load_key(path: Path, passphrase: bytes | None, create: KeyType | None = None) -> PrivateKey:
    """Return the key in a file, or the key in the token that the file names."""
    content = storage.read(path, "a CA's key")
    if content.startswith(b"pkcs11:"):
        return tokens.open_key(tokens.parse_uri(content.decode(errors="replace")), passphrase, create)
    return keys.decode_private_key(content, path, passphrase)


def _ensure_key(path: Path, key_type: KeyType, passphrase: bytes | None, uri: str | None) -> PrivateKey:
    if uri is not None:
        storage.write_once(path, f"{tokens.parse_uri(uri).uri}\n".encode(), storage.SECRET)
    if path.exists():
        return _load_key(path, passphrase, key_type)
    key = keys.generate(key_type)
    storage.write_new(path, keys.encode_ca_key(key, passphrase), storage.SECRET)
    return key


def _ensure_certificate(
    path: Path, organization: str, key: PrivateKey, build: Callable[[], x509.Certificate]
) -> x509.Certificate:
    if not path.exists():
        storage.write_new(path, build().public_bytes(Encoding.PEM))
    certificate = load_certificate(path)
    names = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    if [name.value for name in names] != [organization]:
        raise InvalidInput("INVALID_ORGANIZATION", f"got {shown(organization)}, want the organization in {path}")
    if not keys.same_key(certificate.public_key(), key.public_key()):
        raise AuthorityError("CA_KEY_MISMATCH", f"got {path}, want the certificate of the key next to it")
    return certificate
