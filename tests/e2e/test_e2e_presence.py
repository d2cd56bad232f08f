"""A photo of the label is not sufficient: a target can require that the user reads a code from the device."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from infra.local.api import ApiRefused
from infra.local.powered_device import PoweredDevice
from lobby.names import Target
from lobby.text.label import encode_label, short_form
from tests.e2e.browser import PHONE, Visit
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.fleet import Fleet, certid_of, name_of, wait_for_event, wait_for_v01
from tests.e2e.presence_claims import confirm, requiring_presence

FUNCTIONS = ("admin-api", "commissioner", "express", "receptionist", "bouncer")


@pytest.fixture
def guarded(deployed: Deployment, second: Target) -> Iterator[Target]:
    with requiring_presence(deployed, second):
        yield second


def code_of(device: PoweredDevice, generation: int = 1) -> str:
    return str(wait_for_event(device, "presence_code", generation=generation)["code"])


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08}"


def code_file(fleet: Fleet, device: PoweredDevice) -> Path:
    assert fleet.powered
    return device.log_path.parent / "kept" / "presence-code"


def test_a_claimed_device_is_not_commissioned_until_its_code_is_confirmed(
    deployed: Deployment, fleet: Fleet, first: Target, guarded: Target
) -> None:
    paths = fleet.make()
    device, certid = fleet.power_on(paths, "--show-codes"), certid_of(paths)
    deployed.wait(certid, "inlobby")
    assert deployed.claim(certid, guarded) == "proving"
    code = code_of(device)
    until(lambda: code_file(fleet, device).exists())
    assert code_file(fleet, device).read_text() == f"{code}\n"
    assert [confirm(deployed, certid, wrong) for wrong in (other_than(code), other_than(code))] == ["WRONG_CODE"] * 2
    assert deployed.existing(certid)["devstate"] == "proving"
    assert [deployed.status(certid, scope) for scope in (first, guarded)] == [None, None]
    assert not device.first("route_received")
    assert confirm(deployed, certid, f"{code[:4]} {code[4:]}") == "claimed"
    wait_for_event(device, "arrived_at_target")
    arrived = deployed.wait(certid, "arrived")
    recorded = [event for event in events(arrived) if event != "retire"]
    assert recorded == ["admit", "hello", "claim", "mismatch", "mismatch", "confirm", "commission", "arrive"]
    assert arrived["historyIntact"]
    assert [deployed.status(certid, scope) for scope in (first, guarded)] == [None, "ACTIVE"]
    assert not code_file(fleet, device).exists()
    assert [line for function in FUNCTIONS for line in deployed.log_lines(function, code)] == []
    assert code not in str(arrived)


def test_a_device_claimed_before_its_first_connection_shows_its_code_when_it_is_powered_on(
    deployed: Deployment, fleet: Fleet, guarded: Target
) -> None:
    paths = fleet.make()
    certid = certid_of(paths)
    assert deployed.claim(certid, guarded) == "expected"
    device = fleet.power_on(paths, "--show-codes")
    deployed.wait(certid, "proving")
    assert confirm(deployed, certid, code_of(device)) == "claimed"
    deployed.wait(certid, "arrived")


def test_five_wrong_codes_end_a_claim_and_the_right_code_is_refused(
    deployed: Deployment, fleet: Fleet, first: Target, guarded: Target
) -> None:
    paths = fleet.make()
    device, certid = fleet.power_on(paths, "--show-codes"), certid_of(paths)
    deployed.wait(certid, "inlobby")
    deployed.claim(certid, guarded)
    code = code_of(device)
    results = [confirm(deployed, certid, other_than(code)) for _ in range(5)]
    assert results == ["WRONG_CODE"] * 4 + ["PRESENCE_FAILED"]
    deployed.wait(certid, "inlobby", reason="PRESENCE_FAILED", targetaccount=None)
    assert confirm(deployed, certid, code) == "NOT_ALLOWED"
    with pytest.raises(ApiRefused, match="PRESENCE_FAILED"):
        deployed.claim(certid, guarded)
    assert deployed.status(certid, guarded) is None
    assert deployed.claim(certid, first) == "claimed"
    deployed.wait(certid, "arrived")
    with pytest.raises(ApiRefused, match="PRESENCE_REQUIRED"):
        deployed.move(certid, guarded)


def test_a_v01_device_gets_no_unknown_message_and_the_operator_sees_why_it_waits(
    deployed: Deployment, fleet: Fleet, first: Target, guarded: Target
) -> None:
    paths = fleet.make()
    device, certid = fleet.power_on_v01(paths), certid_of(paths)
    deployed.wait(certid, "inlobby")
    assert deployed.claim(certid, guarded) == "proving"
    waits = deployed.wait(certid, "proving", reason="CODE_NOT_SHOWN")
    assert "update it" in waits["message"]
    deployed.release(certid)
    assert deployed.claim(certid, first) == "claimed"
    assert wait_for_v01(device, "in target") == deployed.layout.endpoint_address(first)
    deployed.wait(certid, "arrived")
    assert device.crash is None


@pytest.mark.full
def test_a_technician_claims_on_a_phone_and_enters_the_code(
    visit: Callable[..., Visit], deployed: Deployment, fleet: Fleet, first: Target
) -> None:
    paths = fleet.make()
    device, certid = fleet.power_on(paths, "--show-codes"), certid_of(paths)
    deployed.wait(certid, "inlobby")
    with requiring_presence(deployed, first):
        visitor = visit(PHONE)
        page = visitor.sign_in("technician", "/claim")
        page.get_by_role("button", name="Type code").click()
        page.get_by_role("textbox").press_sequentially(encode_label(certid))
        page.get_by_role("button", name="Claim", exact=True).click()
        field = page.get_by_role("textbox", name="Presence code")
        expect(field).to_be_visible()
        code = code_of(device)
        field.fill(other_than(code))
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_text("4 attempts left")).to_be_visible()
        assert visitor.accessibility_violations() == []
        assert visitor.overflow() == 0
        field.fill(f"{code[:4]} {code[4:]}")
        page.get_by_role("button", name="Confirm").click()
        deployed.wait(certid, "arrived")
    expect(page.get_by_text(short_form(certid)).first).to_be_visible()
    expect(page.get_by_text(re.compile("^Arrived in")).first).to_be_visible()
    assert name_of(paths)
