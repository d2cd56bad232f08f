"""Who comes into the console, and what each role sees of it; what everybody can use, whoever they are."""

from collections.abc import Callable
from typing import Final

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import DESK, PHONE, Screen, Visit
from tests.e2e.deployment import Deployment

Visiting = Callable[..., Visit]
ROOMS: Final = ("Claim", "Waiting", "Devices", "Targets", "Overview")
STARTS: Final = {"admin": "waiting", "operator": "waiting", "technician": "claim", "viewer": "overview"}


def _rooms(page: Page) -> list[str]:
    shown = page.get_by_role("navigation", name="Main").get_by_role("link")
    return [text.strip() for text in shown.all_inner_texts()]


@pytest.mark.parametrize("role", STARTS)
def test_each_role_starts_in_its_room_and_has_its_menu(visit: Visiting, role: str) -> None:
    page = visit().sign_in(role)
    page.wait_for_url(f"**/{STARTS[role]}")
    assert _rooms(page) == [room for room in ROOMS if room != "Claim" or role != "viewer"]


def test_an_address_survives_the_sign_in(visit: Visiting) -> None:
    person = visit()
    page = person.sign_in("operator", "/devices?state=refused")
    page.wait_for_url(person.address("/devices?state=refused"))


def test_a_wrong_password_lets_nobody_in(visit: Visiting, deployed: Deployment) -> None:
    page = visit().page
    page.goto(deployed.file.console_url)
    page.get_by_label("Username").fill("operator")
    page.get_by_label("Password").fill("Wrong-password-1!")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Incorrect username or password")).to_be_visible()


def test_no_token_is_kept_where_another_script_could_find_it(visit: Visiting) -> None:
    person = visit()
    page = person.sign_in("operator")
    addresses: list[str] = []
    page.on("framenavigated", lambda frame: addresses.append(frame.url))
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    kept = page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert "eyJ" not in kept
    assert not [address for address in [*addresses, page.url] if "eyJ" in address or "token" in address]


def test_a_reload_asks_for_no_password_and_signing_out_does(visit: Visiting) -> None:
    page = visit().sign_in("operator")
    page.reload()
    menu = page.get_by_role("button", name="Account menu: operator")
    expect(menu).to_be_visible()
    menu.click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()


def test_the_page_is_of_one_origin_and_its_files_are_kept_for_long(deployed: Deployment) -> None:
    with httpx.Client(base_url=deployed.file.console_url) as console:
        page = console.get("/claim")
        assert page.headers["cache-control"] == "no-store"
        assert "unsafe-inline" not in page.headers["content-security-policy"]
        assert "access-control-allow-origin" not in page.headers
        script = page.text.split('src="', 1)[1].split('"', 1)[0]
        kept = console.get(script, headers={"accept-encoding": "gzip"})
        assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert kept.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=lambda screen: screen.name)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_keeps_people_out_of_any_room(visit: Visiting, screen: Screen, dark: bool) -> None:
    person = visit(screen, dark=dark)
    page = person.sign_in("admin")
    for room in ROOMS:
        page.get_by_role("navigation", name="Main").get_by_role("link", name=room).click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert person.serious_barriers() == [], room
        assert person.overflow() == 0, room


def test_the_rooms_are_reached_by_keyboard(visit: Visiting) -> None:
    page = visit().sign_in("operator")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.get_by_role("link", name="Overview").evaluate("link => link === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
