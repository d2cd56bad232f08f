"""The keys in KMS that may sign devices' certificates: who may use them, and that nobody may use them without the
setting."""

from typing import Final

import pytest

from infra.errors import BadContext
from tests.infra.templates import Stack, Stacks, settings, synthesized

ONE: Final = "arn:aws:kms:us-east-1:100000000001:key/11111111-2222-3333-4444-555555555555"
OTHER: Final = "arn:aws:kms:eu-west-1:200000000002:key/mrk-1234567890abcdef1234567890abcdef"
KEYS: Final = {ONE, OTHER}
SIGNERS: Final = ("device-lobby-vending", "device-lobby-renewer")


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory, nag: bool) -> Stack:
    """The lobby's stack with two keys, as deployed to AWS."""
    context = settings(signingKeys=f"{ONE}, {OTHER}, {ONE}")
    return synthesized(context, tmp_path_factory.mktemp("signing"), nag=nag).lobby


@pytest.mark.parametrize("role", SIGNERS)
def test_the_doors_that_issue_may_sign_with_exactly_these_keys(signing: Stack, role: str) -> None:
    grants = signing.grants(role)
    assert grants["kms:Sign"] == KEYS
    assert grants["iot:RegisterCertificateWithoutCA"] == {"*"}
    assert {action for action in grants if action.startswith("kms:")} == {"kms:Sign"}


def test_the_api_may_read_what_they_are_and_not_sign_with_them(signing: Stack) -> None:
    grants = signing.grants("device-lobby-admin-api")
    assert grants["kms:DescribeKey"] == KEYS
    assert grants["kms:GetPublicKey"] >= KEYS
    assert not grants["kms:Sign"] & KEYS


def test_the_api_knows_the_keys(signing: Stack) -> None:
    api = signing.the("AWS::Lambda::Function", FunctionName="device-lobby-admin-api")
    assert api["Environment"]["Variables"]["SIGNING_KEYS"] == f"{ONE},{OTHER}"


@pytest.mark.parametrize("role", SIGNERS)
def test_no_role_may_sign_certificates_without_the_setting(stacks: Stacks, role: str) -> None:
    assert not [action for action in stacks.lobby.grants(role) if action.startswith("kms:")]
    assert "iot:RegisterCertificateWithoutCA" not in stacks.lobby.grants(role)


@pytest.mark.parametrize("value", ["", "alias/signer", "arn:aws:kms:us-east-1:1:key/x", "*", f"{ONE},*", f"{ONE}*"])
def test_a_setting_that_is_not_a_list_of_keys_is_refused(value: str) -> None:
    with pytest.raises(BadContext, match="signingKeys: got"):
        settings(signingKeys=value)


def test_more_keys_than_fit_into_the_roles_are_refused() -> None:
    keys = [f"{ONE[:-2]}{number:02}" for number in range(9)]
    assert len(settings(signingKeys=",".join(keys[:8])).signing_keys) == 8
    with pytest.raises(BadContext, match="signingKeys: got '9 keys', want at most 8: the roles"):
        settings(signingKeys=",".join(keys))
