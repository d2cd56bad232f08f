"""Runs the console in a real Chromium with the screen of a phone or a desktop, with or without a camera.

Page errors and violations of the content security policy are recorded and fail the test at its end. Without a Chromium
on the machine the tests are skipped; in CI they fail.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect

from infra.local.lobby_file import LobbyFile

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
TIMEOUT_MS: Final = 40_000
_FLAGS: Final = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
_AXE: Final = Path(__file__).resolve().parents[2] / "admin_api/console/node_modules/axe-core/axe.min.js"

expect.set_options(timeout=TIMEOUT_MS)


@dataclass(frozen=True)
class Screen:
    """A screen size in CSS pixels."""

    name: str
    width: int
    height: int
    touch: bool = False


PHONE: Final = Screen("phone", 360, 740, touch=True)
DESK: Final = Screen("desk", 1280, 860)


def find_chromium() -> str | None:
    """Return the browser in `CHROMIUM`, or the first one on the PATH."""
    configured = os.environ.get("CHROMIUM")
    return configured or next((path for name in NAMES if (path := shutil.which(name))), None)


def launch(driver: Playwright, executable: str, camera: Path | None = None) -> Browser:
    """Start a browser. `camera` is a video that replaces the camera picture; camera access is granted."""
    flags = list(_FLAGS)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        flags.append("--no-sandbox")
    if camera is not None:
        flags += [
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={camera}",
        ]
    return driver.chromium.launch(executable_path=executable, args=flags)


@dataclass
class Visit:
    """One user of the console, in a browser context without shared state."""

    page: Page
    lobby: LobbyFile
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(TIMEOUT_MS)
        self.page.on("pageerror", lambda error: self.faults.append(f"uncaught: {error}"))
        self.page.on("console", self._record)

    def _record(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.faults.append(message.text)

    def sign_in(self, role: str, path: str = "") -> Page:
        """Sign in on the user pool's page and open `path`."""
        operator = self.lobby.operator(role)
        self.page.goto(self.address(path))
        self.page.get_by_label("Username").fill(operator.user)
        self.page.get_by_label("Password").fill(operator.password)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("button", name=f"Account menu: {operator.user}")).to_be_visible()
        return self.page

    def address(self, path: str) -> str:
        return f"{self.lobby.console_url}{path.removeprefix('/')}"

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def accessibility_violations(self) -> list[str]:
        """Return axe's accessibility findings with their elements."""
        self.page.evaluate(_AXE.read_text())
        result: dict[str, Any] = self.page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{each['id']}: {each['help']}: {node['target']}" for each in result["violations"] for node in each["nodes"]
        ]

    def scale_text(self, percent: int) -> None:
        """Set the size of the text, and wait until the layout no longer moves."""
        self.page.evaluate("percent => { document.documentElement.style.fontSize = `${percent}%`; }", percent)
        self.page.evaluate("() => Promise.allSettled(document.getAnimations().map((each) => each.finished))")

    def cut_off(self) -> list[str]:
        """Return the texts of visible buttons that do not fit into them."""
        texts: list[str] = self.page.evaluate(
            """() => [...document.querySelectorAll("button")]
                .flatMap((button) => [button, ...button.querySelectorAll("*")])
                .filter((each) => each.checkVisibility() && !each.closest("svg"))
                .filter((each) => getComputedStyle(each).overflowX !== "visible")
                .filter((each) => each.scrollWidth > each.clientWidth + 1)
                .map((each) => each.textContent.trim()).filter((text) => text !== "")"""
        )
        return texts

    def too_wide(self) -> list[str]:
        """Return the elements that extend beyond the right edge of the screen."""
        found: list[str] = self.page.evaluate(
            """() => [...document.querySelectorAll("body *")]
                .filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > innerWidth + 1)
                .map((each) => `${each.tagName} ${each.className} ${each.textContent.trim().slice(0, 40)}`)"""
        )
        return found

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the screen."""
        excess: int = self.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        return max(0, excess)


@contextmanager
def visiting(browser: Browser, lobby: LobbyFile, screen: Screen, *, dark: bool = False) -> Iterator[Visit]:
    context = browser.new_context(
        viewport={"width": screen.width, "height": screen.height},
        has_touch=screen.touch,
        is_mobile=screen.touch,
        device_scale_factor=2 if screen.touch else 1,
        color_scheme="dark" if dark else "light",
        locale="en-GB",
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
    )
    try:
        yield Visit(context.new_page(), lobby)
    finally:
        context.close()
