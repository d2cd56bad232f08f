"""Takes screenshots of every console page on a phone and on a desktop: `python -m tests.e2e.pictures`.

The screenshots are used in the documents and for reviewing changes. The command starts a local deployment with devices
in every state, and claims a real device by scanning its label with a simulated camera in Chromium. `--review` takes all
pages at 360, 390 and 1280 pixels, light and dark, and with text at 200 %. It prints accessibility findings, cut texts
and overflow.
"""

import argparse
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Page, Playwright, expect, sync_playwright

from infra.local.synthesis import ROOT
from tests.e2e.browser import DESK, PHONE, Screen, Visit, find_chromium, launch, visiting
from tests.e2e.deployment import Deployment
from tests.e2e.fleet import Fleet, certid_of
from tests.e2e.label_video import POOR_VIEW, write_video
from tests.e2e.sample_fleet import SampleFleet, ledger_of, paused_commissioner

REVIEWED: Final = (PHONE, Screen("phone-390", 390, 844, touch=True), DESK)
REVIEWED_PAGES: Final = tuple(
    (name, f"/{name}") for name in ("enrolments", "campaigns", "activity", "webhooks", "users")
)
ARRIVED: Final = "Connected to its target"
"""The tooltip of an arrived device's badge."""
OUT: Final = ROOT / "docs" / "images"
_COLOURS: Final = 128
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class FeaturedDevices:
    """The devices whose pages are shown in the screenshots."""

    arrived: str
    failed: str


class Album:
    """Saves screenshots; dark ones have the suffix `-dark`."""

    def __init__(self, out: Path, driver: Playwright, deployed: Deployment, *, dark: bool) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self._out, self._driver, self._deployed, self._dark = out, driver, deployed, dark

    @contextmanager
    def visit(self, screen: Screen, camera: Path | None = None) -> Iterator[Visit]:
        browser = launch(self._driver, find_chromium() or "chromium", camera)
        try:
            with visiting(browser, self._deployed.file, screen, dark=self._dark) as visit:
                yield visit
        finally:
            browser.close()

    def review(self, visit: Visit, name: str, screen: Screen) -> None:
        """Take the page, also with large text on a phone, and print its findings."""
        self.take(visit.page, name, screen)
        findings = visit.accessibility_violations()
        if screen.touch:
            visit.scale_text(200)
            self.take(visit.page, f"{name}-large", screen)
        findings += [f"cut off: {text}" for text in visit.cut_off()]
        for finding in [*findings, *(visit.too_wide() if visit.overflow() else [])]:
            print(f"  {finding}", flush=True)

    def take(self, page: Page, name: str, screen: Screen) -> None:
        page.wait_for_load_state("networkidle")
        path = self._out / f"{name}-{screen.name}{'-dark' if self._dark else ''}.png"
        with Image.open(BytesIO(page.screenshot(animations="disabled"))) as picture:
            picture.quantize(_COLOURS).save(path, optimize=True)
        print(path, flush=True)


def populate(deployed: Deployment) -> FeaturedDevices:
    """Create devices in every state, most of them arrived."""
    first, second = deployed.targets
    with ledger_of(deployed):
        sample = SampleFleet(deployed)
        for number in range(34):
            target = first if number % 3 else second
            sample.arrived(f"sensor-{1000 + number}", target, (40 - number) * _HOUR)
        for number in range(5):
            sample.expected(f"sensor-{2000 + number}", second, 26 * _HOUR)
        sample.claimed("sensor-3001", first, 42 * _MINUTE)
        sample.commissioned("pump-0007", second, 3 * _HOUR)
        failed = sample.failed(
            "pump-0012",
            second,
            "TARGET_POLICY_MISSING",
            f"{second} has no IoT policy device-lobby-default: deploy the target's stack again, with this profile.",
            7 * _MINUTE,
        )
        sample.failed("pump-0013", second, "TARGET_LIMIT", f"{second}: LimitExceededException", 2 * _HOUR)
        sample.refused("meter-0404", "CRL_STALE", "The revocation list of its CA is out of date.", 5 * _HOUR)
        sample.refused("meter-0405", "WEAK_KEY", "got an RSA key of 1024 bits, want at least 2048", _DAY)
        sample.revoked("sensor-0666", "stolen from the depot", 3 * _DAY)
        sample.knocking("gateway-08", 2 * _MINUTE)
        for number in range(9):
            sample.waiting(f"gateway-{10 + number}", (9 - number) * 4 * _MINUTE)
        arrived = sample.arrived("gateway-01", first, 2 * _DAY)
    return FeaturedDevices(arrived.certid, failed.certid)


