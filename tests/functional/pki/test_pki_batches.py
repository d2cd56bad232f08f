"""`lobby-pki device` with serial numbers, SKUs and batches, and `revoke`: the commands of a production line."""

import csv
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pki.ca.certificates import fingerprint, load_certificate
from pki.ca.crl import crl_number, load_crl
from tests.functional.pki.command_line import Run


@pytest.fixture
def pki(run: Run) -> Run:
    run("init", "ca", "--organization", "Acme GmbH")
    return run


def rows(file: str) -> list[dict[str, str]]:
    with Path("ca/devices", file).open(newline="") as lines:
        return list(csv.DictReader(lines))


def serial_number_in(name: str) -> list[str | bytes]:
    subject = load_certificate(Path(f"ca/devices/{name}.cert.pem")).subject
    return [attribute.value for attribute in subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)]


SPREADSHEETS = {
    "comma": b"thing_name,serial_number,sku,batch\nsensor-1,SN 0001,ACME-7,2026-48\nsensor-2,,,\n",
    "semicolon of a spreadsheet": b"sep=;\r\n"
    b"name;sku;serial_number;batch\r\nsensor-1;ACME-7;SN 0001;2026-48\r\nsensor-2;;;\r\n",
    "UTF-16 with tabs": (
        "thing_name\tserial_number\tsku\tbatch\r\nsensor-1\tSN 0001\tACME-7\t2026-48\r\nsensor-2\t\t\t\r\n"
    ).encode("utf-16"),
    "bars, a title and other spellings": b"Order 7|||\nThing Name|Serial-Number|SKU|Batch\n"
    b"sensor-1|SN 0001|ACME-7|2026-48\nsensor-2|||\n",
    "a separator line that was saved with commas": b'"sep=;",,,\nthing_name,serial_number,sku,batch\n'
    b"sensor-1,SN 0001,ACME-7,2026-48\nsensor-2,,,\n",
    "protected texts and empty columns": b"thing_name;serial_number;sku;batch;;\n"
    b'="sensor-1";"=""SN 0001""";ACME-7;="2026-48";;\nsensor-2;;;;;\n',
    "UTF-16 without a mark": (
        "thing_name,serial_number,sku,batch\r\nsensor-1,SN 0001,ACME-7,2026-48\r\nsensor-2,,,\r\n"
    ).encode("utf-16-be"),
    "BOM and quotes": b'\xef\xbb\xbf"thing_name","serial_number","sku","batch"\n'
    b'"sensor-1","SN 0001","ACME-7","2026-48"\nsensor-2,,,\n',
}


@pytest.mark.parametrize("content", SPREADSHEETS.values(), ids=SPREADSHEETS)
def test_devices_of_a_csv_have_their_details_in_certificate_and_manifests(pki: Run, content: bytes) -> None:
    Path("order.csv").write_bytes(content)
    done = pki("device", "ca", "--csv", "order.csv", "--sku", "OTHER", "--batch", "rest", "--no-label")
    assert "manifest-2026-48.csv" in done.stdout
    first, second = rows("manifest.csv")
    assert [first[name] for name in ("thing_name", "serial_number", "sku", "batch")] == [
        *("sensor-1", "SN 0001", "ACME-7", "2026-48")
    ]
    assert [second[name] for name in ("thing_name", "serial_number", "sku", "batch")] == [
        "sensor-2",
        "",
        "OTHER",
        "rest",
    ]
    assert rows("manifest-2026-48.csv") == [first]
    assert rows("manifest-rest.csv") == [second]
    assert (serial_number_in("sensor-1"), serial_number_in("sensor-2")) == (["SN 0001"], [])


def test_a_batch_can_be_repeated_and_extended(pki: Run) -> None:
    pki("device", "ca", "--count", "2", "--batch", "A", "--no-label")
    pki("device", "ca", "--count", "3", "--batch", "A", "--no-label")
    pki("device", "ca", "other", "--no-label")
    assert [row["thing_name"] for row in rows("manifest-A.csv")] == [f"device-00000{n}" for n in (1, 2, 3)]
    assert len(rows("manifest.csv")) == 4


def test_a_manifest_of_an_earlier_version_is_completed(pki: Run) -> None:
    pki("device", "ca", "a", "--no-label")
    path = Path("ca/devices/manifest.csv")
    path.write_text("\n".join(",".join(line.split(",")[:3]) for line in path.read_text().splitlines()) + "\n")
    pki("device", "ca", "a", "--batch", "late", "--no-label")
    assert [row["batch"] for row in rows("manifest.csv")] == ["late"]


