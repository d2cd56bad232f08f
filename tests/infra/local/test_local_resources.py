"""Which resource an AWS IoT call is checked on, and that roles limited to it are let through and others are not."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator
from infra.local.ministack.resources import named_resource
from tests.infra.local.test_local_cloud import Identity, allow, of

CERTIFICATE = "arn:aws:iot:eu-west-1:100000000001:cert/0a"
CA = "arn:aws:iot:eu-west-1:100000000001:cacert/0a"


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
def test_a_call_is_checked_on_what_it_names(method: str, path: str, body: object, resource: str | None) -> None:
    sent = b"" if body is None else json.dumps(body).encode()
    assert named_resource(method, path, sent, "eu-west-1", "100000000001", {}) == resource


def test_a_call_about_the_things_of_a_certificate_is_checked_on_the_certificate() -> None:
    named = named_resource(
        "GET", "/principals/things", b"", "eu-west-1", "100000000001", {"x-amzn-principal": CERTIFICATE}
    )
    assert named == CERTIFICATE


def test_a_body_that_is_no_json_names_nothing() -> None:
    assert named_resource("PUT", "/target-policies/x", b"{", "eu-west-1", "100000000001", {}) is None


def _limited(cloud: Emulator, name: str, *statements: tuple[str, str]) -> Any:
    """AWS IoT as a role that may do each action on that resource only."""
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::100000000001:root"}, "Action": "sts:AssumeRole"}
    allowed = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in statements]
    iam = of(cloud, 0, "iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="limited", PolicyDocument=_policy(*allowed))
    answer = of(cloud, 0, "sts").assume_role(RoleArn=role, RoleSessionName="limited")["Credentials"]
    return cloud.session(cloud.layout.lobby.account, cloud.layout.lobby.region).client(
        "iot",
        aws_access_key_id=answer["AccessKeyId"],
        aws_secret_access_key=answer["SecretAccessKey"],
        aws_session_token=answer["SessionToken"],
    )


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_a_role_attaches_policies_to_the_certificates_it_is_limited_to(plain_cloud: Emulator) -> None:
    iot = of(plain_cloud, 0, "iot")
    mine, other = Identity("mine"), Identity("other")
    arns = [
        iot.register_certificate_without_ca(certificatePem=each.pem, status="ACTIVE")["certificateArn"]
        for each in (mine, other)
    ]
    allow(iot, arns[1])
    limited = _limited(plain_cloud, "attaches", ("iot:AttachPolicy", arns[0]))
    limited.attach_policy(policyName="all", target=arns[0])
    with pytest.raises(ClientError, match="AccessDenied"):
        limited.attach_policy(policyName="all", target=arns[1])


def test_a_role_looks_at_the_cas_it_is_limited_to(plain_cloud: Emulator) -> None:
    iot = of(plain_cloud, 0, "iot")
    ids = [
        iot.register_ca_certificate(caCertificate=Identity(name).pem, certificateMode="SNI_ONLY")["certificateId"]
        for name in ("ca-seen", "ca-unseen")
    ]
    lobby = plain_cloud.layout.lobby
    arn = f"arn:aws:iot:{lobby.region}:{lobby.account}:cacert/{ids[0]}"
    limited = _limited(plain_cloud, "looks", ("iot:DescribeCACertificate", arn))
    assert limited.describe_ca_certificate(certificateId=ids[0])
    with pytest.raises(ClientError, match="AccessDenied"):
        limited.describe_ca_certificate(certificateId=ids[1])
