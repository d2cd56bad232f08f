"""Device files: never overwritten, kept if complete, rejected if they do not match, and listed once."""

import stat
from datetime import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from lobby.errors import InvalidInput
from pki.ca.authority import Authority
from pki.ca.keys import KeyType
from pki.devices import manifest
from pki.devices.credentials import (
    DevicePaths,
    IssuedDevice,
    IssueOptions,
    Order,
    find_certificate,
    make_devices,
    write_device,
)
from pki.devices.naming import named
from pki.devices.request import Request, parse_request
from pki.errors import StorageError


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def request(name: str) -> Request:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return parse_request(csr.public_bytes(Encoding.PEM), "a.csr")


def test_a_device_has_four_files(shared_ca: Authority, tmp_path: Path, now: datetime) -> None:
    paths = write_device(tmp_path / "out", shared_ca.issue_device("d", now=now))
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"d.cert.pem", "d.chain.pem", "d.key.pem", "d.label.png"}
    assert stat.S_IMODE(paths.key.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_another_credential_for_the_same_name_is_rejected(shared_ca: Authority, tmp_path: Path, now: datetime) -> None:
    first = shared_ca.issue_device("d", now=now)
    write_device(tmp_path, first)
    before = contents(tmp_path)
    write_device(tmp_path, first)
    with pytest.raises(StorageError, match=r"EXISTS: got .*d\.key\.pem"):
        write_device(tmp_path, shared_ca.issue_device("d", now=now))
    assert contents(tmp_path) == before


def test_a_signing_request_creates_no_key_file(shared_ca: Authority, tmp_path: Path, now: datetime) -> None:
    order = Order(request("d").name, request("d"))
    (issued,) = make_devices(shared_ca, tmp_path, [order], IssueOptions(now))
    assert not issued.paths.key.exists()
    assert make_devices(shared_ca, tmp_path, [order], IssueOptions(now))[0].kept


def test_a_rerun_keeps_complete_devices_and_creates_the_rest(
    shared_ca: Authority, tmp_path: Path, now: datetime
) -> None:
    options = IssueOptions(now, label=False)
    make_devices(shared_ca, tmp_path, named(["a", "b"]), options)
    before = contents(tmp_path)
    reported: list[IssuedDevice] = []
    issued = make_devices(shared_ca, tmp_path, named(["a", "b", "c"]), options, reported.append)
    assert [(each.name, each.kept) for each in issued] == [("a", True), ("b", True), ("c", False)]
    assert reported == issued
    after = contents(tmp_path)
    assert {name: after[name] for name in before if name != "manifest.csv"} == {
        name: content for name, content in before.items() if name != "manifest.csv"
    }
    assert [row.name for row in manifest.load(tmp_path)] == ["a", "b", "c"]


def test_a_device_whose_key_file_was_removed_is_kept(shared_ca: Authority, tmp_path: Path, now: datetime) -> None:
    (first,) = make_devices(shared_ca, tmp_path, named(["a"]), IssueOptions(now, label=False))
    first.paths.key.unlink()
    (again,) = make_devices(shared_ca, tmp_path, named(["a"]), IssueOptions(now, label=False))
    assert (again.kept, again.certid) == (True, first.certid)
    assert not first.paths.key.exists()


def test_a_duplicate_name_is_rejected_before_anything_is_written(
    shared_ca: Authority, tmp_path: Path, now: datetime
) -> None:
    a, other_a, upper_a = named(["a"])[0], named(["a"])[0], named(["A"])[0]
    for orders in ([a, other_a], [a, upper_a]):
        with pytest.raises(InvalidInput, match="DUPLICATE_NAME"):
            make_devices(shared_ca, tmp_path / "out", orders, IssueOptions(now))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("part", ["certificate", "chain", "key"])
@pytest.mark.parametrize("keep", [0, 100])
def test_a_truncated_device_file_is_rejected_and_unchanged(
    shared_ca: Authority, tmp_path: Path, now: datetime, part: str, keep: int
) -> None:
    (issued,) = make_devices(shared_ca, tmp_path, named(["a"]), IssueOptions(now, label=False))
    truncated: Path = getattr(issued.paths, part)
    truncated.write_bytes(truncated.read_bytes()[:keep])
    before = contents(tmp_path)
    with pytest.raises(StorageError, match=truncated.name):
        make_devices(shared_ca, tmp_path, named(["a"]), IssueOptions(now, label=False))
    assert contents(tmp_path) == before


def test_a_truncated_label_is_replaced(shared_ca: Authority, tmp_path: Path, now: datetime) -> None:
    (issued,) = make_devices(shared_ca, tmp_path, named(["a"]), IssueOptions(now))
    complete = issued.paths.label.read_bytes()
    for keep in (0, 20, len(complete) // 2):
        issued.paths.label.write_bytes(complete[:keep])
        make_devices(shared_ca, tmp_path, named(["a"]), IssueOptions(now))
        assert issued.paths.label.read_bytes() == complete


def test_files_of_another_ca_key_or_key_type_are_rejected(
    shared_ca: Authority, ca: Authority, tmp_path: Path, now: datetime
) -> None:
    options = IssueOptions(now, label=False)
    paths = make_devices(shared_ca, tmp_path / "out", named(["a", "b"]), options)[0].paths
    with pytest.raises(StorageError, match="of another CA or name"):
        make_devices(ca, tmp_path / "out", named(["a"]), options)
    with pytest.raises(StorageError, match="for another key"):
        make_devices(shared_ca, tmp_path / "out", [Order(request("a").name, request("a"))], options)
    paths.key.write_bytes(DevicePaths.of(tmp_path / "out", "b").key.read_bytes())
    with pytest.raises(StorageError, match="for another key"):
        make_devices(shared_ca, tmp_path / "out", named(["a"]), options)
    paths.certificate.unlink()
    with pytest.raises(StorageError, match="want rsa-2048"):
        make_devices(shared_ca, tmp_path / "out", named(["a"]), IssueOptions(now, KeyType.RSA_2048))
    with pytest.raises(StorageError, match="and a signing request"):
        make_devices(shared_ca, tmp_path / "out", [Order(request("a").name, request("a"))], options)


def test_a_device_is_found_by_its_fingerprint(shared_ca: Authority, tmp_path: Path, now: datetime) -> None:
    issued = make_devices(shared_ca, tmp_path, named(["a", "b"]), IssueOptions(now, label=False))
    certificate = find_certificate(shared_ca, tmp_path, issued[1].certid)
    assert certificate.fingerprint(hashes.SHA256()).hex() == issued[1].certid
    with pytest.raises(StorageError, match="NOT_FOUND"):
        find_certificate(shared_ca, tmp_path, shared_ca.issue_device("c", now=now).certid)


def test_the_manifest_keeps_rows_of_devices_whose_files_were_removed(
    shared_ca: Authority, tmp_path: Path, now: datetime
) -> None:
    options = IssueOptions(now, label=False)
    (first,) = make_devices(shared_ca, tmp_path, named(["a"]), options)
    for path in tmp_path.glob("a.*"):
        path.unlink()
    make_devices(shared_ca, tmp_path, named(["b"]), options)
    rows = manifest.load(tmp_path)
    assert [row.name for row in rows] == ["a", "b"]
    assert rows[0].certid == first.certid
    assert rows[0].not_after == f"{first.not_after:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a,b\n",
        b"fingerprint,thing_name,not_after\nxyz,a,b\n",
        b"fingerprint,thing_name,not_after\n1,2\n",
        b"\xff",
    ],
    ids=["empty", "another header", "no fingerprint", "two columns", "not text"],
)
def test_an_invalid_manifest_is_rejected_and_unchanged(
    shared_ca: Authority, tmp_path: Path, now: datetime, content: bytes
) -> None:
    (tmp_path / "manifest.csv").write_bytes(content)
    with pytest.raises(StorageError, match="BROKEN_FILE"):
        make_devices(shared_ca, tmp_path, named(["a"]), IssueOptions(now, label=False))
    assert {name: kept for name, kept in contents(tmp_path).items() if name != ".lock"} == {"manifest.csv": content}
