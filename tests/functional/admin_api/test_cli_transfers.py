"""`lobbyctl transfers`: files, confirmation, keys and exit statuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from admin_api.cli.api.client import Client
from admin_api.cli.documents import Document
from admin_api.cli.documents import transfers as documents
from admin_api.cli.errors import Unreachable
from lobby.domain.states import State
from lobby.domain.transfers.document_signature import require_signed
from lobby.domain.transfers.transfer_documents import read_acceptance
from lobby.names import Fingerprint
from tests import certificates as make
from tests.functional.admin_api.api_on_moto import Lobby
from tests.functional.admin_api.device_steps import admit_with_large_certificate, arrived, state
from tests.functional.admin_api.lobby_over_http import Terminal, error_of
from tests.functional.admin_api.other_lobby import BOBS_KEY, THEIRS, acceptance, certificate, their_offer
from tests.history_key import KEY_NAME


@pytest.fixture
def offer(terminal: Terminal, lobby: Lobby, tmp_path: Path) -> Path:
    arrived(lobby, 1)
    out = tmp_path / "offer.json"
    result = terminal.run("transfers", "offer", "sensor-1", "--to", "Bob Ltd", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert f"SHA256:{KEY_NAME}" in result.stderr
    return out


def listed(terminal: Terminal, state: str) -> list[dict[str, Any]]:
    found = terminal.run("transfers", "list", "--state", state, "--json")
    return [json.loads(line) for line in found.stdout.splitlines()]


def test_an_offer_is_written_and_can_be_withdrawn(terminal: Terminal, offer: Path) -> None:
    assert json.loads(offer.read_text())["to"] == "Bob Ltd"
    unconfirmed = terminal.run("transfers", "withdraw", "sensor-1", "--json")
    assert error_of(unconfirmed)["code"] == "CONFIRMATION_NEEDED"
    assert terminal.run("transfers", "withdraw", "sensor-1", "--yes").exit_code == 0
    again = terminal.run("transfers", "withdraw", "sensor-1", "--yes")
    assert (again.exit_code, "NOT_OFFERED" in again.stdout) == (1, True)


def test_an_accepted_offer_is_completed_by_another_admin(
    terminal: Terminal, lobby: Lobby, offer: Path, tmp_path: Path
) -> None:
    document = json.loads(offer.read_text())
    certid = Fingerprint(document["devices"][0]["certid"])
    file = tmp_path / "acceptance.json"
    file.write_text(acceptance(certid, offer=document["offer"]))
    arguments = ("transfers", "complete", str(file), "--key", BOBS_KEY)
    unconfirmed = terminal.run("--as", "admin", *arguments, "--json")
    assert (error_of(unconfirmed)["code"], state(lobby, certid)) == ("CONFIRMATION_NEEDED", State.ARRIVED)
    result = terminal.run("--as", "admin", *arguments, "--yes", "--days", "10")
    assert result.exit_code == 0, result.output
    assert "done" in result.stdout
    device = lobby.ledger.get(certid)
    assert device is not None
    assert device.transfer is not None
    assert (device.devstate, device.transfer.endpoint) == (State.TRANSFERRED, "bob.example")
    assert [each["certid"] for each in listed(terminal, "completed")] == [certid]
    assert terminal.run("--as", "admin", "transfers", "withdraw", "sensor-1", "--yes").exit_code == 0
    assert state(lobby, certid) is State.INLOBBY


def test_devices_of_another_lobby_are_accepted_and_the_acceptance_is_written(
    terminal: Terminal, lobby: Lobby, tmp_path: Path
) -> None:
    object.__setattr__(lobby.services, "device_endpoint", "here.example")
    pem = certificate("pump-1")
    file, out = tmp_path / "offer.json", tmp_path / "acceptance.json"
    file.write_text(their_offer(("pump-1", pem)))
    arguments = ("--as", "admin", "transfers", "accept", str(file), "--key", BOBS_KEY, "--yes", "--out")
    result = terminal.run(*arguments, str(out))
    assert result.exit_code == 0, result.output
    assert f"SHA256:{KEY_NAME}" in result.stderr
    signed = json.loads(out.read_text())
    require_signed(signed, Fingerprint(KEY_NAME))
    found = read_acceptance(signed)
    assert (found.offered_by, found.endpoint, found.devices) == (THEIRS, "here.example", (make.fingerprint_of(pem),))
    assert state(lobby, make.fingerprint_of(pem)) is State.KNOCKING
    assert terminal.run(*arguments, str(tmp_path / "again.json")).exit_code == 0
    [here] = listed(terminal, "accepted")
    assert (here["devicename"], here["transfer"]["partner"]) == ("pump-1", THEIRS)


def test_open_offers_are_listed_and_one_is_withdrawn_by_its_id(terminal: Terminal, lobby: Lobby, offer: Path) -> None:
    number = json.loads(offer.read_text())["offer"]
    shown = terminal.run("transfers", "list")
    assert (shown.exit_code, number in shown.stdout, "Bob Ltd" in shown.stdout) == (0, True, True)
    unknown = terminal.run("transfers", "withdraw", "--offer", "f" * 32, "--yes", "--json")
    assert error_of(unknown)["code"] == "UNKNOWN_OFFER"
    both = terminal.run("transfers", "withdraw", "sensor-1", "--offer", number, "--yes", "--json")
    assert both.exit_code == 2
    assert terminal.run("transfers", "withdraw", "--offer", number, "--yes").exit_code == 0
    assert listed(terminal, "offered") == []


def test_a_lost_offer_is_written_again(terminal: Terminal, offer: Path, tmp_path: Path) -> None:
    first, again = json.loads(offer.read_text()), tmp_path / "again.json"
    result = terminal.run("transfers", "offer", "--offer", first["offer"], "--out", str(again))
    assert result.exit_code == 0, result.output
    second = json.loads(again.read_text())
    same = ("offer", "devices", "to", "expires")
    assert {name: first[name] for name in same} == {name: second[name] for name in same}


@pytest.mark.parametrize(
    "arguments",
    [("sensor-1",), ("--to", "Bob"), ("--offer", "f" * 32, "--to", "Bob"), ("sensor-1", "--offer", "f" * 32)],
)
def test_an_offer_names_its_devices_and_operator_or_one_that_exists(
    terminal: Terminal, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    result = terminal.run("transfers", "offer", *arguments, "--out", str(tmp_path / "x.json"), "--json")
    assert result.exit_code == 2


def test_an_existing_file_is_not_overwritten_and_nothing_is_offered(
    terminal: Terminal, lobby: Lobby, tmp_path: Path
) -> None:
    certid = arrived(lobby, 1)
    out = tmp_path / "offer.json"
    out.write_text("mine")
    result = terminal.run("transfers", "offer", certid, "--to", "Bob", "--out", str(out), "--json")
    assert (error_of(result)["code"], out.read_text()) == ("FILE_EXISTS", "mine")
    device = lobby.ledger.get(certid)
    assert device is not None
    assert device.transfer is None


def test_more_devices_than_one_offer_has_become_several_documents(
    terminal: Terminal, lobby: Lobby, tmp_path: Path
) -> None:
    certids = [lobby.waiting(number) for number in range(1, 28)]
    out = tmp_path / "offer.json"
    result = terminal.run("transfers", "offer", *certids, "--to", "Bob", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert [len(each["devices"]) for each in json.loads(out.read_text())] == [25, 2]


def test_devices_whose_certificates_exceed_one_document_are_offered_in_several(
    terminal: Terminal, lobby: Lobby, tmp_path: Path
) -> None:
    certids = [admit_with_large_certificate(lobby, number) for number in range(1, 26)]
    out = tmp_path / "offer.json"
    result = terminal.run("transfers", "offer", *certids, "--to", "Bob", "--out", str(out))
    assert result.exit_code == 0, result.output
    offers = json.loads(out.read_text())
    assert [len(each["devices"]) for each in offers] == [12, 13]
    assert len({each["offer"] for each in offers}) == 2


def test_offers_before_one_that_fails_are_written(
    terminal: Terminal, lobby: Lobby, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certids = [lobby.waiting(number) for number in range(1, 28)]
    execute, sent = Client.execute, list[object]()

    def once(client: Client, document: Document, **variables: object) -> dict[str, object]:
        if document is documents.OFFER:
            sent.append(document)
            if len(sent) == 2:
                raise Unreachable("TIMED_OUT", "got no response")
        return execute(client, document, **variables)

    monkeypatch.setattr(Client, "execute", once)
    out = tmp_path / "offer.json"
    result = terminal.run("transfers", "offer", *certids, "--to", "Bob", "--out", str(out))
    assert (result.exit_code != 0, "got no response" in result.stderr) == (True, True)
    assert len(json.loads(out.read_text())["devices"]) == 25


@pytest.mark.parametrize("content", ["", "[]", "1", '["x"]', "{"])
def test_a_file_without_documents_is_refused(terminal: Terminal, tmp_path: Path, content: str) -> None:
    file = tmp_path / "acceptance.json"
    file.write_text(content)
    result = terminal.run("transfers", "complete", str(file), "--key", KEY_NAME, "--json")
    assert (result.exit_code, error_of(result)["code"]) == (2, "INVALID_DOCUMENT")


@pytest.mark.parametrize("name", ["offer", "signature", "lobby"])
def test_a_file_with_a_name_twice_is_refused_by_name(
    terminal: Terminal, offer: Path, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "twice.json"
    file.write_text(offer.read_text().replace("{", f'{{"{name}": 1, "{name}": 2, ', 1))
    result = terminal.run("transfers", "complete", str(file), "--key", KEY_NAME, "--json")
    error = error_of(result)
    assert (result.exit_code, error["code"]) == (2, "INVALID_DOCUMENT")
    assert f"got '{name}' twice" in error["message"]


def test_operators_do_not_complete_transfers(terminal: Terminal, lobby: Lobby, offer: Path) -> None:
    result = terminal.run("--as", "operator", "transfers", "complete", str(offer), "--key", KEY_NAME, "--yes", "--json")
    assert error_of(result)["code"] == "FORBIDDEN"
    certid = next(iter(json.loads(offer.read_text())["devices"]))["certid"]
    assert state(lobby, certid) is State.ARRIVED
