"""Device files: never written over, kept when whole, refused when they do not fit, and listed once."""

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
from pki import manifest
from pki.authority import Authority
from pki.devices import DevicePaths, Made, Order, Terms, find_certificate, make_devices, write_device
from pki.errors import StorageError
from pki.keys import KeyType
from pki.naming import named
from pki.request import Request, parse_request


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def request(name: str) -> Request:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return parse_request(csr.public_bytes(Encoding.PEM), "a.csr")


def test_a_device_has_its_four_files(shared_ca: Authority, tmp_path: Path, now: datetime) -> None:
    paths = write_device(tmp_path / "out", shared_ca.issue_device("d", now=now))
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"d.cert.pem", "d.chain.pem", "d.key.pem", "d.label.png"}
    assert stat.S_IMODE(paths.key.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_another_credential_of_the_name_changes_nothing(shared_ca: Authority, tmp_path: Path, now: datetime) -> None:
    first = shared_ca.issue_device("d", now=now)
    write_device(tmp_path, first)
    before = contents(tmp_path)
    write_device(tmp_path, first)
    with pytest.raises(StorageError, match=r"EXISTS: got .*d\.key\.pem"):
        write_device(tmp_path, shared_ca.issue_device("d", now=now))
    assert contents(tmp_path) == before


def test_a_request_leaves_no_key_on_the_disk(shared_ca: Authority, tmp_path: Path, now: datetime) -> None:
    order = Order(request("d").name, request("d"))
    (made,) = make_devices(shared_ca, tmp_path, [order], Terms(now))
    assert not made.paths.key.exists()
    assert make_devices(shared_ca, tmp_path, [order], Terms(now))[0].kept


def test_a_rerun_keeps_what_is_whole_and_makes_the_rest(shared_ca: Authority, tmp_path: Path, now: datetime) -> None:
    terms = Terms(now, label=False)
    make_devices(shared_ca, tmp_path, named(["a", "b"]), terms)
    before = contents(tmp_path)
    seen: list[Made] = []
    made = make_devices(shared_ca, tmp_path, named(["a", "b", "c"]), terms, seen.append)
    assert [(one.name, one.kept) for one in made] == [("a", True), ("b", True), ("c", False)]
    assert seen == made
    after = contents(tmp_path)
    assert {name: after[name] for name in before if name != "manifest.csv"} == {
        name: content for name, content in before.items() if name != "manifest.csv"
    }
    assert [row.name for row in manifest.load(tmp_path)] == ["a", "b", "c"]


def test_a_key_that_went_into_the_device_is_not_missed(shared_ca: Authority, tmp_path: Path, now: datetime) -> None:
    (first,) = make_devices(shared_ca, tmp_path, named(["a"]), Terms(now, label=False))
    first.paths.key.unlink()
    (again,) = make_devices(shared_ca, tmp_path, named(["a"]), Terms(now, label=False))
    assert (again.kept, again.certid) == (True, first.certid)
    assert not first.paths.key.exists()


def test_a_double_name_is_refused_before_anything_is_written(
    shared_ca: Authority, tmp_path: Path, now: datetime
) -> None:
    a, other_a, upper_a = named(["a"])[0], named(["a"])[0], named(["A"])[0]
    for orders in ([a, other_a], [a, upper_a]):
        with pytest.raises(InvalidInput, match="DUPLICATE_NAME"):
            make_devices(shared_ca, tmp_path / "out", orders, Terms(now))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("part", ["certificate", "chain", "key"])
@pytest.mark.parametrize("keep", [0, 100])
def test_a_torn_file_is_refused_by_name_and_left(
    shared_ca: Authority, tmp_path: Path, now: datetime, part: str, keep: int
) -> None:
    (made,) = make_devices(shared_ca, tmp_path, named(["a"]), Terms(now, label=False))
    torn: Path = getattr(made.paths, part)
    torn.write_bytes(torn.read_bytes()[:keep])
    before = contents(tmp_path)
    with pytest.raises(StorageError, match=torn.name):
        make_devices(shared_ca, tmp_path, named(["a"]), Terms(now, label=False))
    assert contents(tmp_path) == before


def test_a_torn_label_is_made_anew(shared_ca: Authority, tmp_path: Path, now: datetime) -> None:
    (made,) = make_devices(shared_ca, tmp_path, named(["a"]), Terms(now))
    whole = made.paths.label.read_bytes()
    for keep in (0, 20, len(whole) // 2):
        made.paths.label.write_bytes(whole[:keep])
        make_devices(shared_ca, tmp_path, named(["a"]), Terms(now))
        assert made.paths.label.read_bytes() == whole


def test_files_of_another_ca_key_or_kind_are_not_taken_for_ours(
    shared_ca: Authority, ca: Authority, tmp_path: Path, now: datetime
) -> None:
    terms = Terms(now, label=False)
    paths = make_devices(shared_ca, tmp_path / "out", named(["a", "b"]), terms)[0].paths
    with pytest.raises(StorageError, match="of another CA or name"):
        make_devices(ca, tmp_path / "out", named(["a"]), terms)
    with pytest.raises(StorageError, match="for another key"):
        make_devices(shared_ca, tmp_path / "out", [Order(request("a").name, request("a"))], terms)
    paths.key.write_bytes(DevicePaths.of(tmp_path / "out", "b").key.read_bytes())
    with pytest.raises(StorageError, match="for another key"):
        make_devices(shared_ca, tmp_path / "out", named(["a"]), terms)
    paths.certificate.unlink()
    with pytest.raises(StorageError, match="want rsa-2048"):
        make_devices(shared_ca, tmp_path / "out", named(["a"]), Terms(now, KeyType.RSA_2048))
    with pytest.raises(StorageError, match="beside a request"):
        make_devices(shared_ca, tmp_path / "out", [Order(request("a").name, request("a"))], terms)


def test_a_device_is_found_by_its_fingerprint(shared_ca: Authority, tmp_path: Path, now: datetime) -> None:
    made = make_devices(shared_ca, tmp_path, named(["a", "b"]), Terms(now, label=False))
    found = find_certificate(shared_ca, tmp_path, made[1].certid)
    assert found.fingerprint(hashes.SHA256()).hex() == made[1].certid
    with pytest.raises(StorageError, match="NOT_FOUND"):
        find_certificate(shared_ca, tmp_path, shared_ca.issue_device("c", now=now).certid)


def test_rows_of_devices_that_were_moved_away_stay(shared_ca: Authority, tmp_path: Path, now: datetime) -> None:
    terms = Terms(now, label=False)
    (first,) = make_devices(shared_ca, tmp_path, named(["a"]), terms)
    for path in tmp_path.glob("a.*"):
        path.unlink()
    make_devices(shared_ca, tmp_path, named(["b"]), terms)
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
    ids=["empty", "another head", "no fingerprint", "two columns", "no text"],
)
def test_a_manifest_changed_by_hand_is_refused_not_lost(
    shared_ca: Authority, tmp_path: Path, now: datetime, content: bytes
) -> None:
    (tmp_path / "manifest.csv").write_bytes(content)
    with pytest.raises(StorageError, match="BROKEN_FILE"):
        make_devices(shared_ca, tmp_path, named(["a"]), Terms(now, label=False))
    assert {name: kept for name, kept in contents(tmp_path).items() if name != ".lock"} == {"manifest.csv": content}
