"""Access to the console: sign-in, the pages of each role, token storage, and accessibility."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.browser import DESK, PHONE, Screen, Visit
from tests.e2e.deployment import Deployment

Visiting = Callable[..., Visit]
PAGES: Final = (
    "Claim",
    "Waiting",
    "Devices",
    "Targets",
    "Enrolments",
    "Campaigns",
    "Overview",
    "Activity",
    "Webhooks",
    "Blocked users",
)
HIDDEN: Final = {
    "viewer": ("Claim", "Enrolments", "Campaigns", "Activity", "Webhooks", "Blocked users"),
    "technician": ("Enrolments", "Campaigns", "Activity", "Webhooks", "Blocked users"),
    "operator": ("Webhooks", "Blocked users"),
}
STARTS: Final = {"admin": "waiting", "operator": "waiting", "technician": "claim", "viewer": "overview"}


def _navigation(page: Page) -> list[str]:
    shown = page.get_by_role("navigation", name="Main").get_by_role("link")
    return [text.strip() for text in shown.all_inner_texts()]


@pytest.mark.parametrize("role", STARTS)
def test_each_role_starts_on_its_page_with_its_navigation(visit: Visiting, role: str) -> None:
    page = visit().sign_in(role)
    page.wait_for_url(f"**/{STARTS[role]}")
    assert _navigation(page) == [name for name in PAGES if name not in HIDDEN.get(role, ())]


def test_the_address_is_kept_during_sign_in(visit: Visiting) -> None:
    session = visit()
    page = session.sign_in("operator", "/devices?state=refused")
    page.wait_for_url(session.address("/devices?state=refused"))


def test_a_wrong_password_is_rejected(visit: Visiting, deployed: Deployment) -> None:
    page = visit().page
    page.goto(deployed.file.console_url)
    page.get_by_label("Username").fill("operator")
    page.get_by_label("Password").fill("Wrong-password-1!")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Incorrect username or password")).to_be_visible()


@pytest.mark.full
def test_no_token_is_stored_where_other_scripts_can_read_it(visit: Visiting) -> None:
    session = visit()
    page = session.sign_in("operator")
    addresses: list[str] = []
    page.on("framenavigated", lambda frame: addresses.append(frame.url))
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    stored = page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert "eyJ" not in stored
    assert not [address for address in [*addresses, page.url] if "eyJ" in address or "token" in address]


@pytest.mark.full
def test_a_reload_needs_no_password_but_signing_out_does(visit: Visiting) -> None:
    page = visit().sign_in("operator")
    page.reload()
    menu = page.get_by_role("button", name="Account menu: operator")
    expect(menu).to_be_visible()
    menu.click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()


@pytest.mark.full
def test_a_session_that_ends_is_renewed_in_another_window_and_the_form_is_kept(visit: Visiting) -> None:
    page = visit().sign_in("admin", "/targets")
    page.get_by_role("button", name="Add target").first.click()
    page.get_by_label("Name").fill("Kept name")
    ended = {"access-control-allow-origin": "*", "content-type": "application/json"}

    def refuse(route: Route) -> None:
        status = 200 if route.request.method == "OPTIONS" else 400
        route.fulfill(status=status, headers=ended, body='{"error": "invalid_grant"}')

    page.route("**/oauth2/token", refuse)
    page.route("**/graphql", lambda route: route.fulfill(status=401, body="{}"))
    expect(page.get_by_text("Your session has ended")).to_be_visible()
    page.unroute_all()
    with page.expect_popup() as popup:
        page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("Your session has ended")).to_be_hidden()
    assert popup.value.is_closed()
    expect(page.get_by_label("Name")).to_have_value("Kept name")


@pytest.mark.full
def test_a_blocked_user_is_refused_immediately_until_an_admin_ends_the_block(visit: Visiting) -> None:
    viewer, admin = visit().sign_in("viewer", "/overview"), visit(PHONE).sign_in("admin", "/users")
    expect(viewer.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    admin.get_by_role("button", name="Block user").click()
    admin.get_by_label("Name").fill("viewer")
    admin.get_by_role("button", name="Block", exact=True).click()
    expect(admin.get_by_role("listitem", name="viewer")).to_contain_text("Blocked by admin")
    expect(viewer.get_by_text("An admin has blocked you").first).to_be_visible()
    admin.get_by_role("button", name="Unblock viewer").click()
    admin.get_by_role("button", name="Unblock", exact=True).click()
    expect(admin.get_by_text("No blocked users")).to_be_visible()
    viewer.reload()
    expect(viewer.get_by_role("heading", name="Overview", level=1)).to_be_visible()


@pytest.mark.full
def test_a_clock_that_is_ahead_is_reported_and_does_not_prevent_sign_in(visit: Visiting) -> None:
    session = visit()
    session.page.clock.install(time=datetime.now(UTC) + timedelta(minutes=16))
    page = session.sign_in("operator", "/overview")
    expect(page.get_by_text("This device's clock is 16 min ahead.")).to_be_visible()


def test_the_page_has_one_origin_and_its_files_are_cached_long(deployed: Deployment) -> None:
    with httpx.Client(base_url=deployed.file.console_url) as console:
        page = console.get("/claim")
        assert page.headers["cache-control"] == "no-store"
        assert "unsafe-inline" not in page.headers["content-security-policy"]
        assert "access-control-allow-origin" not in page.headers
        script = page.text.split('src="', 1)[1].split('"', 1)[0]
        cached = console.get(script, headers={"accept-encoding": "gzip"})
        assert cached.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert cached.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("screen", "dark"),
    [
        pytest.param(PHONE, False, id="phone, light"),
        pytest.param(DESK, True, id="desk, dark", marks=pytest.mark.full),
        pytest.param(PHONE, True, id="phone, dark", marks=pytest.mark.full),
        pytest.param(DESK, False, id="desk, light", marks=pytest.mark.full),
    ],
)
def test_every_page_is_accessible_and_fits_the_screen(visit: Visiting, screen: Screen, dark: bool) -> None:
    session = visit(screen, dark=dark)
    page = session.sign_in("admin")
    for name in (*(name.lower() for name in PAGES), f"devices/{'0' * 64}", "nowhere"):
        page.goto(session.address(name))
        expect(page.get_by_role("heading").first).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert session.accessibility_violations() == [], name
        assert session.overflow() == 0, name
        if screen.touch:
            session.scale_text(200)
            wide = session.too_wide() if session.overflow() else []
            assert (wide, session.cut_off()) == ([], []), f"{name}, text at 200 %"
            session.scale_text(100)


@pytest.mark.full
def test_the_pages_are_reachable_by_keyboard(visit: Visiting) -> None:
    page = visit().sign_in("operator")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.get_by_role("link", name="Overview").evaluate("link => link === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
