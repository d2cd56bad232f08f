"""A thing type can be deleted five minutes after its deprecation."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator
from infra.local.ministack.thing_types import is_too_early
from tests.infra.local.emulated_cloud import aws


@pytest.mark.parametrize(
    ("metadata", "now", "early"),
    [
        ({"deprecated": False}, 0.0, False),
        ({"deprecated": True, "deprecationDate": 1000.0}, 1299.0, True),
        ({"deprecated": True, "deprecationDate": 1000.0}, 1300.0, False),
    ],
)
def test_five_minutes_must_have_passed(metadata: dict[str, Any], now: float, early: bool) -> None:
    assert is_too_early(metadata, now) is early


def test_a_deprecated_thing_type_is_not_deleted_immediately(emulator: Emulator) -> None:
    iot = aws(emulator, 1, "iot")
    iot.create_thing_type(thingTypeName="sensor")
    iot.deprecate_thing_type(thingTypeName="sensor")
    with pytest.raises(ClientError, match="5 minutes"):
        iot.delete_thing_type(thingTypeName="sensor")
