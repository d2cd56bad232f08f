"""A device at the door `claim`, without the reference client: the requests of fleet provisioning over real TLS.

A test can send any certificate signing request, token and serial number. The reference client cannot.
"""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from infra.local.lobby_file import LobbyFile
from tests.e2e.bare_mqtt import CONNACK, PUBLISH, SUBACK, BareMqtt

CSR = "$aws/certificates/create-from-csr/json"
_ATTEMPTS = 20
_ANSWERS = ("accepted", "rejected")


@dataclass(frozen=True)
class Credentials:
    """The files of a private key and a certificate."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Pending:
    """A certificate that AWS IoT has issued, its ownership token, and the key."""

    certid: str
    pem: str
    token: str
    key: ec.EllipticCurvePrivateKey

    def files(self, directory: Path) -> Credentials:
        return stored(directory, self.certid[:8], self.key, self.pem)


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def request_of(key: ec.EllipticCurvePrivateKey, cn: str | None) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)] if cn else [])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, SHA256())
    return request.public_bytes(Encoding.PEM).decode()


def stored(directory: Path, name: str, key: ec.EllipticCurvePrivateKey, pem: str) -> Credentials:
    """Write key and certificate as files."""
    directory.mkdir(parents=True, exist_ok=True)
    files = Credentials(directory / f"{name}.pem", directory / f"{name}.key")
    files.certificate.write_text(pem)
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


class Refused(ConnectionError):
    """The broker has refused the connection, or a subscription."""


class ClaimConnection:
    """A connection with a claim certificate, subscribed to the answers. Raise `Refused` or `HandshakeRefused`."""

    def __init__(self, lobby: LobbyFile, claim: Credentials, client_id: str | None = None) -> None:
        self._mqtt = bare(lobby, claim)
        self.provision_topic = f"$aws/provisioning-templates/{lobby.provisioning_template}/provision/json"
        try:
            self._subscribe(client_id or f"claim.{secrets.token_hex(8)}")
        except ConnectionError:
            self.close()
            raise

    def _subscribe(self, client_id: str) -> None:
        answer = self._mqtt.connect(client_id)
        if answer != (CONNACK, b"\x00\x00"):
            raise Refused(f"got {answer} for CONNECT")
        for topic in (f"{topic}/{answer}" for topic in (CSR, self.provision_topic) for answer in _ANSWERS):
            kind, body = self._mqtt.subscribe(topic)
            if kind != SUBACK or body[2] == 0x80:
                raise Refused(f"got {body!r} for SUBSCRIBE of {topic}")

    def ask(self, topic: str, body: object) -> tuple[str, dict[str, Any]]:
        """Send a request. Return `accepted` or `rejected`, and the answer."""
        kind, content = self._mqtt.publish(topic, json.dumps(body).encode())
        while kind != PUBLISH:
            assert kind, f"the connection was closed by a publish on {topic}"
            kind, content = self._mqtt.read()
        size = int.from_bytes(content[:2])
        answered, rest = content[2 : 2 + size].decode(), content[2 + size :]
        answer: dict[str, Any] = json.loads(rest[rest.index(b"{") :])
        return answered.rpartition("/")[2], answer

    def certificate(self, cn: str | None, key: ec.EllipticCurvePrivateKey | None = None) -> Pending:
        """Request a certificate for a new key."""
        key = key or new_key()
        kind, answer = self.ask(CSR, {"certificateSigningRequest": request_of(key, cn)})
        assert kind == "accepted", answer
        token = answer["certificateOwnershipToken"]
        return Pending(answer["certificateId"], answer["certificatePem"], token, key)

    def provision(self, pending: Pending, serial: str) -> tuple[str, dict[str, Any]]:
        """Return the answer. AWS IoT waits a few seconds for the hook, whose Lambda may start in more on a busy
        machine. A device then tries again."""
        body = {"certificateOwnershipToken": pending.token, "parameters": {"SerialNumber": serial}}
        answer = self.ask(self.provision_topic, body)
        for _ in range(_ATTEMPTS):
            if answer[1].get("errorCode") != "InvocationError":
                break
            answer = self.ask(self.provision_topic, body)
        return answer

    def close(self) -> None:
        self._mqtt.close()


def bare(lobby: LobbyFile, files: Credentials) -> BareMqtt:
    return BareMqtt(lobby.lobby_endpoint, lobby.mqtt_port, lobby.server_ca_path, files.certificate, files.key)