def claimed_by_camera(album: Album, deployed: Deployment, scratch: Path, screen: Screen) -> None:
    """Take screenshots of the claim page from the first tap to the arrival of a real device."""
    fleet = Fleet(deployed, scratch)
    try:
        paths = fleet.make()
        video = write_video(paths.label, scratch / "label.y4m", POOR_VIEW)
        fleet.power_on(paths)
        deployed.wait(certid_of(paths), "inlobby")
        with album.visit(screen, camera=video) as visit:
            page = visit.sign_in("technician", "/claim")
            album.take(page, "claim", screen)
            page.get_by_role("button", name="Scan").first.click()
            claim = page.get_by_role("button", name="Claim", exact=True)
            expect(claim).to_be_visible()
            album.take(page, "claim-scanned", screen)
            claim.click()
            expect(page.get_by_title(ARRIVED)).to_be_visible()
            album.take(page, "claim-arrived", screen)
    finally:
        fleet.power_off()


def other_pages(album: Album, devices: FeaturedDevices, screen: Screen, *, reviewed: bool = False) -> None:
    """Take screenshots of every other page."""
    with album.visit(screen) as visit:
        page = visit.sign_in("admin", "/waiting")
        for name, address in (
            *((("claim", "/claim"), ("missing", "/nowhere")) if reviewed else ()),
            ("waiting", "/waiting"),
            ("devices", "/devices"),
            ("device", f"/devices/{devices.arrived}"),
            ("device-failed", f"/devices/{devices.failed}"),
            ("targets", "/targets"),
            ("overview", "/overview"),
            *(REVIEWED_PAGES if reviewed else ()),
        ):
            page.goto(visit.address(address))
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            if reviewed:
                album.review(visit, name, screen)
            else:
                album.take(page, name, screen)


def review(out: Path) -> None:
    """Take every page on every screen and in both colour schemes."""
    with tempfile.TemporaryDirectory() as scratch:
        deployed = Deployment(Path(scratch) / "state", *_free_ports(3))
        deployed.up()
        try:
            with sync_playwright() as driver, paused_commissioner(deployed):
                devices = populate(deployed)
                for dark in (False, True):
                    album = Album(out, driver, deployed, dark=dark)
                    for screen in REVIEWED:
                        other_pages(album, devices, screen, reviewed=True)
        finally:
            deployed.down()


def run(out: Path, *, dark: bool) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        deployed = Deployment(Path(scratch) / "state", *_free_ports(3))
        deployed.up()
        try:
            with sync_playwright() as driver:
                album = Album(out, driver, deployed, dark=dark)
                for screen in (PHONE, DESK):
                    directory = Path(scratch) / screen.name
                    directory.mkdir()
                    claimed_by_camera(album, deployed, directory, screen)
                with paused_commissioner(deployed):
                    devices = populate(deployed)
                    for screen in (PHONE, DESK):
                        other_pages(album, devices, screen)
        finally:
            deployed.down()


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT, help="output directory [default: docs/images]")
    parser.add_argument("--dark", action="store_true", help="use the dark colour scheme")
    parser.add_argument("--review", action="store_true", help="take every page on every screen, for a review")
    options = parser.parse_args()
    if options.review:
        review(options.out)
    else:
        run(options.out, dark=options.dark)


if __name__ == "__main__":
    main()
