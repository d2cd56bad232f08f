"""Every hostile certificate at the deployed door, over TLS: none is ever active; what TLS lets through leaves a row.

All of them knock once; then it is looked at what became of them. What AWS IoT itself hangs up on (dates, foreign
issuers, keys that TLS does not take) leaves nothing, as nothing was ever registered.
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
from lobby.wire import crl_key, trust_bucket
from tests import certificates as make
from tests.e2e.bare_mqtt import HUNG_UP
from tests.e2e.deployment import REVOKE, Deployment, until
from tests.e2e.doors import admitted, knock
from tests.hostile import HOSTILE, Hostile, Maker

THROUGH_TLS = {
    "NOT_A_DEVICE",
    "WRONG_PURPOSE",
    "WEAK_KEY",
    "WEAK_SIGNATURE",
    "NAME_MISSING",
    "NAME_DOUBLED",
    "NAME_INVALID",
    "CRL_MISSING",
    "CRL_INVALID",
    "CRL_STALE",
    "REVOKED_BY_ISSUER",
    "NAME_TAKEN",
    "REVOKED",
}
"""Codes that a device brings about at the deployed door. The others are AWS IoT's own to refuse, before it registers
anything; which keys and signatures pass depends on the OpenSSL."""
FIRST_NUMBER = 100


@dataclass(frozen=True)
class Knocked:
    """A hostile certificate that has knocked, and what is known of it by now."""

    row: Hostile
    certid: str
    registered: str | None
    ledger: dict[str, Any]


class Door:
    """Manufacturers of the test's own, registered with the deployed lobby for as long as it takes."""

    def __init__(self, deployed: Deployment, directory: Path) -> None:
        self.deployed, self.directory = deployed, directory
        self.iot, self.s3 = deployed.client(deployed.lobby, "iot"), deployed.client(deployed.lobby, "s3")
        self.tables = deployed.client(deployed.lobby, "dynamodb")
        self.usual = Maker(datetime.now(UTC), FIRST_NUMBER, new_name())
        self.cas: list[str] = []
        self._register(self.usual.ca, self.usual.crl())

    def knock(self, way: str) -> str:
        """The certificate id of one that has knocked."""
        row = HOSTILE[way]
        maker = self._maker_for(row)
        pem = row.certificate(maker)
        certid = fingerprint(pem)
        self._before(row, certid)
        paper = self._paper(pem, row.key(maker))
        try:
            assert knock(self.deployed, *paper, maker.name) == HUNG_UP
        except ssl.SSLError:
            assert row.code not in THROUGH_TLS - {
                "WEAK_KEY",
                "WEAK_SIGNATURE",
            }  # not even this machine's client takes it
        return certid

    def _maker_for(self, row: Hostile) -> Maker:
        if row.issuer(self.usual) is self.usual.ca and not row.crl and not row.before:
            return self.usual
        maker = Maker(self.usual.at, FIRST_NUMBER + 1 + len(self.cas), self.usual.name)
        ca_id = self._register(row.issuer(maker), row.list_for(maker))
        if row.before.startswith("the CA"):
            self._take_out(ca_id, delete=row.before == "the CA was unregistered")
        return maker

    def _before(self, row: Hostile, certid: str) -> None:
        if row.before == "it was banned":
            self.deployed.api().ask(REVOKE, id=certid)
        if row.before == "the name is held":
            held = self._paper(self.usual.pem(number=2), make.key("SECP256R1", 2))
            admitted(self.deployed, *held, self.usual.name).close()

    def _paper(self, pem: str, key: make.Key) -> tuple[Path, Path]:
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
            bucket = trust_bucket(self.deployed.lobby.account, self.deployed.lobby.region)
            self.s3.put_object(Bucket=bucket, Key=crl_key(ca_id), Body=crl)
        return ca_id

    def _take_out(self, ca_id: str, *, delete: bool) -> None:
        self.iot.update_ca_certificate(certificateId=ca_id, newStatus="INACTIVE", newAutoRegistrationStatus="DISABLE")
        if delete:
            self.iot.delete_ca_certificate(certificateId=ca_id)
            self.cas.remove(ca_id)

    def settled(self, certids: dict[str, str]) -> dict[str, Knocked]:
        """What became of each, once none is pending any more."""
        registered = until(lambda: self._registered(set(certids.values())))
        return {
            way: Knocked(HOSTILE[way], certid, registered.get(certid), self._row(certid))
            for way, certid in certids.items()
        }

    def _registered(self, certids: set[str]) -> dict[str, str] | None:
        pages = self.iot.get_paginator("list_certificates").paginate()
        found = {each["certificateId"]: each["status"] for page in pages for each in page["certificates"]}
        ours = {certid: found[certid] for certid in certids & found.keys()}
        return None if "PENDING_ACTIVATION" in ours.values() else ours

    def _row(self, certid: str) -> dict[str, Any]:
        item = self.tables.get_item(
            TableName="device-lobby-ledger", Key={"certid": {"S": certid}}, ConsistentRead=True
        ).get("Item", {})
        return {name: item.get(name, {}).get("S") for name in ("devstate", "reason", "message")}

    def close(self) -> None:
        for ca_id in list(self.cas):
            self._take_out(ca_id, delete=True)


def fingerprint(pem: str) -> str:
    """Also of what `cryptography` cannot read."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def is_one_certificate(way: str) -> bool:
    """Whether it can be presented in TLS at all, and is then what the row says."""
    return HOSTILE[way].certificate(Maker()).count("-----END CERTIFICATE-----\n") == 1


@pytest.fixture(scope="module")
def knocked(deployed: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Knocked]]:
    door = Door(deployed, tmp_path_factory.mktemp("hostile"))
    try:
        certids = {way: door.knock(way) for way in HOSTILE if is_one_certificate(way)}
        yield door.settled(certids)
    finally:
        door.close()


@pytest.mark.filterwarnings("ignore:Attribute's length")
def test_no_hostile_certificate_is_ever_active(knocked: dict[str, Knocked]) -> None:
    assert {each.registered for each in knocked.values()} == {None, "INACTIVE"}


@pytest.mark.filterwarnings("ignore:Attribute's length")
def test_each_that_tls_lets_through_leaves_a_row_with_its_reason(knocked: dict[str, Knocked]) -> None:
    through = {way: each for way, each in knocked.items() if each.registered}
    got = {way: (each.ledger["devstate"], each.ledger["reason"]) for way, each in through.items()}
    want = {
        way: ("revoked" if each.row.code == "REVOKED" else "refused", each.row.code) for way, each in through.items()
    }
    assert got == want
    assert all(each.ledger["message"] for each in through.values())
    assert {each.row.code for each in through.values()} == THROUGH_TLS


@pytest.mark.filterwarnings("ignore:Attribute's length")
def test_what_tls_hangs_up_on_leaves_nothing(knocked: dict[str, Knocked]) -> None:
    kept = {way: each.ledger for way, each in knocked.items() if not each.registered and any(each.ledger.values())}
    assert kept == {}
    assert {each.row.code for each in knocked.values()} - THROUGH_TLS == {
        each.row.code for each in knocked.values() if not each.registered
    } - THROUGH_TLS
