"""A campaign in the console, from the filter to its undo: preview, approval by a second user, progress, pause, CSV."""

import csv
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from infra.local.api import ApiRefused
from lobby.names import Target
from pki.devices.credentials import DevicePaths
from tests.e2e.browser import PHONE, Visit
from tests.e2e.deployment import Deployment, until
from tests.e2e.fleet import Fleet, certid_of

Visiting = Callable[..., Visit]
_FUNCTIONS: Final = ("device-lobby-admin-api", "device-lobby-campaigns")
_NAME: Final = "console-to-second"
_DEVICES: Final = 3
_PREFIX: Final = "of-the-console-campaign-"
"""The start of the devices' names. Other tests leave devices in the same target."""
_CHECKED: Final = 120
"""Seconds in which the feeder has checked the outcomes again, also on a busy machine."""


@contextmanager
def _approval_above(deployed: Deployment, devices: int) -> Iterator[None]:
    """Let smaller campaigns need an approval. By default only those of more than 1,000 devices do. Requests that run
    while a function is changed fail."""
    functions = deployed.client(deployed.lobby, "lambda")
    before = {
        name: functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"] for name in _FUNCTIONS
    }
    try:
        for name, variables in before.items():
            changed = variables | {"CAMPAIGN_APPROVAL_ABOVE": str(devices)}
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": changed})
        until(partial(_answers, deployed))
        yield
    finally:
        for name, variables in before.items():
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def _answers(deployed: Deployment) -> bool:
    try:
        return bool(deployed.target_accounts())
    except (ApiRefused, httpx.HTTPError):
        return False


def _choose(page: Page, within: Locator, field: str, text: str) -> None:
    within.get_by_role("combobox", name=field, exact=True).or_(
        within.get_by_role("textbox", name=field, exact=True)
    ).first.click()
    page.get_by_role("option").filter(has_text=text).first.click()


def _campaign(page: Page, name: str) -> Locator:
    return page.get_by_role("listitem", name=name, exact=True)


def _act(page: Page, action: str, name: str) -> None:
    """Press a campaign's button, which may appear only after the next check of the outcomes, and confirm."""
    page.get_by_role("button", name=f"{action} {name}", exact=True).click(timeout=_CHECKED * 1000)
    dialog = page.get_by_role("dialog", name=f"{action} {name}?")
    dialog.get_by_role("button", name=f"{action} campaign").click()
    expect(dialog).to_be_hidden()


def _results(page: Page, name: str, directory: Path) -> dict[str, dict[str, str]]:
    """Save the results and return the rows by fingerprint."""
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Results of {name}", exact=True).click()
    assert download.value.suggested_filename == f"campaign-{name}.csv"
    file = directory / "results.csv"
    download.value.save_as(file)
    with file.open(newline="", encoding="utf-8") as lines:
        return {row["certid"]: row for row in csv.DictReader(lines)}


def _arrived_devices(deployed: Deployment, fleet: Fleet, target: Target) -> list[DevicePaths]:
    """Return devices in the target. The last one is switched off, so that it is awaited."""
    devices = [fleet.make(name=f"{_PREFIX}{number}") for number in range(_DEVICES)]
    for paths in devices:
        deployed.claim(certid_of(paths), target)
        fleet.power_on(paths)
    for paths in devices:
        deployed.wait(certid_of(paths), "arrived")
    fleet.powered[-1].stop()
    return devices


def _create(page: Page, session: Visit, first: Target, second: Target) -> None:
    """Enter a campaign that moves the test's devices in a target, and look at its preview."""
    page.get_by_role("button", name="Create campaign").first.click()
    dialog = page.get_by_role("dialog", name="Create campaign")
    dialog.get_by_label("Name", exact=True).fill(_NAME)
    _choose(page, dialog, "Devices in target", str(first))
    _choose(page, dialog, "Devices in state", "Arrived")
    dialog.get_by_label("Devices whose name starts with").fill(_PREFIX)
    _choose(page, dialog, "Target", str(second))
    dialog.get_by_label("Stop above").fill("100")
    dialog.get_by_role("button", name="Preview").click()
    expect(dialog.get_by_role("status")).to_contain_text(f"{_DEVICES} devices will be changed")
    expect(dialog.get_by_text("Another user has to approve it.")).to_be_visible()
    assert session.accessibility_violations() == []
    dialog.get_by_role("button", name="Create", exact=True).click()
    expect(dialog).to_be_hidden()


def _approve(visit: Visiting, page: Page) -> Page:
    """Who has created it cannot approve it; an admin does, on a phone, whose page is returned."""
    expect(_campaign(page, _NAME)).to_contain_text("Waits for the approval of a user other than operator")
    expect(page.get_by_role("button", name=f"Approve {_NAME}")).to_have_count(0)
    session = visit(PHONE)
    phone = session.sign_in("admin", "/campaigns")
    _act(phone, "Approve", _NAME)
    expect(_campaign(phone, _NAME)).to_contain_text("approved by admin")
    assert (session.accessibility_violations(), session.overflow()) == ([], 0)
    return phone


@pytest.mark.full
def test_a_campaign_is_previewed_approved_paused_and_undone_in_the_console(
    visit: Visiting, deployed: Deployment, fleet: Fleet, first: Target, second: Target, tmp_path: Path
) -> None:
    devices = _arrived_devices(deployed, fleet, first)
    certids = [certid_of(each) for each in devices]
    with _approval_above(deployed, _DEVICES - 1):
        session = visit()
        page = session.sign_in("operator", "/campaigns")
        _create(page, session, first, second)
        phone = _approve(visit, page)
        for certid in certids[:-1]:
            deployed.wait(certid, "arrived", targetaccount=second.account)
        row = _campaign(page, _NAME)
        expect(row).to_contain_text("not arrived yet")
        _act(page, "Pause", _NAME)
        expect(row).to_contain_text("paused")
        _act(page, "Resume", _NAME)
        expect(row).to_contain_text("running")
        assert _results(page, _NAME, tmp_path)[certids[-1]]["outcome"] == "awaited"

        fleet.power_on(devices[-1])
        deployed.wait(certids[-1], "arrived", targetaccount=second.account)
        progress = page.get_by_role("progressbar", name=re.compile(rf"{_NAME}: {_DEVICES} done"))
        expect(progress).to_be_visible(timeout=_CHECKED * 1000)
        rows = _results(page, _NAME, tmp_path)
        assert [(rows[each]["outcome"], rows[each]["from"], rows[each]["target"]) for each in certids] == [
            ("done", str(first), str(second))
        ] * _DEVICES

        _act(page, "Undo", _NAME)
        _act(phone, "Approve", f"{_NAME}-undo")
        expect(_campaign(page, f"{_NAME}-undo")).to_contain_text(f"which undoes {_NAME}")
        expect(row).to_contain_text(f"undone by {_NAME}-undo")
        for certid in certids:
            deployed.wait(certid, "arrived", targetaccount=first.account)
