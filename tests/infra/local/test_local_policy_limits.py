"""AWS IoT's limits of policies, and the statuses that a certificate can be set to."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator
from infra.local.ministack.policy_limits import MAX_CHARACTERS, document_problem
from tests.infra.local.emulated_cloud import ALLOW_ALL, aws


def document(**changed: Any) -> str:
    statement = {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"} | changed
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def of_size(characters: int) -> str:
    """Return a document with this number of characters that are not white space."""
    unpadded = len(document(Resource="").replace(" ", ""))
    return document(Resource="x" * (characters - unpadded))


@pytest.fixture
def iot(emulator: Emulator) -> Any:
    return aws(emulator, 1, "iot")


def code(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (document(), None),
        (json.dumps({"Statement": json.loads(document())["Statement"][0]}), None),
        (of_size(MAX_CHARACTERS), None),
        (of_size(MAX_CHARACTERS).replace(" ", " " * 500), None),
        (of_size(MAX_CHARACTERS + 1), "of 2049 characters"),
        ("{", "not JSON"),
        ("{}", "without statements"),
        ("[]", "without statements"),
        (document(Effect="Maybe"), "without statements"),
        (document(Resource=[]), "without statements"),
        (document(Action=""), "without statements"),
    ],
)
def test_a_document_has_statements_and_a_limited_size(text: str, problem: str | None) -> None:
    found = document_problem(text)
    assert found is None if problem is None else problem in str(found)


def test_a_policy_with_a_bad_document_is_refused(iot: Any) -> None:
    with pytest.raises(ClientError) as refused:
        iot.create_policy(policyName="long", policyDocument=of_size(MAX_CHARACTERS + 1))
    assert code(refused) == "MalformedPolicyException"
    iot.create_policy(policyName="long", policyDocument=of_size(MAX_CHARACTERS))
    with pytest.raises(ClientError) as refused:
        iot.create_policy_version(policyName="long", policyDocument="{}")
    assert code(refused) == "MalformedPolicyException"


def test_a_policy_has_five_versions(iot: Any) -> None:
    iot.create_policy(policyName="versions", policyDocument=ALLOW_ALL)
    for _ in range(4):
        iot.create_policy_version(policyName="versions", policyDocument=ALLOW_ALL)
    with pytest.raises(ClientError) as refused:
        iot.create_policy_version(policyName="versions", policyDocument=ALLOW_ALL)
    assert code(refused) == "VersionsLimitExceededException"
    iot.delete_policy_version(policyName="versions", policyVersionId="2")
    iot.create_policy_version(policyName="versions", policyDocument=ALLOW_ALL)


def test_a_certificate_has_ten_policies(iot: Any) -> None:
    arn = iot.create_keys_and_certificate()["certificateArn"]
    names = [f"one-of-ten-{number}" for number in range(11)]
    for name in names:
        iot.create_policy(policyName=name, policyDocument=ALLOW_ALL)
    for name in (*names[:10], names[0]):
        iot.attach_policy(policyName=name, target=arn)
    with pytest.raises(ClientError) as refused:
        iot.attach_policy(policyName=names[10], target=arn)
    assert code(refused) == "LimitExceededException"
    iot.detach_policy(policyName=names[0], target=arn)
    iot.attach_policy(policyName=names[10], target=arn)


@pytest.mark.parametrize("status", ["PENDING_TRANSFER", "PENDING_ACTIVATION"])
def test_some_statuses_are_set_by_aws_iot_only(iot: Any, status: str) -> None:
    certid = iot.create_keys_and_certificate(setAsActive=True)["certificateId"]
    with pytest.raises(ClientError) as refused:
        iot.update_certificate(certificateId=certid, newStatus=status)
    assert code(refused) == "InvalidRequestException"
    assert iot.describe_certificate(certificateId=certid)["certificateDescription"]["status"] == "ACTIVE"
