"""Device credentials on the disk, one or many in a run, and again after a crash.

The private key is written first and the certificate next, so that a key without a certificate is the sign of a
crash, and that key is then used. What exists and is whole is kept and listed again; what does not fit (another
CA, another name, a key that is not the certificate's, a torn file) is refused with its path. Nothing that exists
is written over, except a label picture that does not open.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from lobby.errors import InvalidInput
from lobby.names import Fingerprint, ThingName, shown
from pki import keys, labels, manifest, storage
from pki.authority import Authority
from pki.certificates import DeviceCredential, common_name, fingerprint, is_issued_by, load_certificate
from pki.errors import StorageError
from pki.keys import KeyType
from pki.profile import DEVICE_YEARS
from pki.request import Request

DEVICES_DIRECTORY = "devices"


@dataclass(frozen=True)
class DevicePaths:
    """The files of one device. `key` is not there where the certificate came from a request."""

    certificate: Path
    chain: Path
    key: Path
    label: Path

    @classmethod
    def of(cls, directory: Path, name: str) -> "DevicePaths":
        return cls(*(directory / f"{name}.{part}" for part in ("cert.pem", "chain.pem", "key.pem", "label.png")))


@dataclass(frozen=True)
class Order:
    """What to make: a name, and the request whose key it is for where there is one."""

    name: ThingName
    request: Request | None = None


@dataclass(frozen=True)
class Terms:
    """What holds for every device of a run."""

    now: datetime
    key_type: KeyType = KeyType.EC_P256
    years: int = DEVICE_YEARS
    label: bool = True


@dataclass(frozen=True)
class Made:
    """A device that is whole on the disk now. `kept`: its certificate was there before this run."""

    name: ThingName
    certid: Fingerprint
    not_after: datetime
    paths: DevicePaths
    kept: bool
    cut_short: bool


def write_device(directory: Path, credential: DeviceCredential, *, label: bool = True) -> DevicePaths:
    """Write a credential's files. Again with the same credential changes nothing.

    Raises `StorageError` EXISTS where a file with another content has one of the names.
    """
    paths = DevicePaths.of(storage.private_directory(directory), credential.name)
    if credential.private_key is not None:
        storage.write_once(paths.key, keys.encode_device_key(credential.private_key), storage.SECRET)
    storage.write_once(paths.certificate, credential.cert_pem)
    storage.write_once(paths.chain, credential.chain_pem)
    if label and not labels.opens(paths.label):
        picture = labels.render_label(credential.certid, credential.name)
        storage.replace(paths.label, labels.encode_png(picture))
    return paths


def make_devices(
    authority: Authority,
    directory: Path,
    orders: Sequence[Order],
    terms: Terms,
    on_made: Callable[[Made], None] = lambda _: None,
) -> list[Made]:
    """Make every device of `orders`, or find it whole, and bring the manifest up to date.

    Raises before anything is written: `InvalidInput` DUPLICATE_NAME. Raises `StorageError` at the first device
    whose files do not fit; those before it stay, and a rerun goes on from there.
    """
    refuse_duplicates(order.name for order in orders)
    storage.private_directory(directory)
    with storage.exclusive(directory):
        manifest.load(directory)  # one that cannot be brought up to date stops the run before it begins
        made = []
        for order in orders:
            device = _make_device(authority, directory, order, terms)
            made.append(device)
            on_made(device)
        manifest.update(directory, issued_certificates(authority.intermediate, directory))
    return made


def refuse_duplicates(names: Iterable[str]) -> None:
    """Raises `InvalidInput` DUPLICATE_NAME for the first name that comes twice, also if only in another case:
    there are file systems on which the two would be one file."""
    seen: dict[str, str] = {}
    for name in names:
        if name.lower() in seen:
            first = seen[name.lower()]
            raise InvalidInput("DUPLICATE_NAME", f"got {shown(first)} and {shown(name)} in one run, want each once")
        seen[name.lower()] = name


def issued_certificates(issuer: x509.Certificate, directory: Path) -> list[x509.Certificate]:
    """The device certificates in `directory` that `issuer` signed, in the order of their names."""
    found = (load_certificate(path) for path in sorted(directory.glob("*.cert.pem")))
    return [certificate for certificate in found if is_issued_by(certificate, issuer)]


def _make_device(authority: Authority, directory: Path, order: Order, terms: Terms) -> Made:
    paths = DevicePaths.of(directory, order.name)
    kept = paths.certificate.exists()
    credential = _existing(authority, paths, order) if kept else _issue(authority, paths, order, terms)
    write_device(directory, credential, label=terms.label)
    not_after = credential.certificate.not_valid_after_utc
    return Made(order.name, credential.certid, not_after, paths, kept, credential.cut_short)


def _issue(authority: Authority, paths: DevicePaths, order: Order, terms: Terms) -> DeviceCredential:
    if order.request is not None:
        _refuse_key_beside_request(paths)
        return authority.issue_device(order.name, now=terms.now, request=order.request, years=terms.years)
    key = _left_key(paths, terms.key_type)
    return authority.issue_device(order.name, now=terms.now, key_type=terms.key_type, key=key, years=terms.years)


def _left_key(paths: DevicePaths, kind: KeyType) -> keys.PrivateKey | None:
    """The key that a crashed run wrote before it could write the certificate."""
    if not paths.key.exists():
        return None
    key = keys.decode_private_key(storage.read(paths.key, "a device's key"), paths.key)
    if keys.describe(key.public_key()) != kind:
        raise StorageError("EXISTS", f"got {paths.key}, a key {keys.describe(key.public_key())}, want {kind} or none")
    return key


def _refuse_key_beside_request(paths: DevicePaths) -> None:
    if paths.key.exists():
        raise StorageError("EXISTS", f"got {paths.key} beside a request for this name, want one or the other")


def _existing(authority: Authority, paths: DevicePaths, order: Order) -> DeviceCredential:
    """What is there, if it is this device's. A missing key is no fault: it may have gone into the device."""
    certificate = load_certificate(paths.certificate)
    if not authority.owns(certificate) or common_name(certificate) != order.name:
        raise StorageError("EXISTS", f"got {paths.certificate} of another CA or name, want it moved away")
    key = None
    if paths.key.exists():
        key = keys.decode_private_key(storage.read(paths.key, "a device's key"), paths.key)
    for public in (key.public_key() if key else None, order.request.public_key if order.request else None):
        if public is not None and not keys.same_key(public, certificate.public_key()):
            raise StorageError("EXISTS", f"got {paths.certificate} for another key, want it moved away")
    return DeviceCredential(order.name, certificate, key, authority.intermediate)


def find_certificate(authority: Authority, directory: Path, certid: Fingerprint) -> x509.Certificate:
    """The device certificate with this fingerprint. Raises `StorageError` NOT_FOUND."""
    for certificate in issued_certificates(authority.intermediate, directory):
        if fingerprint(certificate) == certid:
            return certificate
    raise StorageError("NOT_FOUND", f"got {certid}, want a fingerprint in {directory}, or the certificate's file")
