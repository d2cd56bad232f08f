"""The claim page in a browser with a simulated camera: labels scanned, photographed, typed or queued offline."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lobby.text.label import encode_label, short_form
from pki.devices.credentials import DevicePaths
from tests.e2e.browser import PHONE, Visit
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.fleet import Fleet, certid_of
from tests.e2e.label_video import POOR_VIEW, write_video

Visiting = Callable[..., Visit]


def _claim_count(deployed: Deployment, certid: str) -> int:
    return events(deployed.existing(certid)).count("claim")


def _claimers(deployed: Deployment, certid: str) -> list[str]:
    return [entry["actor"] for entry in deployed.existing(certid)["history"] if entry["event"] == "claim"]


def _type_code(page: Page, code: str) -> None:
    page.get_by_role("button", name="Type code").click()
    page.get_by_role("textbox").press_sequentially(code)


def _waiting_device(deployed: Deployment, fleet: Fleet) -> DevicePaths:
    paths = fleet.make()
    fleet.power_on(paths)
    deployed.wait(certid_of(paths), "inlobby")
    return paths


def test_scanning_a_badly_visible_label_claims_its_device(
    visit: Visiting, deployed: Deployment, fleet: Fleet, tmp_path: Path
) -> None:
    paths = _waiting_device(deployed, fleet)
    certid = certid_of(paths)
    session = visit(PHONE, camera=write_video(paths.label, tmp_path / "label.y4m", POOR_VIEW))
    page = session.sign_in("technician", "/claim")
    page.get_by_role("button", name="Scan label").click()
    expect(page.get_by_text(short_form(certid))).to_be_visible()
    assert session.accessibility_violations() == []
    page.get_by_role("button", name="Claim", exact=True).click()
    expect(page.get_by_role("button", name="Scan next label")).to_be_visible()
    deployed.wait(certid, "arrived")
    expect(page.get_by_text(re.compile("Arrived", re.IGNORECASE)).first).to_be_visible()
    assert session.accessibility_violations() == []
    assert session.overflow() == 0
    assert _claimers(deployed, certid) == ["user:technician"]


@pytest.mark.full
def test_a_photo_of_the_label_claims_its_device(visit: Visiting, deployed: Deployment, fleet: Fleet) -> None:
    paths = _waiting_device(deployed, fleet)
    page = visit(PHONE).sign_in("technician", "/claim")
    page.get_by_label("Photo of a label").set_input_files(paths.label)
    page.get_by_role("button", name="Claim", exact=True).click()
    deployed.wait(certid_of(paths), "arrived")


@pytest.mark.full
def test_a_mistyped_code_is_reported_and_not_sent(visit: Visiting, deployed: Deployment, fleet: Fleet) -> None:
    paths = _waiting_device(deployed, fleet)
    certid = certid_of(paths)
    code = encode_label(certid)
    mistyped = code[:-6] + ("A" if code[-6] != "A" else "B") + code[-5:]
    page = visit(PHONE).sign_in("technician", "/claim")
    _type_code(page, mistyped)
    expect(page.get_by_text(re.compile("mistyped")).first).to_be_visible()
    expect(page.get_by_role("button", name="Claim", exact=True)).to_be_disabled()
    page.get_by_role("textbox").fill("")
    page.get_by_role("textbox").press_sequentially(code)
    page.get_by_role("button", name="Claim", exact=True).click()
    deployed.wait(certid, "arrived")
    assert _claim_count(deployed, certid) == 1


@pytest.mark.full
def test_an_offline_claim_is_stored_shown_and_sent_once(visit: Visiting, deployed: Deployment, fleet: Fleet) -> None:
    certid = certid_of(_waiting_device(deployed, fleet))
    session = visit(PHONE)
    page = session.sign_in("technician", "/claim")
    expect(page.get_by_role("button", name="Scan label")).to_be_visible()
    until(lambda: page.evaluate("async () => Boolean((await navigator.serviceWorker.ready).active)") or None)
    session.context.set_offline(True)
    expect(page.get_by_text("Offline").first).to_be_visible()
    _type_code(page, encode_label(certid))
    page.get_by_role("button", name="Claim", exact=True).click()
    expect(page.get_by_text(re.compile("waiting for the network", re.IGNORECASE)).first).to_be_visible()
    page.reload()
    expect(page.get_by_text(short_form(certid)).first).to_be_visible()
    assert deployed.existing(certid)["devstate"] == "inlobby"
    session.context.set_offline(False)
    deployed.wait(certid, "arrived")
    expect(page.get_by_text(re.compile("Arrived", re.IGNORECASE)).first).to_be_visible()
    assert _claim_count(deployed, certid) == 1


def test_a_technician_sees_only_permitted_targets(visit: Visiting, deployed: Deployment) -> None:
    page = visit(PHONE).sign_in("technician", "/claim")
    permitted, other = deployed.targets
    expect(page.get_by_text(str(permitted)).first).to_be_visible()
    assert str(other) not in page.inner_text("body")
