"""The command line as a process: exit codes, output and signals."""

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

from lobby import __version__
from lobby.wire import Route
from tests.functional.device.scripted_broker import Broker, close_after_connect, serve
from tests.functional.device.tls_certificates import IssuedCertificate, issue

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
def ca(tmp_path: Path) -> IssuedCertificate:
    return issue(tmp_path, "ca")


@pytest.fixture
def device(tmp_path: Path, ca: IssuedCertificate) -> IssuedCertificate:
    return issue(tmp_path, "sensor-1", ca)


@pytest.fixture
def server(tmp_path: Path, ca: IssuedCertificate) -> IssuedCertificate:
    return issue(tmp_path, "server", ca)


def environment(**more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DEVICE_")}
    return {**inherited, "COLUMNS": "120", **more}


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


def settings(device: IssuedCertificate, ca: IssuedCertificate, broker: Broker) -> list[object]:
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
    """Return the process id of the client, whose parent is the supervisor."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return next(int(pid) for pid, ppid in map(str.split, listed.splitlines()) if int(ppid) == parent)


def read_until(process: subprocess.Popen[str], event: str) -> dict[str, Any]:
    assert process.stdout
    for line in process.stdout:
        entry: dict[str, Any] = json.loads(line)
        if entry["event"] == event:
            return entry
    raise AssertionError(f"the client ended before {event}")


def test_exit_on_arrival_exits_with_0_after_a_closed_first_connection(
    device: IssuedCertificate, ca: IssuedCertificate, server: IssuedCertificate
) -> None:
    with Broker(server, ca, close_after_connect, serve(b"invalid", Route("127.0.0.1").encode()), serve()) as broker:
        done = command("run", *settings(device, ca, broker), "--exit-on-arrival")
    assert done.returncode == 0, done.stderr
    events = [line["event"] for line in lines(done.stdout)]
    order = ["starting", "refused", "hello_sent", "message_ignored", "route_received", "route_stored"]
    assert [event for event in events if event in order] == order
    assert events[-3:] == ["arrived_at_target", "alive_sent", "stopped"]


@pytest.mark.slow
def test_every_setting_can_come_from_the_environment(
    device: IssuedCertificate, ca: IssuedCertificate, server: IssuedCertificate
) -> None:
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
def test_a_signal_stops_the_client_cleanly(
    device: IssuedCertificate, ca: IssuedCertificate, server: IssuedCertificate, number: signal.Signals
) -> None:
    with Broker(server, ca, serve()) as broker, running(*settings(device, ca, broker)) as process:
        read_until(process, "hello_sent")
        process.send_signal(number)
        assert read_until(process, "stopped")
        assert process.wait(10) == 0
        broker.wait_for("disconnect")


@pytest.mark.slow
def test_a_crashed_client_is_restarted_and_exits_with_its_supervisor(
    device: IssuedCertificate, ca: IssuedCertificate, server: IssuedCertificate
) -> None:
    """The client is killed as a fault in a native library would. The supervisor logs it, and the next client uses the
    stored route."""
    with (
        Broker(server, ca, serve(Route("127.0.0.1").encode())) as broker,
        running(*settings(device, ca, broker)) as process,
    ):
        read_until(process, "alive_sent")
        child = child_of(process.pid)
        os.kill(child, signal.SIGSEGV)
        assert read_until(process, "client_crashed")["detail"] == "SIGSEGV"
        # Another broker is tried first, because the target may have caused the crash.
        assert read_until(process, "starting")["place"] == "lobby"
        read_until(process, "alive_sent")
        process.kill()
        broker.wait_for("lost", times=2)


@pytest.mark.slow
def test_a_signal_while_no_client_runs_stops_the_supervisor(
    device: IssuedCertificate, ca: IssuedCertificate, server: IssuedCertificate
) -> None:
    with (
        Broker(server, ca, serve()) as broker,
        running(*settings(device, ca, broker), "--retry-base", 100, "--retry-cap", 100) as process,
    ):
        read_until(process, "hello_sent")
        child = child_of(process.pid)
        os.kill(child, signal.SIGKILL)
        assert read_until(process, "client_crashed")["detail"] == "SIGKILL"
        process.terminate()
        assert process.wait(10) == 0


@pytest.mark.slow
def test_reset_sends_a_running_client_to_the_lobby_and_a_second_client_is_rejected(
    device: IssuedCertificate, ca: IssuedCertificate, server: IssuedCertificate
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
        requested = command("reset", "--cert", device.cert)
        assert requested.returncode == 0
        assert "Requested a reset" in requested.stdout
        assert read_until(process, "reset_received")["by"] == "command"
        assert read_until(process, "hello_sent")
        assert not (device.cert.with_suffix(".state") / "route.json").exists()


@pytest.mark.slow
def test_reset_with_no_client_running_removes_the_route(
    device: IssuedCertificate, ca: IssuedCertificate, server: IssuedCertificate
) -> None:
    with Broker(server, ca, serve(Route("127.0.0.1").encode()), serve()) as broker:
        command("run", *settings(device, ca, broker), "--exit-on-arrival")
    route_file = device.cert.with_suffix(".state") / "route.json"
    assert route_file.exists()
    assert command("reset", DEVICE_CERT=str(device.cert)).returncode == 0
    assert not route_file.exists()


def test_all_missing_settings_are_listed_and_no_file_is_created(tmp_path: Path) -> None:
    done = command("run", "--state-dir", tmp_path / "state")
    assert done.returncode == 2
    for name in ("DEVICE_CERT", "DEVICE_KEY", "DEVICE_CA", "DEVICE_LOBBY"):
        assert name in done.stderr
    assert not (tmp_path / "state").exists()


def test_version_is_printed() -> None:
    done = command("--version")
    assert (done.returncode, done.stdout) == (0, f"lobby-device {__version__}\n")


def test_show_qr_draws_the_label_and_writes_its_code(device: IssuedCertificate) -> None:
    done = command("show-qr", "--cert", device.cert)
    assert done.returncode == 0
    assert "▀" in done.stdout
    assert "\nDL1:" in done.stdout


@pytest.fixture
def token(tmp_path: Path, device: IssuedCertificate, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A SoftHSM token with the device's key; the key file is removed. Returns the PIN file. Without SoftHSM the tests
    are skipped, in CI they fail."""
    tool = shutil.which("softhsm2-util")
    if SOFTHSM is None or tool is None:
        if os.environ.get("CI"):
            pytest.fail("got no SoftHSM2, want it in CI (Debian: softhsm2)")
        pytest.skip("needs SoftHSM2 (Debian: softhsm2; Homebrew: softhsm)")
    (tmp_path / "tokens").mkdir()
    conf = tmp_path / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\nobjectstore.backend = file\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(conf))
    init = ["--init-token", "--free", "--label", "lobby", "--pin", PIN, "--so-pin", PIN]
    import_key = ["--import", device.key, "--token", "lobby", "--label", "device-key", "--id", "01", "--pin", PIN]
    for args in (init, import_key):
        subprocess.run([tool, *args], check=True, capture_output=True)
    device.key.unlink()
    (tmp_path / "pin").write_text(f"{PIN}\n")
    return tmp_path / "pin"


