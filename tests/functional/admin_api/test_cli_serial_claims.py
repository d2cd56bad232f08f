"""`lobbyctl claim --serial` and `lobbyctl serials`: devices are claimed before they have a certificate."""

import json
from pathlib import Path

import pytest

from lobby.ledger.enrolments.serial_claims import SerialClaims, find_claim
from lobby.names import ThingName
from tests.functional.admin_api.api_on_moto import HERE
from tests.functional.admin_api.lobby_over_http import Terminal, error_of

TARGET = ("--target", str(HERE))


def test_serial_numbers_are_claimed_from_arguments_and_a_file(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "order.csv").write_text("serial\npump-2\npump-1\n")
    result = terminal.run("claim", "--serial", "pump-1", "--serials", str(tmp_path / "order.csv"), *TARGET)
    assert result.exit_code == 0, result.stderr
    assert "pump-1  ✓  claimed for 111111111111/eu-west-1 when it joins" in result.stdout
    assert "2 claimed when they join" in result.stderr
    assert [each.serial for each in SerialClaims().page(10, None).claims] == ["pump-1", "pump-2"]


def test_the_same_command_again_is_a_success(terminal: Terminal) -> None:
    for _ in range(2):
        assert terminal.run("claim", "--serial", "pump-1", *TARGET).exit_code == 0


def test_some_failures_are_a_partial_success(terminal: Terminal) -> None:
    terminal.run("claim", "--serial", "pump-1", *TARGET)
    result = terminal.run("claim", "--serial", "pump-1", "--serial", "pump-2", "--config", "x", *TARGET)
    assert result.exit_code == 5
    assert "1 claimed when they join; 1 failed (1 ALREADY_CLAIMED)" in result.stderr
    assert error_of(terminal.run("--json", "claim", "--serial", "pump-1", "--config", "x", *TARGET))["code"] == (
        "ALREADY_CLAIMED"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--serial", "pump-1", "--file", "x.csv"),
        ("--serial", "pump-1", "--wait"),
        ("--serial", "pump 1"),
        ("sensor-1", "--serial", "pump-1"),
    ],
)
def test_wrong_use_claims_nothing(terminal: Terminal, arguments: tuple[str, ...]) -> None:
    assert terminal.run("claim", *arguments, *TARGET).exit_code == 2
    assert SerialClaims().page(10, None).claims == ()


def test_claims_are_listed_and_withdrawn(terminal: Terminal) -> None:
    assert "no serial number is claimed" in terminal.run("serials", "list").stderr
    terminal.run("claim", "--serial", "pump-1", *TARGET)
    listed = " ".join(terminal.run("serials", "list").stdout.split())
    assert "pump-1 111111111111/eu-west-1 default" in listed
    [record] = map(json.loads, terminal.run("--json", "serials", "list").stdout.splitlines())
    assert (record["serialNumber"], record["claimedBy"]) == ("pump-1", "user:operator")
    assert terminal.run("serials", "withdraw", "pump-1").exit_code == 0
    assert find_claim(ThingName("pump-1")) is None
    assert error_of(terminal.run("--json", "serials", "withdraw", "pump-1"))["code"] == "UNKNOWN_SERIAL_CLAIM"
