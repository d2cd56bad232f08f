"""A real Chromium, as the people at the console use it: a phone's screen or a desk's, with or without a camera.

Whatever breaks in a page (an uncaught error, something that the content security policy refused) is kept and fails the
test at its end. Refuses to guess: without a Chromium on the machine there are no such tests, and in CI that is a fault.
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
PATIENCE_MS: Final = 40_000
_FLAGS: Final = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
_AXE: Final = Path(__file__).resolve().parents[2] / "admin_api/console/node_modules/axe-core/axe.min.js"

expect.set_options(timeout=PATIENCE_MS)


@dataclass(frozen=True)
class Screen:
    """What the person looks at; sizes in CSS pixels."""

    name: str
    width: int
    height: int
    touch: bool = False


PHONE: Final = Screen("phone", 360, 740, touch=True)
DESK: Final = Screen("desk", 1280, 860)


def find_chromium() -> str | None:
    """The browser that `CHROMIUM` names, or the one on the PATH."""
    named = os.environ.get("CHROMIUM")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


def launch(driver: Playwright, executable: str, camera: Path | None = None) -> Browser:
    """A browser; with `camera`, a video that it takes for its camera's picture, which it may use unasked."""
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
    """Somebody at the console, in a browser of their own that knows nothing of others."""

    page: Page
    lobby: LobbyFile
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("pageerror", lambda error: self.faults.append(f"uncaught: {error}"))
        self.page.on("console", self._heard)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.faults.append(message.text)

    def sign_in(self, role: str, path: str = "") -> Page:
        """To `path`, by way of the user pool's own page."""
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

    def serious_barriers(self) -> list[str]:
        """What axe finds that would keep somebody out: its serious and critical findings, each with where it is."""
        self.page.evaluate(_AXE.read_text())
        found: dict[str, Any] = self.page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{each['id']}: {each['help']}: {node['target']}"
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]

    def overflow(self) -> int:
        """By how many pixels the page is wider than the screen."""
        wide: int = self.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        return max(0, wide)


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
