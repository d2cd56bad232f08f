"""The names of lobbies that share an account: as in earlier versions by default, and never equal."""

import os
import subprocess
import sys

import pytest

from lobby.errors import InvalidInput
from lobby.lobby_names import LobbyId, LobbyNames, parse_lobby_id
from lobby.names import parse_target

HERE = parse_target("111122223333", "eu-west-1")


@pytest.mark.parametrize("text", ["a", "staging", "team-7", "a-b-c-d-e-f", "abcdefghijkl"])
def test_an_id_is_accepted(text: str) -> None:
    assert parse_lobby_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *(None, 7, "", "7", "7a", "-a", "a-", "a--b", "A", "a_b", "a.b", "a b", "ä", "a\n", "abcdefghijklm"),
        *("aws", "my-aws", "amazon1", "amzn-s3-demo", "cognito", "sthree", "device", "device-lobby"),
    ],
)
def test_another_text_is_refused_with_the_rule(text: object) -> None:
    with pytest.raises(InvalidInput, match=r"got .*, .*want ") as refused:
        parse_lobby_id(text)
    assert refused.value.code == "INVALID_LOBBY_ID"


def test_a_lobby_without_an_id_has_the_names_of_earlier_versions() -> None:
    names = LobbyNames.of_environment({})
    assert names.name("bouncer") == "device-lobby-bouncer"
    assert names.rule("connected") == "device_lobby_connected"
    assert names.policy("default") == "device-lobby-default"
    assert names.target_role == "lobby_commissioner_role"
    assert names.metrics("DeviceLobby") == "DeviceLobby"
    assert names.key(HERE) == "111122223333/eu-west-1"
    assert names.trust_bucket(HERE.account, HERE.region) == "device-lobby-trust-111122223333-eu-west-1"
    assert names.notary_bucket(HERE.account, HERE.region) == "device-lobby-notary-111122223333-eu-west-1"


def test_an_id_is_in_every_name() -> None:
    names = LobbyNames.of_environment({"LOBBY_ID": "team-7"})
    assert names.name("bouncer") == "team-7-device-lobby-bouncer"
    assert names.rule("connected") == "team_7_device_lobby_connected"
    assert names.target_role == "lobby_commissioner_role_team-7"
    assert names.metrics("DeviceLobby") == "DeviceLobby/team-7"
    assert names.key(HERE) == "111122223333/eu-west-1/team-7"
    assert names.trust_bucket(HERE.account, HERE.region) == "team-7-device-lobby-trust-111122223333-eu-west-1"
    assert names.notary_bucket(HERE.account, HERE.region) == "team-7-device-lobby-notary-111122223333-eu-west-1"


def test_a_profile_of_one_lobby_is_no_name_of_another() -> None:
    staging, default = LobbyNames(LobbyId("staging")), LobbyNames()
    assert default.policy("staging-camera") != staging.policy("camera")
    assert not staging.policy("camera").startswith(default.policy(""))


@pytest.mark.slow
def test_commands_start_in_any_environment() -> None:
    """lobbyctl and lobby-device use no names with an id. lobby-pki reports the value when it connects to a lobby."""
    script = "import admin_api.cli.app, device.cli, pki.cli"
    subprocess.run([sys.executable, "-c", script], env={**os.environ, "LOBBY_ID": "No id!"}, check=True)
