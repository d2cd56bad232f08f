"""Settings and credentials: what the client loads before it connects, and what it rejects."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from device.credential_files import load
from device.errors import BadCredentials
from device.identity import check_ca, read_identity
from device.machine.plan import Endpoint, Timing, parse_endpoint
from device.options import Options
from device.settings import Settings, load_settings
from lobby.errors import InvalidInput, MissingSettings
from tests.functional.device.tls_certificates import issue, named


def settings(
    *, cert: Path | None = None, key: Path | None = None, ca: Path | None = None, lobby: tuple[str, ...] = ("a:1",)
) -> Settings:
    options = Options(cert=cert, key=key, ca=ca, lobby=lobby, port=8883, state_dir=None)
    return load_settings(options, Timing(), exit_on_arrival=False)


def test_all_missing_settings_are_listed_together() -> None:
    with pytest.raises(MissingSettings) as missing:
        settings(lobby=())
    for name in ("DEVICE_CERT", "DEVICE_KEY", "DEVICE_CA", "DEVICE_LOBBY"):
        assert name in missing.value.message


def test_complete_settings_give_the_plan_its_identity(tmp_path: Path) -> None:
    device = issue(tmp_path, "sensor-1", ca := issue(tmp_path, "ca"))
    loaded = settings(cert=device.cert, key=device.key, ca=ca.cert, lobby=("one", "two:99"))
    assert loaded.plan.thing == "sensor-1"
    assert loaded.plan.lobbies == (Endpoint("one", 8883), Endpoint("two", 99))
    assert loaded.state_dir == tmp_path / "sensor-1.state"


def test_the_thing_name_is_the_parsed_cn(tmp_path: Path) -> None:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "CN=victim"),
            x509.NameAttribute(NameOID.COMMON_NAME, "honest"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "CN=victim"),
        ]
    )
    assert read_identity(issue(tmp_path, "d", issue(tmp_path, "ca"), subject=subject).cert).thing == "honest"


@pytest.mark.parametrize(
    "subject",
    [
        x509.Name([]),
        named("with space"),
        named("a/b"),
        named("sensor-#"),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in ("one", "two")]),
    ],
    ids=["none", "space", "slash", "wildcard", "two"],
)
def test_a_subject_without_exactly_one_valid_cn_is_rejected(tmp_path: Path, subject: x509.Name) -> None:
    with pytest.raises(BadCredentials, match="CERTIFICATE_UNREADABLE"):
        read_identity(issue(tmp_path, "d", issue(tmp_path, "ca"), subject=subject).cert)


@pytest.mark.parametrize(
    "content", [None, b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_an_unreadable_file_is_named_in_the_error(tmp_path: Path, content: bytes | None) -> None:
    wrong = tmp_path / "wrong"
    if content is not None:
        wrong.write_bytes(content)
    device = issue(tmp_path, "sensor-1")
    for check, code in (
        (lambda: read_identity(wrong), "CERTIFICATE_UNREADABLE"),
        (lambda: load(device.cert, wrong), "KEY_UNREADABLE"),
        (lambda: check_ca(wrong), "CA_UNREADABLE"),
    ):
        with pytest.raises(BadCredentials, match=f"{code}.*wrong"):
            check()


def test_the_key_of_another_certificate_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(BadCredentials, match="KEY_MISMATCH"):
        load(issue(tmp_path, "one").cert, issue(tmp_path, "two").key)


def test_a_clock_outside_the_certificates_validity_is_an_error(tmp_path: Path) -> None:
    begins = datetime(2026, 5, 1, tzinfo=UTC)
    identity = read_identity(issue(tmp_path, "d", issue(tmp_path, "ca"), not_before=begins).cert)
    assert identity.clock_error(begins + timedelta(days=1)) == ""
    assert "1970" in identity.clock_error(datetime(1970, 1, 1, tzinfo=UTC))
    assert "2099" in identity.clock_error(datetime(2099, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [("a.example", Endpoint("a.example", 77)), ("a:1", Endpoint("a", 1)), (" 127.0.0.1:8883 ", Endpoint("127.0.0.1"))],
)
def test_an_endpoint_is_a_host_with_or_without_a_port(text: str, endpoint: Endpoint) -> None:
    assert parse_endpoint(text, 77) == endpoint


@pytest.mark.parametrize(
    "text", ["", ":1", "a:", "a:0", "a:65536", "a:x", "mqtts://a", "a b", "a/b", "-a", "a:1:2", "a:²"]
)
def test_an_invalid_endpoint_is_rejected(text: str) -> None:
    with pytest.raises(InvalidInput, match="INVALID_ENDPOINT"):
        parse_endpoint(text)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_an_invalid_interval_is_rejected(value: float) -> None:
    with pytest.raises(InvalidInput, match=r"INVALID_SETTING.*hello_every"):
        Timing(hello_every=value)
