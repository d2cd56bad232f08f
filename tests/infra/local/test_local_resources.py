"""AWS IoT calls are authorized on the resource that they name, so a role limited to it works and others do not."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator
from infra.local.ministack.resources import named_resource
from tests.infra.local.emulated_cloud import Identity, allow, aws

CERTIFICATE = "arn:aws:iot:eu-west-1:100000000001:cert/0a"
CA = "arn:aws:iot:eu-west-1:100000000001:cacert/0a"
POLICY = "arn:aws:iot:eu-west-1:100000000001:policy/device-lobby-default"
THING = "arn:aws:iot:eu-west-1:100000000001:thing/sensor-1"
CLIENT = "arn:aws:iot:eu-west-1:100000000001:client/sensor-1"


@pytest.mark.parametrize(
    ("method", "path", "body", "resource"),
    [
        ("PUT", "/target-policies/waiting", {"target": CERTIFICATE}, CERTIFICATE),
        ("POST", "/target-policies/waiting", {"target": CERTIFICATE}, CERTIFICATE),
        ("PUT", "/target-policies/a%20b", {"target": CERTIFICATE}, CERTIFICATE),
        ("POST", f"/attached-policies/{CERTIFICATE}", None, CERTIFICATE),
        ("POST", "/attached-policies/arn%3Aaws%3Aiot%3Aeu-west-1%3A100000000001%3Acert%2F0a", None, CERTIFICATE),
        ("GET", "/cacertificate/0a", None, CA),
        ("PUT", "/cacertificate/0a", None, CA),
        ("DELETE", "/cacertificate/0a", None, CA),
        ("DELETE", "/connections/sensor-1", None, CLIENT),
        ("GET", "/connections/sensor-1", None, CLIENT),
        ("POST", "/connections/sensor-1/messages", None, CLIENT),
        ("POST", "/policy-targets/device-lobby-default", None, POLICY),
        ("GET", "/api/things/shadow/ListNamedShadowsForThing/sensor-1", None, THING),
        ("PUT", "/target-policies/waiting", {"target": ""}, None),
        ("PUT", "/target-policies/waiting", {"target": 7}, None),
        ("PUT", "/target-policies/waiting", ["target"], None),
        ("PUT", "/target-policies/waiting", {}, None),
        ("GET", "/target-policies/waiting", {"target": CERTIFICATE}, None),
        ("PUT", "/target-policies/waiting/more", {"target": CERTIFICATE}, None),
        ("GET", "/cacertificate/0a/more", None, None),
        ("GET", "/cacertificate/", None, None),
        ("PUT", "/certificates/0a", None, None),
    ],
)
def test_a_call_is_authorized_on_its_resource(method: str, path: str, body: object, resource: str | None) -> None:
    sent = b"" if body is None else json.dumps(body).encode()
    assert named_resource(method, path, sent, "eu-west-1", "100000000001", {}) == resource


def test_listing_a_certificates_things_is_authorized_on_the_certificate() -> None:
    named = named_resource(
        "GET", "/principals/things", b"", "eu-west-1", "100000000001", {"x-amzn-principal": CERTIFICATE}
    )
    assert named == CERTIFICATE


def test_a_malformed_body_names_no_resource() -> None:
    assert named_resource("PUT", "/target-policies/x", b"{", "eu-west-1", "100000000001", {}) is None


def _limited(emulator: Emulator, name: str, *statements: tuple[str, str]) -> Any:
    """Return an AWS IoT client of a role that may perform each action on that resource only."""
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::100000000001:root"}, "Action": "sts:AssumeRole"}
    allowed = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in statements]
    iam = aws(emulator, 0, "iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="limited", PolicyDocument=_policy(*allowed))
    response = aws(emulator, 0, "sts").assume_role(RoleArn=role, RoleSessionName="limited")["Credentials"]
    return emulator.session(emulator.layout.lobby.account, emulator.layout.lobby.region).client(
        "iot",
        aws_access_key_id=response["AccessKeyId"],
        aws_secret_access_key=response["SecretAccessKey"],
        aws_session_token=response["SessionToken"],
    )


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_a_role_attaches_policies_only_to_its_certificates(emulator: Emulator) -> None:
    iot = aws(emulator, 0, "iot")
    mine, other = Identity("mine"), Identity("other")
    arns = [
        iot.register_certificate_without_ca(certificatePem=each.pem, status="ACTIVE")["certificateArn"]
        for each in (mine, other)
    ]
    allow(iot, arns[1])
    limited = _limited(emulator, "attaches", ("iot:AttachPolicy", arns[0]))
    limited.attach_policy(policyName="all", target=arns[0])
    with pytest.raises(ClientError, match="AccessDenied"):
        limited.attach_policy(policyName="all", target=arns[1])


def test_a_role_describes_only_its_cas(emulator: Emulator) -> None:
    iot = aws(emulator, 0, "iot")
    ids = [
        iot.register_ca_certificate(caCertificate=Identity(name).pem, certificateMode="SNI_ONLY")["certificateId"]
        for name in ("ca-allowed", "ca-other")
    ]
    lobby = emulator.layout.lobby
    arn = f"arn:aws:iot:{lobby.region}:{lobby.account}:cacert/{ids[0]}"
    limited = _limited(emulator, "looks", ("iot:DescribeCACertificate", arn))
    assert limited.describe_ca_certificate(certificateId=ids[0])
    with pytest.raises(ClientError, match="AccessDenied"):
        limited.describe_ca_certificate(certificateId=ids[1])


def test_each_permission_that_a_role_uses_is_logged_once(emulator: Emulator) -> None:
    iot = aws(emulator, 0, "iot")
    arn = iot.register_certificate_without_ca(certificatePem=Identity("used").pem, status="ACTIVE")["certificateArn"]
    certid = arn.rpartition("/")[2]
    limited = _limited(emulator, "uses", ("iot:DescribeCertificate", arn), ("iot:UpdateCertificate", arn))
    for _ in range(2):
        limited.describe_certificate(certificateId=certid)
    with pytest.raises(ClientError, match="AccessDenied"):
        limited.delete_certificate(certificateId=certid)
    lines = [json.loads(line) for line in emulator.layout.used_permissions_path.read_text().splitlines()]
    assert [line for line in lines if line["role"] == "uses"] == [
        {"role": "uses", "action": "iot:DescribeCertificate", "resource": arn}
    ]