INVALID = {
    "an unknown column": (b"thing_name,colour\na,red\n", "INVALID_NAMES_FILE.*colour"),
    "no name": (b"serial_number\n1\n", "INVALID_NAMES_FILE"),
    "no rows": (b"thing_name\n", "INVALID_NAMES_FILE"),
    "empty": (b"", "INVALID_NAMES_FILE"),
    "another number of cells": (b"thing_name,sku\na\n", "line 2: got 1 cells"),
    "a formula": (b"thing_name,sku\na,=1+1\n", "INVALID_SKU.*line 2"),
    "a path as batch": (b"thing_name,batch\na,../x\n", "INVALID_BATCH"),
    "an invalid serial number": ("thing_name,serial_number\na,ü\n".encode(), "INVALID_SERIAL_NUMBER"),
    "a name twice": (b"thing_name\na\nA\n", "DUPLICATE_NAME"),
    "a shortened number": (b"thing_name,serial_number\na,1.23457E+11\n", "DAMAGED_NUMBER.*line 2.*shortened"),
    "a rounded number": (b"thing_name,serial_number\na,8949123456789010000\n", "DAMAGED_NUMBER.*rounded"),
    "a name that became a date": (b"thing_name\n2-Jan\n", "DAMAGED_NUMBER.*line 2.*a date"),
    "a workbook": (b"PK\x03\x04", "INVALID_NAMES_FILE.*a workbook"),
    "a compressed file": (b"\x1f\x8b", "INVALID_NAMES_FILE.*compressed"),
    "no text": (b"\xff\xff\xff", "INVALID_NAMES_FILE"),
    "an open quote": (b'thing_name\n"a\n', "INVALID_NAMES_FILE"),
}


@pytest.mark.parametrize(("content", "message"), INVALID.values(), ids=INVALID)
def test_an_invalid_csv_creates_nothing(pki: Run, content: bytes, message: str) -> None:
    Path("order.csv").write_bytes(content)
    done = pki("device", "ca", "--csv", "order.csv", status=2)
    for part in message.split(".*"):
        assert part in done.stderr
    assert not Path("ca/devices").exists()


def request(path: str, *more: "x509.NameAttribute[str]") -> None:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sensor-9"), *more])
    key = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    Path(path).write_bytes(csr.public_bytes(Encoding.PEM))


def test_the_serial_number_of_a_request_is_kept(pki: Run) -> None:
    request("csr", x509.NameAttribute(NameOID.SERIAL_NUMBER, "SN-9"))
    pki("device", "ca", "--csr", "csr", "--no-label")
    assert serial_number_in("sensor-9") == ["SN-9"]
    assert rows("manifest.csv")[0]["serial_number"] == "SN-9"
    assert "1 kept" in pki("device", "ca", "--csr", "csr", "--no-label").stdout


def test_another_serial_number_for_an_existing_device_is_rejected(pki: Run) -> None:
    Path("order.csv").write_text("thing_name,serial_number\na,1\n")
    pki("device", "ca", "--csv", "order.csv", "--no-label")
    Path("order.csv").write_text("thing_name,serial_number\na,2\n")
    assert "EXISTS" in pki("device", "ca", "--csv", "order.csv", "--no-label", status=1).stderr


def test_without_years_a_device_is_valid_as_long_as_its_ca(pki: Run) -> None:
    assert pki("device", "ca", "a", "--no-label").stderr == ""
    issuer = load_certificate(Path("ca/intermediate.cert.pem"))
    assert load_certificate(Path("ca/devices/a.cert.pem")).not_valid_after_utc == issuer.not_valid_after_utc
    assert "not for the requested 20 years" in pki("device", "ca", "b", "--years", "20", "--no-label").stderr


def test_a_revocation_has_no_effect_before_its_publication_and_can_be_repeated(pki: Run) -> None:
    pki("device", "ca", "a", "b", "c", "--no-label")
    done = pki("revoke", "ca", "a", "ca/devices/b.cert.pem", "--reason", "key-compromise")
    assert "the lobby admits these devices until this list is published: lobby-pki publish-crl ca" in done.stderr
    again = pki("revoke", "ca", fingerprint(load_certificate(Path("ca/devices/a.cert.pem"))))
    assert "was revoked on" in again.stdout
    assert "(key-compromise)" in again.stdout
    crl = load_crl(Path("ca"))
    assert (len(crl), crl_number(crl)) == (2, 2)
    assert "INVALID_FINGERPRINT" in pki("revoke", "ca", "nobody", status=2).stderr


def test_revoked_devices_get_no_labels(pki: Run) -> None:
    pki("device", "ca", "a", "b", "--no-label")
    pki("revoke", "ca", "a")
    assert "no labels for 1 revoked device" in pki("labels", "ca", "--out", "all.pdf").stderr
    assert "REVOKED_DEVICE" in pki("labels", "ca", "a", "--out", "one.pdf", status=2).stderr
    assert not Path("one.pdf").exists()
    pki("device", "ca", "a", "b")
    assert [path.name for path in Path("ca/devices").glob("*.png")] == ["b.label.png"]
    pki("revoke", "ca", "b")
    assert "UNKNOWN_DEVICE" in pki("labels", "ca", status=2).stderr
