"""One deployment for all end-to-end tests of a worker; each test has devices of its own.

What a failing test's devices and the cloud said is shown with the failure.
"""

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

from lobby.names import Target
from tests.e2e.browser import DESK, Screen, Visit, find_chromium, launch, visiting
from tests.e2e.deployment import Deployment
from tests.e2e.workbench import Workbench

_TAIL = 60
_BENCH = pytest.StashKey[Workbench]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here:
            item.add_marker(pytest.mark.e2e)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The local deployment: lobby, two targets, operators, a factory's CA."""
    deployment = Deployment(tmp_path_factory.mktemp("deployment"), free_port(), free_port(), free_port())
    try:
        deployment.up()
        yield deployment
    finally:
        deployment.down()


@pytest.fixture
def bench(deployed: Deployment, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Workbench]:
    made = Workbench(deployed, tmp_path)
    request.node.stash[_BENCH] = made
    yield made
    made.off()


@pytest.fixture
def first(deployed: Deployment) -> Target:
    return deployed.targets[0]


@pytest.fixture
def second(deployed: Deployment) -> Target:
    return deployed.targets[1]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path. People without one skip these tests and are told so; CI must have one."""
    found = find_chromium()
    if found is None and os.environ.get("CI"):
        pytest.fail("got no Chromium on the PATH, want one in CI")
    if found is None:
        pytest.skip("needs Chromium (Debian: apt-get install chromium; or CHROMIUM=/path/to/it)")
    return found


@pytest.fixture(scope="module")
def driver() -> Iterator[Playwright]:
    """No longer than a module: while it lives, nothing else in this thread can run an event loop."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture
def visit(driver: Playwright, chromium: str, deployed: Deployment) -> Iterator[Callable[..., Visit]]:
    """`visit(screen, camera=video)`: somebody opens a browser. What broke in their pages fails the test."""
    with ExitStack() as open_browsers:
        made: list[Visit] = []

        def start(screen: Screen = DESK, *, camera: Path | None = None, dark: bool = False) -> Visit:
            browser = launch(driver, chromium, camera)
            open_browsers.callback(browser.close)
            made.append(open_browsers.enter_context(visiting(browser, deployed.file, screen, dark=dark)))
            return made[-1]

        yield start
        assert [fault for each in made for fault in each.faults] == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    """The logs, where a test fails."""
    report = yield
    if report.failed and _BENCH in item.stash:
        report.sections += list(_logs(item.stash[_BENCH]))
    return report


def _logs(bench: Workbench) -> Iterator[tuple[str, str]]:
    for device in bench.powered:
        yield f"device {device.log_path}", _tail(device.log_path.read_text().splitlines())
    for old in bench.old:
        yield f"v0.1 device {old.name}", _tail([str(each) for each in old.events])
    log = bench.deployed.layout.log_path
    said = log.read_text(errors="replace").splitlines() if log.exists() else []
    yield f"cloud {log}", _tail([line for line in said if " persistence " not in line])


def _tail(lines: Sequence[str]) -> str:
    return "\n".join(lines[-_TAIL:])
