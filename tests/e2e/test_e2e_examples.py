"""The example clients in Python and C: onboarded with a presence code, moved, restarted, moved while off, and released.
In the lobby and in the target, they get hostile messages before each step.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from infra.local.synthesis import ROOT
from lobby.names import Target
from pki.devices.credentials import DevicePaths
from tests.e2e.deployment import Deployment, until
from tests.e2e.fleet import Fleet, certid_of, name_of
from tests.e2e.presence_claims import confirm, requiring_presence

EXAMPLES: Final = ROOT / "device" / "examples"
_FIRST_WAIT: Final = "0.02"
"""Seconds. Ten failures then take 15 s, not 9 minutes."""


@pytest.fixture(scope="module", params=["paho.py", "c"])
def command(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that starts an example. The one in C is built with its Makefile."""
    if request.param == "paho.py":
        return [sys.executable, str(EXAMPLES / "paho.py")]
    if shutil.which("make") is None or not Path("/usr/include/MQTTClient.h").exists():
        if os.environ.get("CI"):
            pytest.fail("got no make or no libpaho-mqtt-dev, want both in CI")
        pytest.skip("needs make, gcc, libpaho-mqtt-dev and libssl-dev")
    folder = tmp_path_factory.mktemp("example") / "c"
    shutil.copytree(EXAMPLES / "c", folder, ignore=shutil.ignore_patterns("lobby-device"))
    subprocess.run(["make"], cwd=folder, check=True, capture_output=True)
    return [str(folder / "lobby-device")]


HOSTILE: Final = (
    b"",
    b"\xff\xfe\x00",
    b'{"iotep": "t.example", "config": "\xff"}',
    b'{"config": ' + b'{"a":' * 2_000 + b"1" + b"}" * 2_000 + b"}",
    b"[" * 50_000,
    b'{"config": "' + b"x" * 100_000 + b'"}',
    b'{"iotep": "t.example", "config": {"a": "' + b"x" * 100_000,
    b'{"iotep": null, "port": 1e999, "generation": "x"}',
    b'{"iotep": "' + b"a" * 60_000 + b'", "config": "x"}',
    b'{"generation": 99999999999999999999999999}',
    b'{"config": {"a": 1}}',
    b'{"iotep": "bad host", "config": 7, "iotep": ""}',
)


def attack(deployed: Deployment, scope: Target, paths: DevicePaths) -> None:
    """Publish messages that a client must ignore."""
    for payload in HOSTILE:
        deployed.client(scope, "iot-data").publish(topic=f"lobby/{name_of(paths)}", qos=1, payload=payload)


@contextmanager
def powered(command: list[str], deployed: Deployment, paths: DevicePaths, folder: Path) -> Iterator[Path]:
    """Run the example until the block ends, and yield the file with its output."""
    file = deployed.file
    port = file.mqtt_alpn_port if command[0].endswith("lobby-device") else file.mqtt_port  # one of them with ALPN
    server = [file.server_ca_path, file.lobby_endpoint, str(port)]
    arguments = [*command, name_of(paths), str(paths.chain), str(paths.key), *server, str(folder / "route")]
    output = folder / "output"
    with output.open("ab") as out:
        environment = os.environ | {"FIRST_WAIT": _FIRST_WAIT, "STABLE": "1"}
        process = subprocess.Popen(arguments, env=environment, stdout=out, stderr=subprocess.STDOUT)
        try:
            yield output
            assert process.poll() is None, output.read_text()[-2000:]
        finally:
            process.kill()
            process.wait()


def shown_code(output: Path) -> str:
    codes = until(lambda: re.findall(r"presence code:? (\d{8})", output.read_text()), output.read_text)
    return str(codes[-1])


@pytest.mark.full
def test_an_example_onboards_moves_restarts_and_falls_back(
    deployed: Deployment, fleet: Fleet, first: Target, second: Target, command: list[str], tmp_path: Path
) -> None:
    paths = fleet.make()
    certid = certid_of(paths)
    with powered(command, deployed, paths, tmp_path) as output:
        deployed.wait(certid, "inlobby")
        attack(deployed, deployed.lobby, paths)
        with requiring_presence(deployed, second):
            assert deployed.claim(certid, second) == "proving"
            assert confirm(deployed, certid, shown_code(output)) == "claimed"
            deployed.wait(certid, "arrived", targetaccount=second.account)
        attack(deployed, second, paths)
        assert deployed.move(certid, first) == "claimed"
        deployed.wait(certid, "arrived", targetaccount=first.account)
    assert deployed.move(certid, second) == "claimed"
    deployed.wait(certid, "commissioned", targetaccount=second.account, previousTargets=[])
    # The stored route leads to the target that refuses the device now, so it falls back to the lobby.
    with powered(command, deployed, paths, tmp_path) as output:
        deployed.wait(certid, "arrived", targetaccount=second.account)
        attack(deployed, second, paths)
        deployed.release(certid)
        deployed.wait(certid, "inlobby")
        until(lambda: not (tmp_path / "route").exists() or b"{}" in (tmp_path / "route").read_bytes(), output.read_text)
