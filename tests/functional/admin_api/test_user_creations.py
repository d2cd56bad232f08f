"""What a blocked user has created and that still works: each kind is listed, only for its user, until it is ended."""

import json
import shlex
from typing import Any, NoReturn

import pytest

from tests import certificates as make
from tests.functional.admin_api.api_on_moto import HERE, Lobby
from tests.functional.admin_api.device_steps import arrived
from tests.functional.admin_api.lobby_over_http import Terminal
from tests.functional.admin_api.user_pool import token

BLOCK = 'mutation { blockUser(name: "mallory") { created { kind name detail endedBy } } }'
LIST = "{ blockedUsers { name created { kind name } } }"
PEM = make.pem_of(make.device(make.authority(), "claim", end=make.NOW + 3650 * make.DAY))
OFFER = "0123456789abcdef" * 2
STATEMENTS = (
    'createEnrolment(name: "pumps", door: "token", match: {namePattern: "pump-*"}) { name }',
    'createEnrolment(name: "valves", door: "claim", limit: 5, match: {namePattern: "valve-*"}) { name }',
    'createEnrolmentToken(enrolment: "pumps", uses: 3) { secret }',
    f'addClaimCertificate(enrolment: "valves", certificatePem: {json.dumps(PEM)}) {{ certificateId }}',
    f'claimSerialNumbers(serialNumbers: ["pump-1"], target: {{account: "{HERE.account}", region: "{HERE.region}"}})'
    " { results { ok } }",
    'addWebhook(url: "https://example.com/hook", events: ["claim"]) { webhook { id } }',
)
KINDS = ["enrolment", "enrolment", "token", "claim certificate", "offer", "serial number", "webhook"]


def send(lobby: Lobby, user: str, query: str) -> dict[str, Any]:
    response = lobby.send({"query": query}, f"Bearer {token('admin', username=user)}")
    assert response.codes == [], response.body
    return response.data


@pytest.fixture
def mallory(lobby: Lobby) -> Lobby:
    """A lobby in which mallory has created one of everything, and alice a token."""
    devices = [arrived(lobby, number) for number in (1, 2)]
    for each in STATEMENTS:
        send(lobby, "mallory", f"mutation {{ {each} }}")
    offer = f'offerDevices(certids: {json.dumps(devices)}, to: "Bob Ltd", offer: "{OFFER}") {{ document }}'
    send(lobby, "mallory", f"mutation {{ {offer} }}")
    send(lobby, "alice", 'mutation { createEnrolmentToken(enrolment: "pumps") { secret } }')
    return lobby


def created(lobby: Lobby) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = send(lobby, "chief", BLOCK)["blockUser"]["created"]
    return found


def test_a_block_lists_what_the_user_has_created(mallory: Lobby) -> None:
    found = created(mallory)
    assert [each["kind"] for each in found] == KINDS
    by_kind = {each["kind"]: each for each in found}
    assert {each["name"] for each in found[:2]} == {"pumps", "valves"}
    assert by_kind["token"]["name"].startswith("pumps.")
    assert "of pumps, 0 of 3 uses" in by_kind["token"]["detail"]
    assert by_kind["claim certificate"]["name"] == make.fingerprint_of(PEM)
    assert (by_kind["offer"]["name"], by_kind["offer"]["detail"]) == (OFFER, "to Bob Ltd, 2 devices")
    assert (by_kind["serial number"]["name"], by_kind["serial number"]["detail"]) == ("pump-1", f"for {HERE}")
    assert by_kind["webhook"]["detail"] == "https://example.com/hook, active"
    assert by_kind["webhook"]["endedBy"] == "removeWebhook"


def test_the_list_of_blocked_users_shows_each_ones_own(mallory: Lobby) -> None:
    send(mallory, "chief", 'mutation { blockUser(name: "alice") { name } }')
    created(mallory)
    listed = {each["name"]: each["created"] for each in send(mallory, "chief", LIST)["blockedUsers"]}
    assert [each["kind"] for each in listed["alice"]] == ["token"]
    assert len(listed["mallory"]) == len(KINDS)


def test_lobbyctl_prints_a_command_that_ends_each(mallory: Lobby, terminal: Terminal) -> None:
    shown = terminal.run("--as", "admin", "users", "block", "mallory")
    assert f"lobbyctl transfers withdraw --offer {OFFER}" in shown.stdout
    assert f"{len(KINDS)} still work" in shown.stderr
    record = json.loads(terminal.run("--as", "admin", "--json", "users", "block", "mallory").stdout)
    for each in reversed(record["created"]):
        _, *command = shlex.split(each["command"])
        confirmed = [] if each["kind"] == "serial number" else ["--yes"]
        result = terminal.run("--as", "admin", *command, *confirmed)
        assert result.exit_code == 0, result.output
    assert created(mallory) == []
    assert terminal.run("--as", "admin", "users", "block", "mallory").stdout == ""


def test_a_user_is_blocked_although_their_lists_cannot_be_read(
    mallory: Lobby, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("admin_api.graphql.context.read_creations", _unreadable)
    shown = terminal.run("--as", "admin", "users", "block", "mallory")
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert "Blocked mallory" in shown.stderr
    assert "could not be read (INTERNAL" in shown.stderr
    record = json.loads(terminal.run("--as", "admin", "--json", "users", "block", "mallory").stdout)
    assert (record["name"], record["created"]) == ("mallory", None)


def _unreadable(*_: object) -> NoReturn:
    raise RuntimeError("the table does not answer")
