"""The bouncer reads a cached CA and its list again before it refuses a device because of them."""

from datetime import timedelta

import pytest

from tests import certificates as make
from tests.aws import Calls, Clock
from tests.functional.lobby.registration_door import CA, RegistrationDoor

MINUTE = timedelta(minutes=1)
SECOND_DEVICE = make.pem_of(make.device(CA, "sensor-2", number=2))


@pytest.fixture
def door(calls: Calls, clock: Clock) -> RegistrationDoor:
    return RegistrationDoor(calls, clock)


@pytest.mark.parametrize(
    ("bad", "code"),
    [(make.crl(CA, until=make.NOW - MINUTE), "CRL_STALE"), (b"garbage", "CRL_INVALID")],
    ids=["stale", "invalid"],
)
def test_a_corrected_list_applies_at_the_next_attempt(door: RegistrationDoor, bad: bytes, code: str) -> None:
    door.publish(door.ca_id, bad)
    assert door.deliver(door.first_connection()) == code
    door.publish(door.ca_id, make.crl(CA))
    door.clock.advance(seconds=1)
    assert door.deliver(door.first_connection(SECOND_DEVICE)) == "admitted"


def test_a_list_that_expired_in_the_cache_is_read_again(door: RegistrationDoor) -> None:
    door.publish(door.ca_id, make.crl(CA, until=make.NOW + MINUTE))
    assert door.deliver(door.first_connection()) == "admitted"
    door.publish(door.ca_id, make.crl(CA))
    door.clock.advance(minutes=2)
    assert door.deliver(door.first_connection(SECOND_DEVICE)) == "admitted"


def test_a_list_that_stays_stale_is_read_once_per_attempt(door: RegistrationDoor) -> None:
    door.publish(door.ca_id, make.crl(CA, until=make.NOW - MINUTE))
    for number in (1, 2):
        pem = make.pem_of(make.device(CA, f"sensor-{number}", number=number))
        door.calls.forget()
        assert door.deliver(door.first_connection(pem)) == "CRL_STALE"
        assert door.calls.names().count("GetObject") == 1
        door.clock.advance(seconds=1)
