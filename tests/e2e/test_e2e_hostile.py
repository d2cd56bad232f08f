"""Every hostile certificate connects to the deployed lobby over TLS: none becomes active.

Each connects once; then its registration and its row are read. A certificate that AWS IoT itself refuses (dates,
unknown issuers, keys that TLS does not accept) has no row, because it was never registered.
"""

import hashlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from infra.local.manufacturer import new_name
from lobby.deployment import NAMES
from lobby.wire import crl_key
from tests import certificates as make
from tests.e2e.bare_mqtt import HUNG_UP
from tests.e2e.connections import attempt, connect_admitted
from tests.e2e.deployment import REVOKE, Deployment, until
from tests.hostile import HOSTILE, Hostile, Maker

THROUGH_TLS = {
    "NOT_A_DEVICE",
    "WRONG_PURPOSE",
    "WEAK_KEY",
    "WEAK_SIGNATURE",
    "CA_WEAK_KEY",
    "BAD_SERIAL",
    "BAD_VALIDITY",
    "NAME_MISSING",
    "NAME_DOUBLED",
    "NAME_INVALID",
    "CRL_MISSING",
    "CRL_INVALID",
    "CRL_PARTIAL",
    "CRL_SCOPE",
    "CRL_STALE",
    "REVOKED_BY_ISSUER",
    "NAME_TAKEN",
    "REVOKED",
}
"""Reason codes that the bouncer assigns. AWS IoT refuses the other certificates before it registers them. Which keys
and signatures TLS accepts depends on the version of OpenSSL."""
FIRST_NUMBER = 100


@dataclass(frozen=True)
class Outcome:
    """A hostile certificate that has connected once, its registration and its row."""

    row: Hostile
    certid: str
    registered: str | None
    ledger: dict[str, Any]


class HostileManufacturers:
    """Manufacturers whose CAs are registered with the deployed lobby until `close`."""

    def __init__(self, deployed: Deployment, directory: Path) -> None:
        self.deployed, self.directory = deployed, directory
        self.iot, self.s3 = deployed.client(deployed.lobby, "iot"), deployed.client(deployed.lobby, "s3")
        self.tables = deployed.client(deployed.lobby, "dynamodb")
        self.usual = Maker(datetime.now(UTC), FIRST_NUMBER, new_name())
        self.cas: list[str] = []
        self._register(self.usual.ca, self.usual.crl())

    def connect(self, way: str) -> str:
        """Connect once with the hostile certificate `way` and return its certificate id."""
        row = HOSTILE[way]
        maker = self._maker_for(row)
        pem = row.certificate(maker)
        certid = fingerprint(pem)
        self._before(row, certid)
        files = self._write(pem, row.key(maker))
        try:
            assert attempt(self.deployed, *files, maker.name) == HUNG_UP
        except ssl.SSLError:
            assert row.code not in THROUGH_TLS - {
                "WEAK_KEY",
                "WEAK_SIGNATURE",
            }  # the client on this machine refuses it
        return certid

    def _maker_for(self, row: Hostile) -> Maker:
        if row.issuer(self.usual) is self.usual.ca and not row.crl and not row.before:
            return self.usual
        maker = Maker(self.usual.at, FIRST_NUMBER + 1 + len(self.cas), self.usual.name)
        ca_id = self._register(row.issuer(maker), row.list_for(maker))
        if row.before.startswith("the CA"):
            self._deactivate(ca_id, delete=row.before == "the CA was unregistered")
        return maker

    def _before(self, row: Hostile, certid: str) -> None:
        if row.before == "it was revoked":
            self.deployed.api().ask(REVOKE, id=certid)
        if row.before == "the name is taken":
            held = self._write(self.usual.pem(number=2), make.key("SECP256R1", 2))
            connect_admitted(self.deployed, *held, self.usual.name).close()

    def _write(self, pem: str, key: make.Key) -> tuple[Path, Path]:
        number = len(list(self.directory.iterdir()))
        certificate, secret = self.directory / f"{number}.cert", self.directory / f"{number}.key"
        certificate.write_text(pem)
        secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, secret

    def _register(self, ca: make.Issuer, crl: bytes | None) -> str:
        ca_id = str(
            self.iot.register_ca_certificate(
                caCertificate=ca.pem, certificateMode="SNI_ONLY", setAsActive=True, allowAutoRegistration=True
            )["certificateId"]
        )
        self.cas.append(ca_id)
        if crl is not None:
            bucket = NAMES.trust_bucket(self.deployed.lobby.account, self.deployed.lobby.region)
            self.s3.put_object(Bucket=bucket, Key=crl_key(ca_id), Body=crl)
        return ca_id

    def _deactivate(self, ca_id: str, *, delete: bool) -> None:
        self.iot.update_ca_certificate(certificateId=ca_id, newStatus="INACTIVE", newAutoRegistrationStatus="DISABLE")
        if delete:
            self.iot.delete_ca_certificate(certificateId=ca_id)
            self.cas.remove(ca_id)

    def outcomes(self, certids: dict[str, str]) -> dict[str, Outcome]:
        """Return the outcome of each certificate when none is pending activation."""
        registered = until(lambda: self._registered(set(certids.values())))
        return {
            way: Outcome(HOSTILE[way], certid, registered.get(certid), self._row(certid))
            for way, certid in certids.items()
        }

    def _registered(self, certids: set[str]) -> dict[str, str] | None:
        pages = self.iot.get_paginator("list_certificates").paginate()
        statuses = {each["certificateId"]: each["status"] for page in pages for each in page["certificates"]}
        ours = {certid: statuses[certid] for certid in certids & statuses.keys()}
        return None if "PENDING_ACTIVATION" in ours.values() else ours

    def _row(self, certid: str) -> dict[str, Any]:
        item = self.tables.get_item(
            TableName="device-lobby-ledger", Key={"certid": {"S": certid}}, ConsistentRead=True
        ).get("Item", {})
        return {name: item.get(name, {}).get("S") for name in ("devstate", "reason", "message")}

    def close(self) -> None:
        for ca_id in list(self.cas):
            self._deactivate(ca_id, delete=True)


