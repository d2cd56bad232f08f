"""A device gets a certificate for its own key over MQTT, and a provisioning template activates it."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.local.emulator import Emulator
from infra.local.ministack.certificate_requests import TOPIC
from tests.infra.local.emulated_cloud import ALLOW_ALL, Device, Identity, aws, register, until

TEMPLATE: Final = "pumps"
BODY: Final = {
    "Parameters": {"SerialNumber": {"Type": "String"}, "AWS::IoT::Certificate::Id": {"Type": "String"}},
    "Resources": {
        "certificate": {
            "Type": "AWS::IoT::Certificate",
            "Properties": {"CertificateId": {"Ref": "AWS::IoT::Certificate::Id"}, "Status": "Active"},
        },
        "thing": {"Type": "AWS::IoT::Thing", "Properties": {"ThingName": {"Ref": "SerialNumber"}}},
        "policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": "all"}},
    },
}
ANSWERS: Final = (f"{TOPIC}/accepted", f"{TOPIC}/rejected")


@pytest.fixture
def claimant(emulator: Emulator) -> Iterator[Device]:
    """A device with a claim certificate."""
    identity = Identity("claim")
    register(aws(emulator, 0, "iot"), identity)
    device = Device(emulator, identity, emulator.layout.server_name(emulator.layout.lobby)).connect()
    for topic in ANSWERS:
        device.listen(topic)
    yield device
    device.close()


def csr(key: ec.EllipticCurvePrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pump-1")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def answer(device: Device, topic: str, body: object) -> dict[str, Any]:
    """Publish, and return the next message."""
    before = len(device.messages)
    device.publish(topic, body if isinstance(body, str) else json.dumps(body))
    until(lambda: len(device.messages) > before)
    received: dict[str, Any] = json.loads(device.messages[before])
    return received


def test_a_device_gets_a_certificate_for_its_own_key(emulator: Emulator, claimant: Device) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    answered = answer(claimant, TOPIC, {"certificateSigningRequest": csr(key)})
    assert answered.keys() == {"certificateId", "certificatePem", "certificateOwnershipToken"}
    certificate = x509.load_pem_x509_certificate(answered["certificatePem"].encode())
    assert certificate.public_key() == key.public_key()
    assert certificate.fingerprint(hashes.SHA256()).hex() == answered["certificateId"]
    described = aws(emulator, 0, "iot").describe_certificate(certificateId=answered["certificateId"])
    assert described["certificateDescription"]["status"] == "PENDING_ACTIVATION"


@pytest.mark.parametrize("payload", ["", "{}", "[]", '{"certificateSigningRequest": 5}'])
def test_a_wrong_request_is_rejected(claimant: Device, payload: str) -> None:
    answered = answer(claimant, TOPIC, payload)
    assert (answered["statusCode"], answered["errorCode"]) == (400, "InvalidCertificateSigningRequest")


def test_a_template_activates_the_certificate_with_its_thing_and_policy(emulator: Emulator, claimant: Device) -> None:
    iot, iam = aws(emulator, 0, "iot"), aws(emulator, 0, "iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName="provisions", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    iam.put_role_policy(RoleName="provisions", PolicyName="all", PolicyDocument=ALLOW_ALL)
    iot.create_provisioning_template(
        templateName=TEMPLATE, templateBody=json.dumps(BODY), provisioningRoleArn=role["Role"]["Arn"], enabled=True
    )
    provision = f"$aws/provisioning-templates/{TEMPLATE}/provision/json"
    for kind in ("accepted", "rejected"):
        claimant.listen(f"{provision}/{kind}")
    created = answer(claimant, TOPIC, {"certificateSigningRequest": csr(ec.generate_private_key(ec.SECP256R1()))})
    token = created["certificateOwnershipToken"]
    request = {"certificateOwnershipToken": token, "parameters": {"SerialNumber": "pump-1"}}
    assert answer(claimant, provision, request)["thingName"] == "pump-1"
    described = iot.describe_certificate(certificateId=created["certificateId"])["certificateDescription"]
    assert described["status"] == "ACTIVE"
    assert iot.list_thing_principals(thingName="pump-1")["principals"] == [described["certificateArn"]]
