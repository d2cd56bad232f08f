"""IAM's sizes of the policies of roles, in calls and in stacks."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator
from infra.local.ministack.iam_limits import MAX_INLINE, MAX_TRUST, inline_problem, role_problem, size_of
from tests.infra.local.emulated_cloud import aws, until

TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sts:AssumeRole", "Principal": "*"}]}


def policy(characters: int) -> dict[str, Any]:
    """Return a policy document with this number of characters without white space."""
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": ""}]}
    document["Statement"][0]["Resource"] = "x" * (characters - size_of(document))  # type: ignore[index]
    return document


def role(*sizes: int) -> dict[str, Any]:
    policies = [{"PolicyName": f"p{number}", "PolicyDocument": policy(size)} for number, size in enumerate(sizes)]
    return {"AssumeRolePolicyDocument": TRUST, "Policies": policies}


def test_white_space_does_not_count() -> None:
    assert size_of(policy(500)) == size_of(json.dumps(policy(500), indent=8)) == 500


def test_all_inline_policies_of_a_role_count_together() -> None:
    half = MAX_INLINE // 2
    assert inline_problem("r", {"a": policy(half), "b": policy(half)}) is None
    assert "for role r" in str(inline_problem("r", {"a": policy(half), "b": policy(half + 1)}))


def test_the_policies_of_other_resources_count_for_a_role() -> None:
    assert role_problem("r", role(MAX_INLINE - 500), {"other": policy(500)}) is None
    assert "for role r" in str(role_problem("r", role(MAX_INLINE - 499), {"other": policy(500)}))
    long = {"AssumeRolePolicyDocument": policy(MAX_TRUST + 1)}
    assert "ACLSizePerRole: 2048" in str(role_problem("r", long, {}))


def test_a_policy_that_is_too_large_is_not_put(emulator: Emulator) -> None:
    iam = aws(emulator, 1, "iam")
    iam.create_role(RoleName="put", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName="put", PolicyName="one", PolicyDocument=json.dumps(policy(MAX_INLINE)))
    iam.put_role_policy(RoleName="put", PolicyName="one", PolicyDocument=json.dumps(policy(MAX_INLINE - 200)))
    with pytest.raises(ClientError, match=r"LimitExceeded.* exceeded for role put"):
        iam.put_role_policy(RoleName="put", PolicyName="two", PolicyDocument=json.dumps(policy(201)))


def test_a_stack_with_a_role_that_is_too_large_fails(emulator: Emulator) -> None:
    stacks = aws(emulator, 1, "cloudformation")

    def status() -> str:
        return str(stacks.describe_stacks(StackName="role")["Stacks"][0]["StackStatus"])

    def template(*sizes: int) -> str:
        more = {
            "Type": "AWS::IAM::Policy",
            "Properties": {"PolicyName": "more", "Roles": [{"Ref": "Role"}], "PolicyDocument": policy(1_000)},
        }
        return json.dumps({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": role(*sizes)}, "More": more}})

    named: dict[str, Any] = {"StackName": "role", "Capabilities": ["CAPABILITY_IAM"]}
    stacks.create_stack(**named, TemplateBody=template(MAX_INLINE - 1_000))
    until(lambda: status() == "CREATE_COMPLETE")
    stacks.update_stack(**named, TemplateBody=template(MAX_INLINE - 1_000, 200))
    until(lambda: status() == "UPDATE_ROLLBACK_COMPLETE")
    stacks.update_stack(**named, TemplateBody=template(MAX_INLINE - 2_000))
    until(lambda: status() == "UPDATE_COMPLETE")
