"""A disk that cannot be read at the start: the device waits, and does not use the certificate that it has replaced."""

import errno
import os
import sys
from pathlib import Path

import pytest

from device.event_log import EventLog
from device.identity_store import fingerprint
from device.machine.renewal_events import Certificates, NewHeld
from device.renewal_store import RenewalStore
from device.runtime import UNUSABLE, Setup, run_client
from lobby.names import Fingerprint
from tests.unit.device.failing_disk import FailingCalls, FailingOnce
from tests.unit.device.machine_driver import LOBBY, THING
from tests.unit.device.provisioning_cloud import CountedKeys, certificate_for
from tests.unit.device.renewal_cloud import (
    FIRST,
    RENEWS,
    TARGET,
    Lobby,
    RenewingDevice,
    SimulatedRenewals,
    Target,
    disk_in_target,
)
from tests.unit.device.simulated_network import DAY, STATE_DIR, SimulatedNetwork


def renewed(folder: Path) -> Fingerprint:
    """Renew twice, the second time without a proof, and return the certificate in use."""
    store = RenewalStore(folder, THING, FIRST, CountedKeys())
    store.store(certificate_for(store.prepare().public_key), 2)
    used = store.promote().used
    store.store(certificate_for(store.prepare().public_key), 3)
    assert used
    return used


@pytest.mark.parametrize("error", ["EIO", "ENFILE", "ESTALE", "EACCES"])
@pytest.mark.parametrize("call", ["open", "read", "fstat"])
@pytest.mark.parametrize("good_calls", range(5))
def test_a_read_error_of_any_file_is_raised(tmp_path: Path, call: str, error: str, good_calls: int) -> None:
    """The files are the state, and the certificates with their keys: five. The next attempt finds them all."""
    used = renewed(tmp_path)
    new = fingerprint(certificate_for(b"public key 2;"))
    store = RenewalStore(tmp_path, THING, FIRST, CountedKeys(), calls=FailingOnce(good_calls, error, call).calls)
    with pytest.raises(OSError, match=os.strerror(getattr(errno, error))):
        store.load()
    assert store.load() == Certificates(used, NewHeld(new, 3))


def test_a_missing_file_or_folder_means_no_renewal(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path, tmp_path / "absent", tmp_path / "file", tmp_path / "file" / "state"):
        assert RenewalStore(folder, THING, FIRST, CountedKeys()).load() == Certificates()


@pytest.mark.parametrize("times", [1, 3])
def test_a_device_that_cannot_read_its_certificates_waits_and_uses_the_renewed_one(times: int) -> None:
    device, disk = RenewingDevice(), disk_in_target()
    device.renew(disk)
    network = SimulatedNetwork({LOBBY: Lobby(device.cloud), TARGET: Target(device.cloud)}, RENEWS)
    network.now = device.now
    failing = FailingCalls(["open"], "EIO", times, disk)
    store = RenewalStore(STATE_DIR, THING, FIRST, device.keys, calls=failing.calls)
    network.run_device(
        lambda: network.counts["arrived_at_target"], disk, DAY, renewals=SimulatedRenewals(network, store)
    )
    logged = [event for _, event, _ in network.log]
    assert logged[:times] == ["fault"] * times
    assert "refused" not in logged, "the retired certificate was used"


def test_missing_permissions_end_the_client_with_a_clear_error(capsys: pytest.CaptureFixture[str]) -> None:
    def load() -> Setup:
        raise PermissionError(errno.EACCES, "Permission denied", "state/renewal.json")

    assert run_client(load, EventLog("json", sys.stdout), 0) == UNUSABLE
    text = "STATE_DIR_UNUSABLE: got state/renewal.json (Permission denied), want a file that the client can read\n"
    assert capsys.readouterr().err == text
