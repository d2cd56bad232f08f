"""`lobbyctl` and renewals: lists and changes of the devices that are due, and the overview."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lobby.domain.expiry import Expiring
from lobby.domain.renewals.renewal import Renewal, stage_of
from lobby.ledger.renewals.renewal_summary import RenewalSummary, save_summary
from lobby.names import Fingerprint
from tests.functional.admin_api.api_on_moto import Lobby
from tests.functional.admin_api.device_steps import arrived, claimed, commission
from tests.functional.admin_api.lobby_over_http import LobbyServer, Terminal, error_of

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


def test_every_list_states_which_devices_are_due_or_overdue(terminal: Terminal, lobby: Lobby) -> None:
    later, earlier = due(lobby, 1, LATER), due(lobby, 2, EARLIER)
    none = arrived(lobby, 3)
    renewals = {each["certid"]: each["renewal"] for each in terminal.records("devices", "list")}
    assert {each: found and found["overdue"] for each, found in renewals.items()} == {
        later: False,
        earlier: True,
        none: None,
    }
    table = terminal.run("devices", "list").stdout
    assert re.search(r"\bRENEWAL\b", table)
    assert (len(re.findall(r"\bdue\b", table)), len(re.findall(r"\boverdue\b", table))) == (1, 1)
    lines = terminal.run("devices", "list", "--csv").stdout.splitlines()
    assert lines[0].endswith(",renewal,renewby")
    assert {line.split(",")[0]: line.split(",")[-2:] for line in lines[1:]} == {
        later: ["due", LATER],
        earlier: ["overdue", EARLIER],
        none: ["", ""],
    }


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


def able(lobby: Lobby, number: int) -> Fingerprint:
    """An arrived device whose client has said that it can renew."""
    certid = arrived(lobby, number)
    device = lobby.ledger.get(certid)
    assert device is not None
    lobby.ledger.record_heartbeat(device, None, None, can_renew=True)
    return certid


def test_a_device_that_can_is_asked_to_renew_and_again_if_the_command_is_repeated(
    terminal: Terminal, lobby: Lobby
) -> None:
    certid = able(lobby, 1)
    (record,) = terminal.records("renew", certid)
    assert record["ok"]
    device = lobby.ledger.get(certid)
    assert device is not None
    assert (device.needs_commissioner, device.devstate, device.generation) == (True, "arrived", 1)
    assert device.renew_by is not None
    lobby.ledger.retire_certificates(device, (), "service:commissioner")
    terminal.records("renew", certid)
    again = lobby.ledger.get(certid)
    assert again is not None
    assert (again.needs_commissioner, again.renew_by) == (True, device.renew_by)
    assert lobby.ledger.history(certid)[-1].event == "due"


@pytest.mark.parametrize(("put", "code"), [(arrived, "CANNOT_RENEW"), (claimed, "NOT_ALLOWED")])
def test_a_device_that_cannot_renew_now_is_refused_and_stays_as_it_is(
    terminal: Terminal, lobby: Lobby, put: Callable[[Lobby, int], Fingerprint], code: str
) -> None:
    certid = put(lobby, 1)
    before = lobby.ledger.get(certid)
    refused = terminal.run("renew", certid, "--json")
    assert (refused.exit_code, error_of(refused)["code"]) == (1, code)
    assert lobby.ledger.get(certid) == before


def test_a_dry_run_needs_no_confirmation(terminal: Terminal, lobby: Lobby) -> None:
    certid = able(lobby, 1)
    before = lobby.ledger.get(certid)
    assert terminal.run("renew", certid, "--dry-run").exit_code == 0
    assert lobby.ledger.get(certid) == before


def test_a_list_is_asked_about_first_and_renewed_as_far_as_possible(
    terminal: Terminal, lobby: Lobby, tmp_path: Path
) -> None:
    can, cannot = able(lobby, 1), arrived(lobby, 2)
    listed = tmp_path / "devices.txt"
    listed.write_text(f"{can}\n{cannot}\n")
    assert terminal.run("renew", "--file", str(listed)).exit_code == 2
    result = terminal.run("renew", "--file", str(listed), "--yes")
    assert result.exit_code == 5
    assert "CANNOT_RENEW" in result.output


def test_a_renewal_is_followed_until_only_the_new_certificate_is_left(
    terminal: Terminal, lobby: Lobby, server: LobbyServer
) -> None:
    certid, new = able(lobby, 1), Fingerprint("b" * 64)

    def go_on(_number: int) -> None:
        """Take the next step of the renewal."""
        device = lobby.ledger.get(certid)
        assert device is not None
        match stage_of(device):
            case Renewal.DUE:
                lobby.ledger.renew(device, new, "pem", None, "service:renewer")
            case Renewal.SIGNED:
                commission(lobby, certid)
            case Renewal.COMMISSIONED:
                lobby.ledger.arrive(device, "service:arrivals", new)
            case Renewal.PROVEN:
                lobby.ledger.retire_certificates(device, device.retiring, "service:commissioner")

    server.before_request = go_on
    records = terminal.records("renew", certid, "--wait")
    assert records[-1]["reached"]
    device = lobby.ledger.get(certid)
    assert device is not None
    assert (device.certificate, device.retiring) == (new, ())
