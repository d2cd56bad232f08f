"""One deployment for all end-to-end tests, on one worker; each test has devices of its own.

What a failing test's devices and the cloud said is shown with the failure.
"""

import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from lobby.names import Target
from tests.e2e.deployment import Deployment
from tests.e2e.workbench import Workbench

_TAIL = 60
_BENCH = pytest.StashKey[Workbench]()


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.xdist_group("e2e"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The local deployment: lobby, two targets, operators, a factory's CA."""
    deployment = Deployment(tmp_path_factory.mktemp("deployment"), free_port(), free_port())
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
        yield f"v0.1 device {old.name}", _tail([str(each) for each in old.seen])
    log = bench.deployed.layout.log_path
    said = log.read_text(errors="replace").splitlines() if log.exists() else []
    yield f"cloud {log}", _tail([line for line in said if " persistence " not in line])


def _tail(lines: Sequence[str]) -> str:
    return "\n".join(lines[-_TAIL:])
