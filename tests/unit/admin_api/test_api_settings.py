"""Settings: missing and inconsistent ones, and the emulator's address."""

import pytest

from admin_api.settings import Settings, SignInSettings
from lobby.errors import InvalidInput, MissingSettings
from lobby.settings import loopback
from tests.unit.admin_api.valid_settings import VALID_SETTINGS


def test_all_missing_settings_are_reported_together() -> None:
    with pytest.raises(MissingSettings) as refused:
        Settings.read({"AWS_REGION": "eu-west-1", "USER_POOL_ID": " "})
    for name in VALID_SETTINGS.keys() - {"AWS_REGION"}:
        assert name in refused.value.message.split(";")[0]


def test_the_pages_need_only_what_a_sign_in_needs() -> None:
    needed = ("AWS_REGION", "USER_POOL_ID", "USER_POOL_CLIENT_ID", "LOGIN_URL")
    settings = SignInSettings.read({name: VALID_SETTINGS[name] for name in needed})
    assert vars(settings).items() <= vars(Settings.read(VALID_SETTINGS)).items()
    for name in needed:
        with pytest.raises(MissingSettings, match=name):
            SignInSettings.read({other: VALID_SETTINGS[other] for other in needed if other != name})


def test_account_and_region_come_from_the_settings() -> None:
    settings = Settings.read(VALID_SETTINGS)
    assert (settings.lobby_account, settings.lobby_region) == ("012345678901", "eu-west-1")
    assert settings.issuer == "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC123"
    assert settings.jwks_url == f"{settings.issuer}/.well-known/jwks.json"


@pytest.mark.parametrize(
    "changed",
    [
        {"AWS_REGION": "nowhere"},
        {"AWS_REGION": "us-east-1"},
        {"USER_POOL_ID": "us-east-1_AbC123"},
        {"USER_POOL_ID": "eu-west-1_AbC123/../eu-west-1_Evil"},
        {"USER_POOL_ID": "https://evil.example"},
        {"COMMISSIONER_ROLE_ARN": "device-lobby-commissioner"},
        {"COMMISSIONER_ROLE_ARN": "arn:aws:iam::999999999999:role/device-lobby-commissioner"},
        {"ARRIVALS_QUEUE_ARN": "arn:aws:sns:eu-west-1:012345678901:device-lobby-arrivals"},
        {"LOGIN_URL": "http://device-lobby.example"},
        {"LOGIN_URL": "https://device-lobby.example/"},
        {"LOGIN_URL": "https://device-lobby.example; script-src *"},
        {"LOGIN_URL": "https://device-lobby.example@evil.example"},
        {"LOGIN_URL": "device-lobby.example"},
    ],
)
def test_inconsistent_settings_are_rejected(changed: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        Settings.read(VALID_SETTINGS | changed)


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:4566", "http://127.0.3.7:4566/", "http://localhost:4566", "https://[::1]:4566"]
)
def test_a_loopback_emulator_serves_the_keys_and_keeps_the_issuer(endpoint: str) -> None:
    settings = Settings.read(VALID_SETTINGS | {"AWS_ENDPOINT_URL": endpoint})
    assert settings.jwks_url == f"{endpoint.rstrip('/')}/eu-west-1_AbC123/.well-known/jwks.json"
    assert settings.issuer == Settings.read(VALID_SETTINGS).issuer


def test_an_emulator_has_its_own_sign_in_page() -> None:
    emulated = {name: value for name, value in VALID_SETTINGS.items() if name != "LOGIN_URL"}
    assert Settings.read(emulated | {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566/"}).login_url == "http://127.0.0.1:4566"
    assert Settings.read(VALID_SETTINGS).login_url == VALID_SETTINGS["LOGIN_URL"]


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "https://evil.example",
        "http://10.0.0.1:4566",
        "http://169.254.169.254",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1@evil.example",
        "http://evil.example/127.0.0.1",
        "http://0.0.0.0:4566",
        "http://2130706433",
        "file:///127.0.0.1/keys",
        "127.0.0.1:4566",
        "http://[evil",
        "nonsense",
    ],
)
def test_only_a_loopback_address_replaces_the_user_pool(endpoint: str) -> None:
    assert loopback(endpoint) is None
    settings = Settings.read(VALID_SETTINGS | {"AWS_ENDPOINT_URL": endpoint})
    assert (settings.jwks_url, settings.login_url) == (
        Settings.read(VALID_SETTINGS).jwks_url,
        VALID_SETTINGS["LOGIN_URL"],
    )
