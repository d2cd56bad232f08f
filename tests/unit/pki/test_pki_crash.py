"""A crash at every file operation, followed by a rerun.

The crash is real: a forked child calls `os._exit` before the n-th file operation, so no cleanup code runs. The parent
then repeats the command, as a user would, and checks the files.
"""

import csv
import os
import stat
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pki import storage
from pki.ca.authority import Authority, create_hierarchy, load_authority
from pki.ca.certificates import load_certificate
from pki.ca.crl import Reason, crl_number, load_crl, load_record
from pki.ca.keys import decode_private_key, same_key
from pki.devices.credentials import DevicePaths, IssueOptions, Order, make_devices
from pki.devices.naming import named

pytestmark = pytest.mark.slow

STEPS = ("open", "fsync", "link", "replace", "unlink")
CRASHED = 77


def crash_at(step: int, work: Callable[[], object]) -> bool:
    """Run `work` in a child that exits before its `step`-th file operation. Return False if it completed."""
    child = os.fork()
    if child == 0:
        try:
            _arm(step)
            work()
        except BaseException:  # noqa: BLE001  # no exception of the child may reach pytest
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in {0, CRASHED}
    return status == CRASHED


def _arm(step: int) -> None:
    remaining = [step]

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            remaining[0] -= 1
            if remaining[0] <= 0:
                os._exit(CRASHED)
            return original(*args, **kwargs)

        return call

    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))


def crash_everywhere(fresh: Callable[[int], Callable[[], object]], check: Callable[[int], None]) -> int:
    """Crash at each step, each in its own directory, and `check` it. Return the number of steps."""
    step = 1
    while crash_at(step, fresh(step)):
        check(step)
        step += 1
    return step - 1


def test_a_ca_is_completed_after_a_crash_at_any_step(tmp_path: Path, now: datetime) -> None:
    def fresh(step: int) -> Callable[[], object]:
        return lambda: create_hierarchy(tmp_path / str(step), "Acme", now=now)

    def check(step: int) -> None:
        directory = tmp_path / str(step)
        kept = {path.name: path.read_bytes() for path in directory.glob("*.pem")}
        if not (directory / "intermediate.crl.pem").exists():
            create_hierarchy(directory, "Acme", now=now)
        else:
            with storage.locked(directory):
                pass
        ca = load_authority(directory)
        assert crl_number(load_crl(directory)) >= 1
        assert all((directory / name).read_bytes() == content for name, content in kept.items())
        assert ca.issue_device("d", now=now).certid
        assert storage.leftovers(directory) == []

    assert crash_everywhere(fresh, check) > 20


def test_a_run_is_completed_after_a_crash_at_any_step(shared_ca: Authority, tmp_path: Path, now: datetime) -> None:
    orders, options = named(["one", "two"]), IssueOptions(now, label=False)

    def fresh(step: int) -> Callable[[], object]:
        return lambda: make_devices(shared_ca, tmp_path / str(step), orders, options)

    def check(step: int) -> None:
        directory = tmp_path / str(step)
        kept = {path.name: path.read_bytes() for path in directory.glob("*.pem")}
        make_devices(shared_ca, directory, orders, options)
        assert all((directory / name).read_bytes() == content for name, content in kept.items())
        _check_complete(directory, orders)

    assert crash_everywhere(fresh, check) > 25


def _check_complete(directory: Path, orders: list[Order]) -> None:
    for order in orders:
        paths = DevicePaths.of(directory, order.name)
        certificate = load_certificate(paths.certificate)
        key = decode_private_key(paths.key.read_bytes(), paths.key)
        assert same_key(key.public_key(), certificate.public_key())
        assert paths.chain.read_bytes().startswith(paths.certificate.read_bytes())
        assert stat.S_IMODE(paths.key.stat().st_mode) == 0o600
    with (directory / "manifest.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["thing_name"] for row in rows] == [order.name for order in orders]
    assert storage.leftovers(directory) == []


def test_a_crash_loses_no_revocation(tmp_path: Path, now: datetime) -> None:
    created = {}

    def fresh(step: int) -> Callable[[], object]:
        ca = create_hierarchy(tmp_path / str(step), "Acme", now=now)
        device = ca.issue_device("d", now=now).certificate
        created[step] = (ca, device)
        return lambda: ca.revoke([device], Reason.SUPERSEDED, now=now)

    def check(step: int) -> None:
        ca, device = created[step]
        before = load_crl(ca.directory)
        written = before.get_revoked_certificate_by_serial_number(device.serial_number) is not None
        ca.revoke([device], Reason.SUPERSEDED, now=now)
        issued = load_crl(ca.directory)
        assert issued.get_revoked_certificate_by_serial_number(device.serial_number) is not None
        assert crl_number(issued) > crl_number(before) or written
        assert len(load_record(ca.directory).revoked) == 1

    assert crash_everywhere(fresh, check) > 6


def test_crash_at_interrupts_the_write(tmp_path: Path) -> None:
    assert crash_at(2, lambda: storage.write_new(tmp_path / "key", b"secret", storage.SECRET))
    assert not (tmp_path / "key").exists()
    assert len(storage.leftovers(tmp_path)) == 1
    with pytest.raises(FileNotFoundError):
        (tmp_path / "key").stat()
