"""A photographed label is worthless: where a target asks for it, a claim comes into force at the device only."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from infra.local.api import ApiRefused
from infra.local.powered_device import PoweredDevice
from lobby.names import Target
from lobby.wire import encode_label, short_form
from tests.e2e.browser import PHONE, Visit
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.workbench import Workbench, certid_of, does, name_of, says

CONFIRM = "mutation($id: ID!, $code: String!) { confirmPresence(certid: $id, code: $code) { devstate } }"
TARGETS = "{ targets { account region name } }"
ASK = """mutation($account: String!, $region: String!, $name: String!, $presence: Boolean!) {
  registerTarget(account: $account, region: $region, name: $name, presence: $presence) { presence }
}"""
FUNCTIONS = ("admin-api", "commissioner", "receptionist", "bouncer")


@contextmanager
def asking(deployed: Deployment, target: Target) -> Iterator[None]:
    """Claims for it want the device's code meanwhile."""
    admin = deployed.api("admin")
    (name,) = [
        each["name"]
        for each in admin.ask(TARGETS)["targets"]
        if (each["account"], each["region"]) == (target.account, target.region)
    ]
    said: dict[str, Any] = {"account": target.account, "region": target.region, "name": name}
    assert admin.ask(ASK, **said, presence=True)["registerTarget"] == {"presence": True}
    try:
        yield
    finally:
        admin.ask(ASK, **said, presence=False)


@pytest.fixture
def guarded(deployed: Deployment, second: Target) -> Iterator[Target]:
    with asking(deployed, second):
        yield second


def confirm(deployed: Deployment, certid: str, code: str) -> str:
    """The state that it led to, or why it was refused."""
    try:
        return str(deployed.api().ask(CONFIRM, id=certid, code=code)["confirmPresence"]["devstate"])
    except ApiRefused as refused:
        return refused.code


def code_of(device: PoweredDevice, generation: int = 1) -> str:
    return str(says(device, "presence_code", generation=generation)["code"])


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08}"


def kept_code(bench: Workbench, device: PoweredDevice) -> Path:
    assert bench.powered
    return device.log_path.parent / "kept" / "presence-code"


def test_claimed_from_afar_a_device_goes_nowhere_until_somebody_reads_its_code(
    deployed: Deployment, bench: Workbench, first: Target, guarded: Target
) -> None:
    paths = bench.make()
    device, certid = bench.power(paths, "--show-codes"), certid_of(paths)
    deployed.wait(certid, "inlobby")
    assert deployed.claim(certid, guarded) == "proving"
    code = code_of(device)
    until(lambda: kept_code(bench, device).exists())
    assert kept_code(bench, device).read_text() == f"{code}\n"
    assert [confirm(deployed, certid, wrong) for wrong in (other_than(code), other_than(code))] == ["WRONG_CODE"] * 2
    assert deployed.known(certid)["devstate"] == "proving"
    assert [deployed.status(certid, scope) for scope in (first, guarded)] == [None, None]
    assert not device.first("route_received")
    assert confirm(deployed, certid, f"{code[:4]} {code[4:]}") == "claimed"
    says(device, "arrived_at_target")
    arrived = deployed.wait(certid, "arrived")
    told = [event for event in events(arrived) if event != "retire"]
    assert told == ["admit", "hello", "claim", "mismatch", "mismatch", "confirm", "commission", "arrive"]
    assert arrived["historyIntact"]
    assert [deployed.status(certid, scope) for scope in (first, guarded)] == [None, "ACTIVE"]
    assert not kept_code(bench, device).exists()
    assert [line for function in FUNCTIONS for line in deployed.said_by(function, code)] == []
    assert code not in str(arrived)


def test_one_that_was_claimed_in_its_box_shows_its_code_when_it_is_switched_on(
    deployed: Deployment, bench: Workbench, guarded: Target
) -> None:
    paths = bench.make()
    certid = certid_of(paths)
    assert deployed.claim(certid, guarded) == "expected"
    device = bench.power(paths, "--show-codes")
    deployed.wait(certid, "proving")
    assert confirm(deployed, certid, code_of(device)) == "claimed"
    deployed.wait(certid, "arrived")


def test_five_wrong_codes_end_a_claim_and_the_right_one_comes_too_late(
    deployed: Deployment, bench: Workbench, first: Target, guarded: Target
) -> None:
    paths = bench.make()
    device, certid = bench.power(paths, "--show-codes"), certid_of(paths)
    deployed.wait(certid, "inlobby")
    deployed.claim(certid, guarded)
    code = code_of(device)
    said = [confirm(deployed, certid, other_than(code)) for _ in range(5)]
    assert said == ["WRONG_CODE"] * 4 + ["PRESENCE_FAILED"]
    deployed.wait(certid, "inlobby", reason="PRESENCE_FAILED", targetaccount=None)
    assert confirm(deployed, certid, code) == "NOT_ALLOWED"
    with pytest.raises(ApiRefused, match="PRESENCE_FAILED"):
        deployed.claim(certid, guarded)
    assert deployed.status(certid, guarded) is None
    assert deployed.claim(certid, first) == "claimed"
    deployed.wait(certid, "arrived")
    with pytest.raises(ApiRefused, match="PRESENCE_REQUIRED"):
        deployed.move(certid, guarded)


def test_a_v01_device_gets_no_message_that_it_does_not_know_and_the_operator_sees_why_it_waits(
    deployed: Deployment, bench: Workbench, first: Target, guarded: Target
) -> None:
    paths = bench.make()
    device, certid = bench.power_v01(paths), certid_of(paths)
    deployed.wait(certid, "inlobby")
    assert deployed.claim(certid, guarded) == "proving"
    waits = deployed.wait(certid, "proving", reason="CODE_NOT_SHOWN")
    assert "update it" in waits["message"]
    deployed.release(certid)
    assert deployed.claim(certid, first) == "claimed"
    assert does(device, "in target") == deployed.layout.endpoint_address(first)
    deployed.wait(certid, "arrived")
    assert device.crash is None


def test_a_technician_claims_on_a_phone_and_types_what_the_device_shows(
    visit: Callable[..., Visit], deployed: Deployment, bench: Workbench, first: Target
) -> None:
    paths = bench.make()
    device, certid = bench.power(paths, "--show-codes"), certid_of(paths)
    deployed.wait(certid, "inlobby")
    with asking(deployed, first):
        person = visit(PHONE)
        page = person.sign_in("technician", "/claim")
        page.get_by_role("button", name="Type code").click()
        page.get_by_role("textbox").press_sequentially(encode_label(certid))
        page.get_by_role("button", name="Claim", exact=True).click()
        field = page.get_by_role("textbox", name="Presence code")
        expect(field).to_be_visible()
        code = code_of(device)
        field.fill(other_than(code))
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_text("4 attempts left")).to_be_visible()
        assert person.serious_barriers() == []
        assert person.overflow() == 0
        field.fill(f"{code[:4]} {code[4:]}")
        page.get_by_role("button", name="Confirm").click()
        deployed.wait(certid, "arrived")
    expect(page.get_by_text(short_form(certid)).first).to_be_visible()
    expect(page.get_by_text(re.compile("^Arrived in")).first).to_be_visible()
    assert name_of(paths)
