"""A broker that provisions devices with a claim certificate, as AWS IoT's fleet provisioning does."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from device.machine.provisioning_messages import FROM_CSR, register_topic
from lobby.wire import Route
from tests.functional.device.scripted_broker import CONNACK, PUBACK, SUBACK, Conversation, Script, serve
from tests.functional.device.tls_certificates import IssuedCertificate

SERIAL = "pump-4711"
REGISTER = register_topic("device-lobby")
ARRIVE = (serve(Route("127.0.0.1").encode()), serve())


def signed(ca: IssuedCertificate, csr: str) -> str:
    """Return the certificate that AWS IoT would issue for this request. The request must be signed by its own key."""
    request = x509.load_pem_x509_csr(csr.encode())
    assert request.is_signature_valid
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(ca.certificate.subject, request.subject, request.public_key())
    builder = builder.serial_number(7).not_valid_before(now - timedelta(minutes=2))
    certificate = builder.not_valid_after(now + timedelta(days=30)).sign(ca.private, SHA256())
    return certificate.public_bytes(Encoding.PEM).decode()


def door(ca: IssuedCertificate, *denials: int) -> Script:
    """Answer the requests of one connection. If there are `denials`, the next one is the answer to RegisterThing."""
    statuses = list(denials)

    async def script(conversation: Conversation) -> None:
        await conversation.await_connect("claim.")
        conversation.send(CONNACK, b"\x00\x00")
        for _ in range(4):
            conversation.send(SUBACK, await conversation.await_subscribe() + b"\x01")
        while (packet_id := await conversation.await_publish()) is not None:
            conversation.send(PUBACK, packet_id)
            topic, payload = conversation.last_message
            suffix, document = _answer(ca, statuses, topic, json.loads(payload))
            conversation.push(json.dumps(document).encode(), f"{topic}{suffix}".encode())

    return script


def _answer(ca: IssuedCertificate, statuses: list[int], topic: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if topic == FROM_CSR:
        pem = signed(ca, body["certificateSigningRequest"])
        return "/accepted", {"certificateId": "0", "certificatePem": pem, "certificateOwnershipToken": "secret-token"}
    assert topic == REGISTER
    assert body == {"certificateOwnershipToken": "secret-token", "parameters": {"SerialNumber": SERIAL}}
    if statuses:
        return "/rejected", {"statusCode": statuses.pop(0), "errorCode": "AccessDenied", "errorMessage": "denied"}
    return "/accepted", {"thingName": SERIAL, "deviceConfiguration": {}}
