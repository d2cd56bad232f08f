"""Device credentials on disk: create one or many in a run, and resume after a crash.

The private key is written before the certificate. A key without a certificate therefore comes from an interrupted run,
and the next run uses it. Complete devices are kept and listed again. A file that does not match (another CA, another
name, another key, truncated) is rejected with its path. No existing file is overwritten, except a label image that
cannot be opened.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from lobby.errors import InvalidInput
from lobby.names import Fingerprint, ThingName, shown
from lobby.text.label import decode_label
from pki import storage
from pki.ca import crl, keys
from pki.ca.authority import Authority
from pki.ca.certificate_files import read_certificates
from pki.ca.certificates import DeviceCredential, common_name, fingerprint, is_issued_by, load_certificate
from pki.ca.keys import KeyType
from pki.devices import manifest
from pki.devices.details import NOTHING_KNOWN, Details
from pki.devices.request import Request
from pki.errors import StorageError
from pki.labels import label as labels

DEVICES_DIRECTORY = "devices"


@dataclass(frozen=True)
class DevicePaths:
    """The files of one device. The file `key` does not exist if the certificate was issued for a signing request."""

    certificate: Path
    chain: Path
    key: Path
    label: Path

    @classmethod
    def of(cls, directory: Path, name: str) -> "DevicePaths":
        return cls(*(directory / f"{name}.{part}" for part in ("cert.pem", "chain.pem", "key.pem", "label.png")))


@dataclass(frozen=True)
class Order:
    """One device to create: its name, its details, and its signing request if the device has its own key."""

    name: ThingName
    request: Request | None = None
    details: Details = NOTHING_KNOWN

    @property
    def serial_number(self) -> str:
        return self.details.serial_number or (self.request.serial_number if self.request else "")


@dataclass(frozen=True)
class IssueOptions:
    """Options that apply to every device of a run."""

    now: datetime
    key_type: KeyType = KeyType.EC_P256
    years: int | None = None
    label: bool = True


@dataclass(frozen=True)
class IssuedDevice:
    """A device whose files are complete. `kept`: its certificate existed before this run."""

    name: ThingName
    certid: Fingerprint
    not_after: datetime
    paths: DevicePaths
    kept: bool
    shortened: bool


def write_device(directory: Path, credential: DeviceCredential, *, label: bool = True) -> DevicePaths:
    """Write a credential's files and return their paths. Repeating it with the same credential changes nothing.

    Raise `StorageError` EXISTS if a file with one of the names has different content.
    """
    paths = DevicePaths.of(storage.private_directory(directory), credential.name)
    if credential.private_key is not None:
        storage.write_once(paths.key, keys.encode_device_key(credential.private_key), storage.SECRET)
    storage.write_once(paths.certificate, credential.cert_pem)
    storage.write_once(paths.chain, credential.chain_pem)
    if label and not labels.is_readable_image(paths.label):
        image = labels.render_label(credential.certid, credential.name)
        storage.replace(paths.label, labels.encode_png(image))
    return paths


def make_devices(
    authority: Authority,
    directory: Path,
    orders: Sequence[Order],
    options: IssueOptions,
    on_issued: Callable[[IssuedDevice], None] = lambda _: None,
) -> list[IssuedDevice]:
    """Create every device of `orders` that does not exist yet, and update the manifest. Return all of them. A revoked
    device gets no label.

    Raise `InvalidInput` DUPLICATE_NAME before anything is written. Raise `StorageError` at the first device whose
    existing files do not match; the devices before it stay, and a rerun continues from there.
    """
    refuse_duplicates(order.name for order in orders)
    storage.private_directory(directory)
    with storage.locked(directory):
        manifest.load(directory)  # an invalid manifest stops the run before it creates anything
        issued, revoked = [], {each.fingerprint for each in crl.load_record(authority.directory).revoked}
        for order in orders:
            device = _make_device(authority, directory, order, options, revoked)
            issued.append(device)
            on_issued(device)
        details = {order.name: order.details for order in orders}
        manifest.update(directory, issued_certificates(authority.intermediate, directory), details)
    return issued


def refuse_duplicates(names: Iterable[str]) -> None:
    """Raise `InvalidInput` DUPLICATE_NAME for the first name that occurs twice, ignoring case: on a case-insensitive
    file system both would be the same file."""
    checked: dict[str, str] = {}
    for name in names:
        if first := checked.get(name.lower()):
            raise InvalidInput("DUPLICATE_NAME", f"got {shown(first)} and {shown(name)} in one run, want each once")
        checked[name.lower()] = name


def issued_certificates(issuer: x509.Certificate, directory: Path) -> list[x509.Certificate]:
    """Return the device certificates in `directory` that `issuer` signed, sorted by name."""
    certificates = (load_certificate(path) for path in sorted(directory.glob("*.cert.pem")))
    return [certificate for certificate in certificates if is_issued_by(certificate, issuer)]


def _make_device(
    authority: Authority, directory: Path, order: Order, options: IssueOptions, revoked: Collection[Fingerprint]
) -> IssuedDevice:
    paths = DevicePaths.of(directory, order.name)
    kept = paths.certificate.exists()
    credential = _load_existing(authority, paths, order) if kept else _issue(authority, paths, order, options)
    write_device(directory, credential, label=options.label and credential.certid not in revoked)
    not_after = credential.certificate.not_valid_after_utc
    return IssuedDevice(order.name, credential.certid, not_after, paths, kept, credential.shortened)


def _issue(authority: Authority, paths: DevicePaths, order: Order, options: IssueOptions) -> DeviceCredential:
    if order.request is not None:
        _require_no_key(paths)
        return authority.issue_device(
            order.name,
            now=options.now,
            request=order.request,
            years=options.years,
            serial_number=order.serial_number,
        )
    return authority.issue_device(
        order.name,
        now=options.now,
        key_type=options.key_type,
        key=_key_of_interrupted_run(paths, options.key_type),
        years=options.years,
        serial_number=order.serial_number,
    )


def _key_of_interrupted_run(paths: DevicePaths, key_type: KeyType) -> keys.PrivateKey | None:
    """Return the key that an interrupted run wrote before the certificate, or None."""
    if not paths.key.exists():
        return None
    key = keys.decode_private_key(storage.read(paths.key, "a device's key"), paths.key)
    if keys.describe(key.public_key()) != key_type:
        raise StorageError(
            "EXISTS", f"got {paths.key}, a key {keys.describe(key.public_key())}, want {key_type} or no key"
        )
    return key


def _require_no_key(paths: DevicePaths) -> None:
    if paths.key.exists():
        raise StorageError("EXISTS", f"got {paths.key} and a signing request for this name, want only one of them")


def _load_existing(authority: Authority, paths: DevicePaths, order: Order) -> DeviceCredential:
    """Return the credential on disk if it belongs to this device. The key may be missing, because it may exist only in
    the device."""
    certificate = load_certificate(paths.certificate)
    if not authority.owns(certificate) or common_name(certificate) != order.name:
        raise StorageError("EXISTS", f"got {paths.certificate} of another CA or name: move it away")
    written = manifest.row_of(certificate).details.serial_number
    if order.serial_number and written != order.serial_number:
        raise StorageError(
            "EXISTS", f"got {paths.certificate} with serial number {shown(written)}, want {shown(order.serial_number)}"
        )
    key = None
    if paths.key.exists():
        key = keys.decode_private_key(storage.read(paths.key, "a device's key"), paths.key)
    for public in (key.public_key() if key else None, order.request.public_key if order.request else None):
        if public is not None and not keys.same_key(public, certificate.public_key()):
            raise StorageError("EXISTS", f"got {paths.certificate} for another key: move it away")
    return DeviceCredential(order.name, certificate, key, authority.intermediate)


def find_certificate(authority: Authority, directory: Path, what: str) -> x509.Certificate:
    """Return the device certificate for `what`: a file, a thing name, a fingerprint or a label's code.

    Raise `StorageError` NOT_FOUND or BROKEN_FILE, or `InvalidInput` if it is none of these or several."""
    path = Path(what)
    if path.is_file():
        return _certificate_in(path, authority)
    named = DevicePaths.of(directory, what).certificate
    if named.parent == directory and named.is_file():
        return load_certificate(named)
    try:
        certid = decode_label(what)
    except InvalidInput as err:
        raise InvalidInput(
            err.code, f"{err.message}, or the name of a device in {directory}, or a certificate file"
        ) from None
    for certificate in issued_certificates(authority.intermediate, directory):
        if fingerprint(certificate) == certid:
            return certificate
    raise StorageError(
        "NOT_FOUND", f"got {certid}, want the fingerprint of a device in {directory}, or its certificate file"
    )


def _certificate_in(path: Path, authority: Authority) -> x509.Certificate:
    """Return the device's certificate of a file, which may also contain its chain and key."""
    found = list(dict.fromkeys(read_certificates(path)))
    own = [each for each in found if authority.owns(each)]
    if len(own) > 1:
        raise InvalidInput(
            "SEVERAL_CERTIFICATES",
            f"got {len(own)} certificates of this CA in {path}, want one: name each device, or its fingerprint",
        )
    return own[0] if own else found[0]
