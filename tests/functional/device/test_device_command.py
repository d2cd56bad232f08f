"""The command line as its users meet it: a process, its exit code, its output, its signals."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lobby.wire import Route
from tests.functional.device.paper import Paper, issue
from tests.functional.device.scripted_broker import Broker, hang_up, serve

ROOT = Path(__file__).parents[3]
SOFTHSM = next(
    (
        path
        for path in map(
            Path,
            (
                "/usr/lib/softhsm/libsofthsm2.so",
                "/usr/local/lib/softhsm/libsofthsm2.so",
                "/opt/homebrew/lib/softhsm/libsofthsm2.so",
            ),
        )
        if path.exists()
    ),
    None,
)
PIN = "4711"


@pytest.fixture
def ca(tmp_path: Path) -> Paper:
    return issue(tmp_path, "ca")


@pytest.fixture
def device(tmp_path: Path, ca: Paper) -> Paper:
    return issue(tmp_path, "sensor-1", ca)


@pytest.fixture
def server(tmp_path: Path, ca: Paper) -> Paper:
    return issue(tmp_path, "server", ca)


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DEVICE_")}
    return {**kept, "COLUMNS": "120", **more}


def command(*args: object, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "device", *map(str, args)],
        cwd=ROOT,
        env=environment(**env),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def settings(device: Paper, ca: Paper, broker: Broker) -> list[object]:
    lobby = f"127.0.0.1:{broker.port}"
    key = ("--key", device.key)
    return ["--cert", device.cert, *key, "--ca", ca.cert, "--lobby", lobby, "--log-format", "json", "--retry-base", 0.1]


@contextmanager
def running(*args: object) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "device", "run", *map(str, args)],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def child_of(parent: int) -> int:
    """The client's process, of its keeper's."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return next(int(pid) for pid, ppid in map(str.split, listed.splitlines()) if int(ppid) == parent)


def read_until(process: subprocess.Popen[str], event: str) -> dict[str, Any]:
    assert process.stdout
    for line in process.stdout:
        told: dict[str, Any] = json.loads(line)
        if told["event"] == event:
            return told
    raise AssertionError(f"it ended before {event}")


def test_exit_on_arrival_ends_with_0_after_a_first_connect_that_was_hung_up(
    device: Paper, ca: Paper, server: Paper
) -> None:
    with Broker(server, ca, hang_up, serve(b"garbage", Route("127.0.0.1").encode()), serve()) as broker:
        done = command("run", *settings(device, ca, broker), "--exit-on-arrival")
    assert done.returncode == 0, done.stderr
    told = [line["event"] for line in lines(done.stdout)]
    order = ["starting", "refused", "hello_sent", "message_ignored", "route_received", "route_stored"]
    assert [event for event in told if event in order] == order
    assert told[-3:] == ["arrived_at_target", "alive_sent", "stopped"]


def test_every_setting_can_come_from_the_environment(device: Paper, ca: Paper, server: Paper) -> None:
    with Broker(server, ca, serve(Route("127.0.0.1").encode()), serve()) as broker:
        done = command(
            "run",
            DEVICE_CERT=str(device.cert),
            DEVICE_KEY=str(device.key),
            DEVICE_CA=str(ca.cert),
            DEVICE_LOBBY="127.0.0.1",
            DEVICE_PORT=str(broker.port),
            DEVICE_LOG_FORMAT="json",
            DEVICE_EXIT_ON_ARRIVAL="1",
        )
    assert done.returncode == 0, done.stderr
    assert lines(done.stdout)[-1]["event"] == "stopped"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(device: Paper, ca: Paper, server: Paper, number: signal.Signals) -> None:
    with Broker(server, ca, serve()) as broker, running(*settings(device, ca, broker)) as process:
        read_until(process, "hello_sent")
        process.send_signal(number)
        assert read_until(process, "stopped")
        assert process.wait(10) == 0
        broker.wait_for("goodbye")


def test_a_client_that_dies_is_followed_by_another_and_dies_with_its_keeper(
    device: Paper, ca: Paper, server: Paper
) -> None:
    """Killed as a fault in a library would: the keeper says so, and the next one finds what the disk holds."""
    with (
        Broker(server, ca, serve(Route("127.0.0.1").encode())) as broker,
        running(*settings(device, ca, broker)) as process,
    ):
        read_until(process, "alive_sent")
        child = child_of(process.pid)
        os.kill(child, signal.SIGSEGV)
        assert read_until(process, "client_died")["detail"] == "SIGSEGV"
        assert read_until(process, "starting")["place"] == "lobby"  # whoever was asked may be what it died of
        read_until(process, "alive_sent")
        process.kill()
        broker.wait_for("lost", times=2)