def fingerprint(pem: str) -> str:
    """Return the fingerprint, also of a certificate that `cryptography` cannot parse."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def is_one_certificate(way: str) -> bool:
    """Return whether the PEM text contains one certificate, which TLS can present as it is."""
    return HOSTILE[way].certificate(Maker()).count("-----END CERTIFICATE-----\n") == 1


def presentable() -> list[str]:
    """Return the rows of the table whose certificate TLS can present and whose CA AWS IoT can register."""
    return [way for way in HOSTILE if HOSTILE[way].code != "CA_INVALID" and is_one_certificate(way)]


def one_for_each_code() -> list[str]:
    """Return a sample of the table: the first row of each code."""
    sample: dict[str, str] = {}
    for way in presentable():
        sample.setdefault(HOSTILE[way].code, way)
    return list(sample.values())


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(one_for_each_code, id="one row for each code"),
        pytest.param(presentable, id="the whole table", marks=pytest.mark.full),
    ],
)
def outcomes(
    deployed: Deployment, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[dict[str, Outcome]]:
    manufacturers = HostileManufacturers(deployed, tmp_path_factory.mktemp("hostile"))
    try:
        certids = {way: manufacturers.connect(way) for way in request.param()}
        yield manufacturers.outcomes(certids)
    finally:
        manufacturers.close()


@pytest.mark.filterwarnings("ignore:Attribute's length", "ignore:Parsed a serial number")
def test_no_hostile_certificate_is_ever_active(outcomes: dict[str, Outcome]) -> None:
    assert {each.registered for each in outcomes.values()} == {None, "INACTIVE"}


@pytest.mark.filterwarnings("ignore:Attribute's length", "ignore:Parsed a serial number")
def test_each_certificate_that_tls_accepts_has_a_row_with_its_reason(outcomes: dict[str, Outcome]) -> None:
    through = {way: each for way, each in outcomes.items() if each.registered}
    got = {way: (each.ledger["devstate"], each.ledger["reason"]) for way, each in through.items()}
    want = {
        way: ("revoked" if each.row.code == "REVOKED" else "refused", each.row.code) for way, each in through.items()
    }
    assert got == want
    assert all(each.ledger["message"] for each in through.values())
    codes = {each.row.code for each in through.values()}
    assert codes == THROUGH_TLS if len(outcomes) == len(presentable()) else codes and codes <= THROUGH_TLS


@pytest.mark.filterwarnings("ignore:Attribute's length", "ignore:Parsed a serial number")
def test_a_certificate_that_tls_refuses_leaves_no_row(outcomes: dict[str, Outcome]) -> None:
    kept = {way: each.ledger for way, each in outcomes.items() if not each.registered and any(each.ledger.values())}
    assert kept == {}
    assert {each.row.code for each in outcomes.values()} - THROUGH_TLS == {
        each.row.code for each in outcomes.values() if not each.registered
    } - THROUGH_TLS