def pkcs11(device: IssuedCertificate, ca: IssuedCertificate, broker: Broker) -> list[object]:
    options = settings(device, ca, broker)
    index = options.index("--key")
    token = ["--pkcs11-lib", SOFTHSM, "--pkcs11-token", "lobby", "--pkcs11-label", "device-key"]
    return [*options[:index], *options[index + 2 :], *token]


def test_a_key_in_a_token_works_like_one_in_a_file(
    token: Path, device: IssuedCertificate, ca: IssuedCertificate, server: IssuedCertificate
) -> None:
    with Broker(server, ca, serve(Route("127.0.0.1").encode()), serve()) as broker:
        args = pkcs11(device, ca, broker)
        done = command("run", *args, "--pkcs11-pin-file", token, "--exit-on-arrival")
    assert done.returncode == 0, done.stderr
    assert "arrived_at_target" in [line["event"] for line in lines(done.stdout)]


def test_a_wrong_pin_is_tried_once_and_reported(
    token: Path, device: IssuedCertificate, ca: IssuedCertificate, server: IssuedCertificate
) -> None:
    with Broker(server, ca, serve()) as broker:
        done = command("run", *pkcs11(device, ca, broker), "--pkcs11-pin", "0000")
        assert broker.received == []
    assert (done.returncode, done.stdout) == (2, "")
    assert "KEY_UNREADABLE" in done.stderr
    assert "PIN" in done.stderr
