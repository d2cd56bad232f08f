"""Settings are read from the environment, and the error names all missing ones."""

import pytest

from lobby.errors import InvalidInput, MissingSettings
from lobby.settings import BouncerSettings, LobbySettings, lease_seconds, lobby_regions, read_settings

WHOLE = {"AWS_REGION": "eu-west-1", "LOBBY_POLICY": "device-lobby-waiting", "TRUST_BUCKET": "bucket"} | {
    "REGISTRATIONS_QUEUE": "https://queue",
    "UNDELIVERED_QUEUE": "https://undelivered",
    "REGISTRATIONS_PER_SECOND": "5",
}


def test_settings_are_read_by_their_upper_case_names() -> None:
    found = read_settings(BouncerSettings, {**WHOLE, "OTHER": "x"})
    assert (found.region, found.lobby_policy, found.trust_bucket) == ("eu-west-1", "device-lobby-waiting", "bucket")


def test_all_missing_settings_are_named_together() -> None:
    with pytest.raises(MissingSettings, match="AWS_REGION, LOBBY_POLICY, TRUST_BUCKET") as missing:
        read_settings(BouncerSettings, {})
    assert missing.value.code == "MISSING_SETTINGS"


def test_an_empty_setting_is_a_missing_one() -> None:
    with pytest.raises(MissingSettings, match="got no LOBBY_POLICY,"):
        read_settings(BouncerSettings, {**WHOLE, "LOBBY_POLICY": " "})


def test_an_invalid_region_is_rejected() -> None:
    with pytest.raises(InvalidInput, match="INVALID_REGION"):
        _ = read_settings(LobbySettings, {"AWS_REGION": "nowhere"}).region


@pytest.mark.parametrize("text", ["", "eu-west-1", " , eu-west-1,"])
def test_a_lobby_without_further_regions_has_none(text: str) -> None:
    assert lobby_regions({"LOBBY_REGIONS": text}) == ()
    assert lobby_regions({}) == ()


def test_the_regions_of_a_lobby_have_the_order_of_the_setting() -> None:
    assert lobby_regions({"LOBBY_REGIONS": "eu-west-1, eu-central-1"}) == ("eu-west-1", "eu-central-1")
    with pytest.raises(InvalidInput, match="INVALID_REGION"):
        lobby_regions({"LOBBY_REGIONS": "eu-west-1,frankfurt"})


def test_the_lease_has_five_minutes_unless_the_emulator_s_is_shorter() -> None:
    assert lease_seconds({}) == 300
    assert lease_seconds({"LOBBY_LEASE_SECONDS": "20"}) == 20


@pytest.mark.parametrize("text", ["9", "301", "-20", "20.5", "soon"])
def test_a_lease_of_another_length_is_rejected(text: str) -> None:
    with pytest.raises(InvalidInput, match="want 10 to 300 whole seconds"):
        lease_seconds({"LOBBY_LEASE_SECONDS": text})
