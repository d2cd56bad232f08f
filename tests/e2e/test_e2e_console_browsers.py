"""The main journeys of the console in Firefox ESR and WebKit, which technicians' phones and computers use.

Without a browser its tests are skipped; in CI they fail. They run in the full tier.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lobby.text.label import encode_label
from tests.e2e.deployment import Deployment
from tests.e2e.fleet import Fleet, certid_of, name_of
from tests.e2e.other_browsers import STARTS, Browser, missing, wait_for
from tests.e2e.switched_proxy import SwitchedProxy, switched_proxy

pytestmark = pytest.mark.full


@pytest.fixture
def proxy() -> Iterator[SwitchedProxy]:
    with switched_proxy() as running:
        yield running


@pytest.fixture(params=sorted(STARTS))
def browser(request: pytest.FixtureRequest, tmp_path: Path, proxy: SwitchedProxy) -> Iterator[Browser]:
    programs = missing(request.param)
    if programs and os.environ.get("CI"):
        pytest.fail(f"got no {', '.join(programs)} on the PATH, want them in CI")
    if programs:
        pytest.skip(f"needs {', '.join(programs)} (Debian: apt-get install firefox-esr webkit2gtk-driver xvfb)")
    start: Callable[..., Any] = STARTS[request.param][1]
    with start(tmp_path / "home", proxy.address) as running:
        yield running


def click(browser: Browser, name: str) -> None:
    """Click the visible button, else the link, with this text or label, when it can be clicked. A button that is
    disabled at first is waited for: the menu and the form each have a "Claim"."""
    wait_for(
        browser,
        f"""(() => {{
          const name = {json.dumps(name)};
          const fits = (each) => each.textContent.trim() === name || each.getAttribute("aria-label") === name;
          const found = ["button", "a"].flatMap((kind) => [...document.querySelectorAll(kind)])
            .find((each) => fits(each) && each.checkVisibility());
          if (!found || found.disabled) return false;
          found.click();
          return true;
        }})()""",
    )


def fill(browser: Browser, selector: str, text: str) -> None:
    """Type into a field as React notices it."""
    wait_for(
        browser,
        f"""(() => {{
          const field = document.querySelector({json.dumps(selector)});
          if (!field) return false;
          Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value").set.call(field, {json.dumps(text)});
          field.dispatchEvent(new Event("input", {{ bubbles: true }}));
          return true;
        }})()""",
    )


def shows(browser: Browser, text: str) -> None:
    wait_for(browser, f"document.body?.innerText.includes({json.dumps(text)})")


def sign_in(browser: Browser, deployed: Deployment, role: str, path: str) -> None:
    operator = deployed.file.operator(role)
    browser.open(deployed.file.console_url + path)
    fill(browser, "[name=username]", operator.user)
    fill(browser, "[name=password]", operator.password)
    browser.evaluate("document.querySelector('form [type=submit], form button').click()")
    wait_for(browser, f"document.querySelector('[aria-label=\"Account menu: {operator.user}\"]') !== null")


def test_a_typed_code_claims_a_device_and_its_arrival_is_shown(
    browser: Browser, deployed: Deployment, fleet: Fleet
) -> None:
    paths = fleet.make()
    fleet.power_on(paths)
    certid = certid_of(paths)
    deployed.wait(certid, "inlobby")
    sign_in(browser, deployed, "technician", "claim")
    click(browser, "Type code")
    fill(browser, "textarea", encode_label(certid))
    click(browser, "Claim")
    deployed.wait(certid, "arrived")
    shows(browser, "Arrived in")


def test_pages_open_by_their_addresses(browser: Browser, deployed: Deployment, fleet: Fleet) -> None:
    paths = fleet.make()
    fleet.power_on(paths)
    certid = certid_of(paths)
    deployed.wait(certid, "inlobby")
    sign_in(browser, deployed, "operator", "devices/?state=inlobby")
    shows(browser, name_of(paths))
    browser.open(f"{deployed.file.console_url}devices/{certid[:12]}")
    wait_for(browser, f"location.pathname === '/devices/{certid}'")
    shows(browser, name_of(paths))
    browser.open(f"{deployed.file.console_url}nowhere")
    shows(browser, "Page not found")


def test_a_lost_network_is_named_and_the_page_recovers_automatically(
    browser: Browser, deployed: Deployment, proxy: SwitchedProxy
) -> None:
    sign_in(browser, deployed, "operator", "waiting")
    shows(browser, "Waiting")
    proxy.on = False
    click(browser, "Overview")
    wait_for(browser, "/needs a network|Can't reach the lobby/.test(document.body.innerText)")
    assert "This page has an error" not in browser.evaluate("document.body.innerText")
    proxy.on = True
    shows(browser, "By state")


def test_a_camera_that_is_missing_gets_the_right_advice(browser: Browser, deployed: Deployment) -> None:
    sign_in(browser, deployed, "technician", "claim")
    click(browser, "Scan label")
    wait_for(browser, "/No camera found|Camera access is blocked|requires https/.test(document.body.innerText)")
