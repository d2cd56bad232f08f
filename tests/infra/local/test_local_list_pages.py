"""Lists of AWS IoT come in pages."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator
from infra.local.ministack.list_pages import page_of
from tests.infra.local.emulated_cloud import aws


def key(element: str) -> list[Any]:
    return [element]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 250])
@pytest.mark.parametrize("descending", [False, True])
def test_pages_contain_every_element_once(size: int, descending: bool) -> None:
    elements, found, token, first = list("gadbfce"), list[str](), None, True
    while first or token:
        page, token = page_of(elements, key, str(size), token, descending=descending)
        found, first = found + page, False
        elements = [each for each in elements if each not in page[:1]]
    assert found == sorted("abcdefg", reverse=descending)


@pytest.mark.parametrize(("size", "token"), [("0", None), ("251", None), ("x", None), ("1", "x"), ("1", "e30=")])
def test_sizes_and_tokens_that_aws_rejects_are_rejected(size: str, token: str | None) -> None:
    with pytest.raises(ValueError, match=r"got|invalid literal"):
        page_of([], key, size, token)


def test_the_three_lists_of_the_emulator_are_divided(emulator: Emulator) -> None:
    iot = aws(emulator, 1, "iot")
    iot.create_policy(policyName="paged", policyDocument='{"Version": "2012-10-17", "Statement": []}')
    for number in range(3):
        iot.create_thing(thingName=f"paged-{number}")
        arn = iot.create_keys_and_certificate(setAsActive=True)["certificateArn"]
        iot.attach_policy(policyName="paged", target=arn)
    lists: dict[str, tuple[str, dict[str, Any]]] = {
        "list_things": ("things", {"maxResults": 2}),
        "list_certificates": ("certificates", {"pageSize": 2, "ascendingOrder": True}),
        "list_targets_for_policy": ("targets", {"policyName": "paged", "pageSize": 2}),
    }
    for operation, (name, parameters) in lists.items():
        first = getattr(iot, operation)(**parameters)
        assert len(first[name]) == 2
        token = {"nextToken": first["nextToken"]} if "nextToken" in first else {"marker": first["nextMarker"]}
        assert len(getattr(iot, operation)(**parameters, **token)[name]) >= 1
        with pytest.raises(ClientError, match="InvalidRequestException"):
            getattr(iot, operation)(**parameters, **dict.fromkeys(token, "eHg="))
