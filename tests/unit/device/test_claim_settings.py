"""Which certificate a provisioned device starts with, after damage and power cuts: it never ends without one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from device.claim_settings import load_claim_settings
from device.errors import BadCredentials
from device.identity_store import IdentityStore, fingerprint
from device.libraries import TlsFiles
from device.machine.plan import Timing
from device.machine.provisioning_messages import Pending, certificate_der
from device.options import Options
from device.renewal_store import CertificateFiles, RenewalStore
from device.runtime import Opener, Setup
from device.validity import Validity
from tests.unit.device.provisioning_cloud import PROVISIONING, SERIAL, TEMPLATE, CountedKeys, certificate_for

NOW = datetime(2026, 11, 30, tzinfo=UTC)
CLAIM = TlsFiles(Path("claim.pem"), Path("claim.key"), Path("ca.pem"))


def _opener(_connection_id: int, _report: object) -> None:  # pragma: no cover - never opened
    raise AssertionError


class CheckedLibraries:
    """`device.libraries.Libraries` that reads the files, and records those of the connections."""

    def __init__(self) -> None:
        self.keys = CountedKeys()
        self.used: TlsFiles | None = None

    def validity(self, certificate: Path) -> Validity:
        assert certificate == CLAIM.cert or certificate.exists()
        return Validity(NOW - timedelta(days=1), NOW + timedelta(days=1))

    def opener(self, files: TlsFiles, client_id: Callable[[], str], answer_s: float) -> Opener:  # noqa: ARG002
        if files != CLAIM:
            if not files.key.exists():
                raise BadCredentials("KEY_UNREADABLE", f"got {files.key}")
            if self.keys.public_key(files.key.read_bytes()) not in certificate_der(files.cert.read_text()):
                raise BadCredentials("KEY_MISMATCH", f"got {files.key}")
        self.used = files
        return _opener  # type: ignore[return-value]


class ProvisionedDevice:
    """A device with an identity in a folder. Each renewal is proven by `promote`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.libraries = folder, CheckedLibraries()
        self.identities = IdentityStore(folder, PROVISIONING, self.libraries.keys)
        self.provision()

    def provision(self) -> None:
        public_key = self.identities.prepare().public_key
        self.pem = certificate_for(public_key)
        self.identities.store(SERIAL, Pending(self.pem, "token"))
        own_key = self.folder / "device.key.pem"
        self.renewals = RenewalStore(self.folder, SERIAL, fingerprint(self.pem), self.libraries.keys, own_key)

    def renew(self) -> CertificateFiles:
        pem = certificate_for(self.renewals.prepare().public_key)
        self.renewals.store(pem, 2)
        return self.renewals.files(fingerprint(pem))

    def start(self) -> Setup:
        options = Options(
            None,
            None,
            CLAIM.ca,
            ("lobby.example",),
            8883,
            self.folder,
            claim_cert=CLAIM.cert,
            claim_key=CLAIM.key,
            serial=SERIAL,
            template=TEMPLATE,
        )
        return load_claim_settings(options, Timing(), self.libraries, NOW, exit_on_arrival=False, show_codes=False)

    def certificate(self) -> Path:
        """Start, and return the certificate that the device connects with."""
        self.start()
        assert self.libraries.used is not None
        return self.libraries.used.cert


@pytest.fixture
def device(tmp_path: Path) -> ProvisionedDevice:
    return ProvisionedDevice(tmp_path)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:2])


def test_a_device_starts_with_its_own_certificate_until_a_renewed_one_is_proven(device: ProvisionedDevice) -> None:
    own = device.folder / "device.cert.pem"
    assert device.certificate() == own
    first = device.renew()
    assert device.certificate() == own
    device.renewals.promote()
    assert device.certificate() == first.cert


@pytest.mark.parametrize("damage", [Path.unlink, truncate])
@pytest.mark.parametrize("kind", ["key", "cert"])
def test_a_new_certificate_is_used_if_the_one_in_use_is_damaged(
    device: ProvisionedDevice, kind: str, damage: Callable[[Path], object]
) -> None:
    used = device.renew()
    device.renewals.promote()
    new = device.renew()
    damage(getattr(used, kind))
    assert device.certificate() == new.cert
    assert device.start().plan.provisioning is None


@pytest.mark.parametrize("has_own_key", [False, True])
def test_a_device_without_any_whole_certificate_is_provisioned_again(
    device: ProvisionedDevice, has_own_key: bool
) -> None:
    """A power cut after `renewal.json` is written can leave the own key, whose certificate is retired."""
    own_key = device.folder / "device.key.pem"
    content = own_key.read_bytes()
    used = device.renew()
    device.renewals.promote()
    if has_own_key:
        own_key.write_bytes(content)
    truncate(used.key)
    setup = device.start()
    assert setup.plan.provisioning == PROVISIONING
    assert device.libraries.used == CLAIM
    assert setup.identities is not None
    device.provision()
    assert device.start().plan.provisioning is None
    assert device.certificate() == device.folder / "device.cert.pem"


def test_the_key_of_a_second_provisioning_is_kept_after_a_power_cut(device: ProvisionedDevice) -> None:
    used = device.renew()
    device.renewals.promote()
    truncate(used.key)
    first = device.identities.prepare()
    setup = device.start()
    assert setup.plan.provisioning == PROVISIONING
    assert device.identities.prepare() == first


def test_a_device_that_has_not_renewed_and_has_lost_its_key_is_provisioned_again(device: ProvisionedDevice) -> None:
    truncate(device.folder / "device.key.pem")
    assert device.start().plan.provisioning == PROVISIONING
