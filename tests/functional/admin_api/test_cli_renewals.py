"""`lobbyctl` and renewals: lists and changes of the devices that are due, and the overview."""

import re

import pytest

from lobby.domain.expiry import Expiring
from lobby.ledger.renewal_summary import RenewalSummary, save_summary
from lobby.names import Fingerprint
from tests.functional.admin_api.api_on_moto import Lobby
from tests.functional.admin_api.device_steps import arrived
from tests.functional.admin_api.lobby_over_http import Terminal

COMMAND = "lobbyctl devices list --renewal due"
AT, LATER, EARLIER = "2026-11-30T00:00:00.000Z", "9000-01-01T00:00:00.000Z", "2020-01-01T00:00:00.000Z"


def due(lobby: Lobby, number: int, by: str) -> Fingerprint:
    certid = arrived(lobby, number)
    device = lobby.ledger.get(certid)
    assert device is not None
    lobby.ledger.due(device, by, "service:reconciler")
    return certid


def test_the_due_or_the_overdue_devices_are_listed(terminal: Terminal, lobby: Lobby) -> None:
    later, earlier = due(lobby, 1, LATER), due(lobby, 2, EARLIER)
    arrived(lobby, 3)

    def listed(renewal: str) -> list[str]:
        return [each["certid"] for each in terminal.records("devices", "list", "--renewal", renewal)]

    assert listed("due") == [earlier, later]
    assert listed("overdue") == [earlier]


@pytest.mark.parametrize("renewal", ["signed", "DUE ", ""])
def test_an_unknown_renewal_is_a_usage_error(terminal: Terminal, renewal: str) -> None:
    assert terminal.run("devices", "list", "--renewal", renewal).exit_code == 2


@pytest.mark.parametrize("command", [("release", "--dry-run"), ("campaigns", "preview", "--do", "release")])
def test_a_change_and_a_campaign_select_the_overdue_devices(
    terminal: Terminal, lobby: Lobby, command: tuple[str, ...]
) -> None:
    due(lobby, 1, LATER)
    due(lobby, 2, EARLIER)
    shown = terminal.run(*command, "--renewal", "overdue")
    assert re.search("1 of 1 devices? will be changed", shown.output), shown.output


def test_the_overview_names_the_command_that_lists_the_due_devices(terminal: Terminal, lobby: Lobby) -> None:
    assert COMMAND not in terminal.run("overview").stdout
    save_summary(RenewalSummary(AT, 0, 0, 0, 1))
    assert COMMAND not in terminal.run("overview").stdout
    save_summary(RenewalSummary(AT, 2, 1, 0, 1))
    assert COMMAND in terminal.run("overview").stdout


def test_the_overview_names_the_lists_and_the_cas_that_end(terminal: Terminal, lobby: Lobby) -> None:
    ending = (Expiring("list", "ab" * 32, "CN=Lister", AT), Expiring("ca", "cd" * 32, "CN=Maker", AT))
    save_summary(RenewalSummary(AT, 0, 0, 0, 0, ending))
    shown = terminal.run("overview").stdout
    assert "revocation list of CN=Lister" in shown
    assert "CA CN=Maker" in shown
