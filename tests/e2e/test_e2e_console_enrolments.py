"""An enrolment in the console, from its creation by an admin to its revocation by an operator on a phone, with the
refusals of the form, of the API and of devices."""

from collections.abc import Callable
from itertools import count
from typing import Final

import pytest
from playwright.sync_api import Locator, Page, expect

from infra.local.manufacturer import Manufacturer
from lobby.names import Target
from pki.devices.credentials import DevicePaths
from tests.e2e.browser import PHONE, Visit
from tests.e2e.deployment import Deployment, until
from tests.e2e.fleet import Fleet, certid_of

Visiting = Callable[..., Visit]
_NAME: Final = "console-pumps"
_LIMIT: Final = 50
_ENROLMENT: Final = "query($id: ID!) { device(certid: $id) { enrolment } }"


def _row(page: Page) -> Locator:
    return page.get_by_role("listitem", name=_NAME, exact=True)


def _enter(page: Page, *, pattern: str, ca: str, target: Target) -> Locator:
    """Open the form, send it without conditions, and fill it in. The form is returned."""
    page.get_by_role("button", name="Create enrolment").click()
    dialog = page.get_by_role("dialog", name="Create enrolment")
    dialog.get_by_label("Name", exact=True).fill(_NAME)
    create = dialog.get_by_role("button", name="Create", exact=True)
    create.click()
    expect(dialog.get_by_role("alert")).to_contain_text("Fill in at least one condition")
    dialog.get_by_label("Device names").fill(pattern)
    dialog.get_by_label("CA", exact=True).fill(ca)
    dialog.get_by_label("Limit").fill(str(_LIMIT))
    dialog.get_by_role("combobox", name="Claim devices for").or_(
        dialog.get_by_role("textbox", name="Claim devices for")
    ).first.click()
    page.get_by_role("option").filter(has_text=str(target)).click()
    return dialog


def _act(page: Page, action: str) -> None:
    """Press a button of the enrolment and confirm."""
    page.get_by_role("button", name=f"{action} {_NAME}", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=action, exact=False).last.click()
    expect(dialog).to_be_hidden()


def _first_enrolled(deployed: Deployment, fleet: Fleet, maker: Manufacturer) -> DevicePaths:
    """Power devices on until the enrolment admits one: the bouncer reads new enrolments after at most 30 s."""
    numbers = count()

    def enrolled() -> DevicePaths | None:
        paths = maker.make_device(f"console-pump-{next(numbers)}")
        fleet.power_on(paths)
        deployed.wait(certid_of(paths), "knocking", "inlobby", "claimed", "commissioned", "arrived")
        if deployed.api().ask(_ENROLMENT, id=certid_of(paths))["device"]["enrolment"]:
            return paths
        fleet.powered.pop().stop()
        return None

    return until(enrolled, every=2.0)


def _refused(deployed: Deployment, fleet: Fleet, maker: Manufacturer, name: str) -> str:
    """Power a device on that is refused, and return its fingerprint."""
    paths = maker.make_device(name)
    fleet.power_on(paths)
    deployed.wait(certid_of(paths), "refused")
    return certid_of(paths)


@pytest.mark.full
def test_an_enrolment_is_created_paused_and_revoked_in_the_console(
    visit: Visiting, deployed: Deployment, fleet: Fleet, second: Target
) -> None:
    maker = fleet.manufacturer("console-pumps", registered=False)
    ca = fleet.register(maker)
    admin = visit()
    page = admin.sign_in("admin", "/enrolments")
    dialog = _enter(page, pattern="console-pump-*", ca=ca, target=second)
    assert admin.accessibility_violations() == []
    dialog.get_by_role("button", name="Create", exact=True).click()
    expect(dialog).to_be_hidden()
    expect(_row(page)).to_contain_text("Name console-pump-*")
    expect(_row(page)).to_contain_text(f"0 of {_LIMIT} devices admitted")

    dialog = _enter(page, pattern="other-*", ca=ca, target=second)
    dialog.get_by_role("button", name="Create", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text(_NAME)  # the name is used with other conditions
    dialog.get_by_role("button", name="Cancel").click()

    arrived = _first_enrolled(deployed, fleet, maker)
    assert deployed.wait(certid_of(arrived), "arrived")["targetaccount"] == second.account
    expect(_row(page)).to_contain_text(f"1 of {_LIMIT} devices admitted")

    operator = visit(PHONE)
    phone = operator.sign_in("operator", "/enrolments")
    expect(_row(phone)).to_contain_text("active")
    expect(phone.get_by_role("button", name="Create enrolment")).to_have_count(0)
    _act(phone, "Pause")
    expect(_row(phone)).to_contain_text("paused")
    _refused(deployed, fleet, maker, "console-pump-while-paused")
    expect(_row(phone)).to_contain_text("1 device refused: Its enrolment is paused")

    _act(phone, "Revoke")
    expect(_row(phone)).to_contain_text("revoked")
    expect(_row(phone).get_by_role("button")).to_have_count(0)
    certid = _refused(deployed, fleet, maker, "console-pump-too-late")
    for each in (page, phone):
        expect(_row(each)).to_contain_text("1 device refused: Its enrolment is revoked")
    for session in (admin, operator):
        assert (session.accessibility_violations(), session.overflow()) == ([], 0)
    assert deployed.existing(certid_of(arrived))["devstate"] == "arrived"

    phone.goto(operator.address(f"/devices/{certid}"))
    expect(phone.get_by_role("alert")).to_contain_text("Its enrolment is revoked")
