"""Provisioning by claim as a process, over real TLS, with both kinds of libraries, then the lobby and the target."""

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from device.machine.provisioning_messages import FROM_CSR
from tests.functional.device.provisioning_broker import ARRIVE, SERIAL, door
from tests.functional.device.scripted_broker import Broker
from tests.functional.device.tls_certificates import IssuedCertificate, issue

ROOT = Path(__file__).parents[3]
libraries = pytest.mark.parametrize("libraries", [(), ("--portable",)], ids=["native", "portable"])
Answer = Callable[[str, dict[str, Any]], tuple[str, dict[str, Any]]]


@pytest.fixture
def ca(tmp_path: Path) -> IssuedCertificate:
    return issue(tmp_path, "ca")


@pytest.fixture
def claim(tmp_path: Path, ca: IssuedCertificate) -> IssuedCertificate:
    return issue(tmp_path, "claim", ca)


def run(
    claim: IssuedCertificate, ca: IssuedCertificate, port: int, *more: object, serial: str = SERIAL
) -> "subprocess.CompletedProcess[str]":
    options = ["--claim-cert", claim.cert, "--claim-key", claim.key, "--ca", ca.cert, "--lobby", f"127.0.0.1:{port}"]
    identity = ["--serial", serial, "--template", "device-lobby", "--log-format", "json", "--exit-on-arrival"]
    timing = ["--retry-base", 0.1, "--denied-base", 0.1]
    return subprocess.run(
        [sys.executable, "-m", "device", "run", *map(str, [*options, *identity, *timing, *more])],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("DEVICE_")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def events(done: "subprocess.CompletedProcess[str]") -> list[str]:
    return [json.loads(line)["event"] for line in done.stdout.splitlines()]


@libraries
def test_a_device_with_a_claim_certificate_gets_its_own_and_arrives(
    claim: IssuedCertificate, ca: IssuedCertificate, tmp_path: Path, libraries: tuple[str, ...]
) -> None:
    with Broker(issue(tmp_path, "server", ca), ca, door(ca), *ARRIVE) as broker:
        done = run(claim, ca, broker.port, *libraries)
    assert done.returncode == 0, done.stdout + done.stderr
    logged = events(done)
    order = ["starting", "certificate_created", "registered", "identity_stored", "hello_sent", "arrived_at_target"]
    assert [event for event in logged if event in order] == [*order[:4], "starting", *order[4:]]
    state = claim.cert.with_name(f"{SERIAL}.state")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in state.iterdir()}
    assert modes == dict.fromkeys(("device.key.pem", "device.cert.pem", "identity.json", "route.json"), 384)
    assert "secret-token" not in done.stdout + done.stderr
    key = load_pem_private_key((state / "device.key.pem").read_bytes(), None)
    certificate = x509.load_pem_x509_certificate((state / "device.cert.pem").read_bytes())
    assert certificate.public_key() == key.public_key()


@libraries
def test_a_provisioned_device_uses_its_own_certificate_after_a_restart(
    claim: IssuedCertificate, ca: IssuedCertificate, tmp_path: Path, libraries: tuple[str, ...]
) -> None:
    with Broker(issue(tmp_path, "server", ca), ca, door(ca), *ARRIVE) as broker:
        run(claim, ca, broker.port, *libraries)
        done = run(claim, ca, broker.port, *libraries)
        assert [detail for kind, detail in broker.received if kind == "connect"][1:] == [SERIAL] * 3
    assert done.returncode == 0, done.stdout + done.stderr
    assert "requested" not in events(done)


@libraries
def test_denials_are_repeated_with_the_same_certificate(
    claim: IssuedCertificate, ca: IssuedCertificate, tmp_path: Path, libraries: tuple[str, ...]
) -> None:
    scripts = (door(ca, 403), door(ca, 403), door(ca), *ARRIVE)
    with Broker(issue(tmp_path, "server", ca), ca, *scripts) as broker:
        done = run(claim, ca, broker.port, *libraries)
        assert [kind for kind, _ in broker.received].count(FROM_CSR) == 1
    assert done.returncode == 0, done.stdout + done.stderr
    assert events(done).count("provisioning_denied") == 2


@libraries
def test_unusable_settings_end_with_status_2_before_any_connection(
    claim: IssuedCertificate, ca: IssuedCertificate, tmp_path: Path, libraries: tuple[str, ...]
) -> None:
    expired = issue(tmp_path, "expired", ca, not_before=datetime.now(UTC) - timedelta(days=40))
    for certificate, more, code in (
        (expired, (), "CLAIM_CERTIFICATE_EXPIRED"),
        (claim, ("--serial", "a/b"), "INVALID_THING_NAME"),
        (claim, ("--template", "a b"), "INVALID_TEMPLATE"),
        (claim, ("--claim-key", expired.key), "KEY_"),
        (claim, ("--claim-cert", ca.key), "CERTIFICATE_UNREADABLE"),
        (claim, ("--ca", claim.key), "_UNREADABLE"),
        (claim, ("--cert", claim.cert), "INVALID_SETTING"),
    ):
        done = run(certificate, ca, 1, *more, *libraries)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert code in done.stderr.split(":")[0], done.stderr
    assert not list(tmp_path.glob("*.state"))


@libraries
def test_an_unknown_template_ends_with_status_2_and_the_reason(
    claim: IssuedCertificate, ca: IssuedCertificate, tmp_path: Path, libraries: tuple[str, ...]
) -> None:
    with Broker(issue(tmp_path, "server", ca), ca, door(ca, 404)) as broker:
        done = run(claim, ca, broker.port, *libraries)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "PROVISIONING_IMPOSSIBLE" in done.stderr
    assert "template" in done.stderr


def test_show_qr_shows_the_label_of_the_provisioned_identity(
    claim: IssuedCertificate, ca: IssuedCertificate, tmp_path: Path
) -> None:
    with Broker(issue(tmp_path, "server", ca), ca, door(ca), *ARRIVE) as broker:
        run(claim, ca, broker.port)
    settings = tmp_path / "settings.json"
    settings.write_text(
        json.dumps(
            {
                "claim_cert": "claim.pem",
                "claim_key": "claim.key",
                "ca": "ca.pem",
                "lobby": "127.0.0.1",
                "template": "device-lobby",
                "serial": SERIAL,
            }
        )
    )
    done = subprocess.run(
        [sys.executable, "-m", "device", "show-qr", "--settings", settings],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"\n{SERIAL}\n" in done.stdout
    assert "\nDL1:" in done.stdout


@libraries
def test_a_broker_of_another_ca_is_not_trusted(
    claim: IssuedCertificate, ca: IssuedCertificate, tmp_path: Path, libraries: tuple[str, ...]
) -> None:
    (tmp_path / "other").mkdir()
    other = issue(tmp_path / "other", "ca")
    with Broker(issue(tmp_path, "server", other), ca, door(ca)) as broker:
        command = [sys.executable, "-m", "device", "run", "--port", str(broker.port), "--lobby", "127.0.0.1"]
        command += ["--claim-cert", str(claim.cert), "--claim-key", str(claim.key), "--ca", str(ca.cert)]
        command += ["--serial", SERIAL, "--template", "device-lobby", "--log-format", "json", *libraries]
        with subprocess.Popen(
            [*command, "--answer-within", "3"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            until = time.monotonic() + 30
            failure = next(
                entry["event"]
                for entry in map(json.loads, process.stdout)
                if entry["event"] in ("untrusted", "timeout", "refused") or time.monotonic() > until
            )
            process.terminate()
        assert "connect" not in [kind for kind, _ in broker.received]
    assert failure in ("untrusted", "timeout")
