"""Certificates that are exclusive to one thing."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator
from infra.local.ministack.thing_principals import EXCLUSIVE, NON_EXCLUSIVE, refusal
from tests.infra.local.emulated_cloud import Identity, aws


@pytest.mark.parametrize(
    ("wanted", "attached", "exclusive_to", "problem"),
    [
        (EXCLUSIVE, [], None, None),
        (EXCLUSIVE, ["a"], "a", None),
        (EXCLUSIVE, ["a"], None, None),
        (EXCLUSIVE, ["b"], None, "Principal is attached to other things: b"),
        (EXCLUSIVE, ["b"], "b", "Principal is exclusively attached to thing b"),
        (NON_EXCLUSIVE, ["b"], None, None),
        (NON_EXCLUSIVE, ["b"], "b", "Principal is exclusively attached to thing b"),
        (NON_EXCLUSIVE, [], "b", None),
        ("OTHER", [], None, "got thingPrincipalType OTHER, want EXCLUSIVE_THING or NON_EXCLUSIVE_THING"),
    ],
)
def test_an_exclusive_certificate_has_one_thing(
    wanted: str, attached: list[str], exclusive_to: str | None, problem: str | None
) -> None:
    assert refusal("a", wanted, attached, exclusive_to) == problem


def test_a_certificate_can_be_attached_elsewhere_after_it_was_detached(emulator: Emulator) -> None:
    iot: Any = aws(emulator, 0, "iot")
    arn = iot.register_certificate_without_ca(certificatePem=Identity("exclusive-1").pem)["certificateArn"]
    for name in ("exclusive-1", "exclusive-2"):
        iot.create_thing(thingName=name)
    iot.attach_thing_principal(thingName="exclusive-1", principal=arn, thingPrincipalType=EXCLUSIVE)
    iot.attach_thing_principal(thingName="exclusive-1", principal=arn, thingPrincipalType=EXCLUSIVE)
    with pytest.raises(ClientError, match="InvalidRequestException"):
        iot.attach_thing_principal(thingName="exclusive-2", principal=arn)
    iot.detach_thing_principal(thingName="exclusive-1", principal=arn)
    iot.attach_thing_principal(thingName="exclusive-2", principal=arn)
    assert iot.list_principal_things(principal=arn)["things"] == ["exclusive-2"]