def test_a_signal_while_no_client_runs_ends_the_keeper(device: Paper, ca: Paper, server: Paper) -> None:
    with (
        Broker(server, ca, serve()) as broker,
        running(*settings(device, ca, broker), "--retry-base", 100, "--retry-cap", 100) as process,
    ):
        read_until(process, "hello_sent")
        child = child_of(process.pid)
        os.kill(child, signal.SIGKILL)
        assert read_until(process, "client_died")["detail"] == "SIGKILL"
        process.terminate()
        assert process.wait(10) == 0


def test_reset_sends_a_running_client_back_to_the_lobby_and_a_second_client_is_kept_out(
    device: Paper, ca: Paper, server: Paper
) -> None:
    route = Route("127.0.0.1").encode()
    with (
        Broker(server, ca, serve(route), serve()) as broker,
        running(*settings(device, ca, broker), "--settle-after", 60) as process,
    ):
        read_until(process, "arrived_at_target")
        second = command("run", *settings(device, ca, broker))
        assert (second.returncode, second.stdout) == (2, "")
        assert "STATE_DIR_IN_USE" in second.stderr
        asked = command("reset", "--cert", device.cert)
        assert asked.returncode == 0
        assert "asked to go back" in asked.stdout
        assert read_until(process, "reset_received")["by"] == "command"
        assert read_until(process, "hello_sent")
        assert not (device.cert.with_suffix(".state") / "route.json").exists()


def test_reset_with_no_client_running_removes_the_route(device: Paper, ca: Paper, server: Paper) -> None:
    with Broker(server, ca, serve(Route("127.0.0.1").encode()), serve()) as broker:
        command("run", *settings(device, ca, broker), "--exit-on-arrival")
    kept = device.cert.with_suffix(".state") / "route.json"
    assert kept.exists()
    assert command("reset", DEVICE_CERT=str(device.cert)).returncode == 0
    assert not kept.exists()


def test_missing_settings_are_named_together_and_nothing_is_made(tmp_path: Path) -> None:
    done = command("run", "--state-dir", tmp_path / "state")
    assert done.returncode == 2
    for name in ("DEVICE_CERT", "DEVICE_KEY", "DEVICE_CA", "DEVICE_LOBBY"):
        assert name in done.stderr
    assert not (tmp_path / "state").exists()


def test_show_qr_draws_the_label_and_writes_its_code(device: Paper) -> None:
    done = command("show-qr", "--cert", device.cert)
    assert done.returncode == 0
    assert "▀" in done.stdout
    assert "\nDL1:" in done.stdout


@pytest.fixture
def token(tmp_path: Path, device: Paper, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A SoftHSM token that holds the device's key, and no key file any more."""
    tool = shutil.which("softhsm2-util")
    if SOFTHSM is None or tool is None:
        pytest.skip("needs SoftHSM2 (Debian: softhsm2; Homebrew: softhsm)")
    (tmp_path / "tokens").mkdir()
    conf = tmp_path / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\nobjectstore.backend = file\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(conf))
    init = ["--init-token", "--free", "--label", "lobby", "--pin", PIN, "--so-pin", PIN]
    keep = ["--import", device.key, "--token", "lobby", "--label", "device-key", "--id", "01", "--pin", PIN]
    for args in (init, keep):
        subprocess.run([tool, *args], check=True, capture_output=True)
    device.key.unlink()
    (tmp_path / "pin").write_text(f"{PIN}\n")
    return tmp_path / "pin"


def pkcs11(device: Paper, ca: Paper, broker: Broker) -> list[object]:
    given = settings(device, ca, broker)
    at = given.index("--key")
    token = ["--pkcs11-lib", SOFTHSM, "--pkcs11-token", "lobby", "--pkcs11-label", "device-key"]
    return [*given[:at], *given[at + 2 :], *token]


def test_a_key_in_a_token_serves_as_one_in_a_file(token: Path, device: Paper, ca: Paper, server: Paper) -> None:
    with Broker(server, ca, serve(Route("127.0.0.1").encode()), serve()) as broker:
        args = pkcs11(device, ca, broker)
        done = command("run", *args, "--pkcs11-pin-file", token, "--exit-on-arrival")
    assert done.returncode == 0, done.stderr
    assert "arrived_at_target" in [line["event"] for line in lines(done.stdout)]


def test_a_wrong_pin_is_tried_once_and_told(token: Path, device: Paper, ca: Paper, server: Paper) -> None:
    with Broker(server, ca, serve()) as broker:
        done = command("run", *pkcs11(device, ca, broker), "--pkcs11-pin", "0000")
        assert broker.seen == []
    assert (done.returncode, done.stdout) == (2, "")
    assert "KEY_UNREADABLE" in done.stderr
    assert "PIN" in done.stderr
