"""One deployment for all end-to-end tests of a worker; each test creates its own devices.

The report of a failed test contains the last log lines of its devices and of the emulator.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

from infra.local.strictness import RELAXED, STRICT
from lobby.names import Target
from tests.e2e.browser import DESK, Screen, Visit, find_chromium, launch, visiting
from tests.e2e.deployment import Deployment, free_port
from tests.e2e.fleet import Fleet

_TAIL = 60
_FLEET = pytest.StashKey[Fleet]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The local deployment: lobby, two targets, operators, a manufacturer's CA."""
    deployment = Deployment(tmp_path_factory.mktemp("deployment"), free_port(), free_port(), free_port())
    try:
        deployment.up()
        yield deployment
    finally:
        deployment.down()


@pytest.fixture
def fleet(deployed: Deployment, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Fleet]:
    """The devices of this test."""
    devices = Fleet(deployed, tmp_path)
    request.node.stash[_FLEET] = devices
    yield devices
    devices.power_off()


@pytest.fixture
def strict(deployed: Deployment) -> Iterator[Deployment]:
    """The deployment with AWS's quotas and delays, with a shorter delay of policies than `--strict` has."""
    deployed.emulator.enforce(replace(STRICT, policy_delay_seconds=1.0))
    yield deployed
    deployed.emulator.enforce(RELAXED)


@pytest.fixture
def first(deployed: Deployment) -> Target:
    return deployed.targets[0]


@pytest.fixture
def second(deployed: Deployment) -> Target:
    return deployed.targets[1]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium. Without it these tests are skipped, in CI they fail."""
    path = find_chromium()
    if path is None and os.environ.get("CI"):
        pytest.fail("got no Chromium on the PATH, want one in CI")
    if path is None:
        pytest.skip("needs Chromium (Debian: apt-get install chromium; or CHROMIUM=/path/to/it)")
    return path


@pytest.fixture(scope="module")
def driver() -> Iterator[Playwright]:
    """Playwright, for one module only: while it exists, nothing else in this thread can run an event loop."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture
def visit(driver: Playwright, chromium: str, deployed: Deployment) -> Iterator[Callable[..., Visit]]:
    """`visit(screen, camera=video)` opens a browser. Errors in its pages fail the test."""
    with ExitStack() as open_browsers:
        visits: list[Visit] = []

        def start(screen: Screen = DESK, *, camera: Path | None = None, dark: bool = False) -> Visit:
            browser = launch(driver, chromium, camera)
            open_browsers.callback(browser.close)
            visits.append(open_browsers.enter_context(visiting(browser, deployed.file, screen, dark=dark)))
            return visits[-1]

        yield start
        assert [fault for each in visits for fault in each.faults] == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    """Add the logs to the report of a failed test."""
    report = yield
    if report.failed and _FLEET in item.stash:
        report.sections += list(_logs(item.stash[_FLEET]))
    return report


def _logs(fleet: Fleet) -> Iterator[tuple[str, str]]:
    for device in fleet.powered:
        yield f"device {device.log_path}", _tail(device.log_path.read_text().splitlines())
    for v01 in fleet.v01:
        yield f"v0.1 device {v01.name}", _tail([str(each) for each in v01.events])
    log = fleet.deployed.layout.log_path
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    yield f"emulator {log}", _tail([line for line in lines if " persistence " not in line])


def _tail(lines: Sequence[str]) -> str:
    return "\n".join(lines[-_TAIL:])
