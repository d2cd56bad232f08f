"""Starts and stops the emulator as one subprocess, and keeps its state in a directory.

The emulator exits when the process that started it exits. It writes its log to the state directory, listens only on
loopback, and runs Lambda functions in child processes. It does not inherit the caller's AWS settings.
"""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

import boto3
from botocore.config import Config

from infra.local.environment import environment, root_secret
from infra.local.errors import StartFailed
from infra.local.layout import GATEWAY_HOST, Layout
from infra.local.ports import is_free
from infra.local.region_faults import RegionFaults
from infra.local.strictness import RELAXED, Strictness
from lobby import strict_json
from lobby.names import AccountId, Region
from pki.lobby_account.isolated_session import DIRECT, isolated_session

START_SECONDS: Final = 60
STOP_SECONDS: Final = 40
_POLL_SECONDS: Final = 0.05
_ROOT: Final = Path(__file__).resolve().parents[2]


class LocalSession(boto3.Session):
    """A session as the root user of an account. Its clients call only the emulator, never through a proxy. They ignore
    the user's AWS settings."""

    def __init__(self, endpoint_url: str, secret: str, account: AccountId, region: Region) -> None:
        session = isolated_session()
        session.set_default_client_config(DIRECT.merge(Config(retries={"mode": "standard", "total_max_attempts": 3})))
        super().__init__(
            aws_access_key_id=account, aws_secret_access_key=secret, region_name=region, botocore_session=session
        )
        self.endpoint_url, self.secret = endpoint_url, secret

    def client(self, *args: Any, **kwargs: Any) -> Any:
        return super().client(*args, **({"endpoint_url": self.endpoint_url} | kwargs))

    def resource(self, *args: Any, **kwargs: Any) -> Any:
        return super().resource(*args, **({"endpoint_url": self.endpoint_url} | kwargs))


_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Opens URLs on loopback, without the proxy of the environment."""


class Emulator:
    """One local cloud. Use it as a context manager, or call `start` and `stop`. `durable`: its state survives a stop,
    except for the objects in S3, which always do. Saving the state of thousands of devices stops all calls for seconds,
    so a measurement is not durable."""

    def __init__(self, layout: Layout, strictness: Strictness = RELAXED, *, durable: bool = True) -> None:
        self.layout, self.strictness, self._durable = layout, strictness, durable
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint_url(self) -> str:
        return self.layout.endpoint_url

    @cached_property
    def secret(self) -> str:
        """The secret access key of the root users."""
        return root_secret(self.layout.state_dir)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the emulator and return when it is ready. If it fails, stop it and raise `StartFailed` with the end of
        its log."""
        for port in (self.layout.gateway_port, self.layout.console_port):
            if not is_free(GATEWAY_HOST, port):
                raise StartFailed("PORT_TAKEN", f"cannot listen on {GATEWAY_HOST}:{port}: it is in use")
        state = self.layout.state_dir
        for directory in (state, state / "tmp", state / "services", state / "s3"):
            directory.mkdir(parents=True, exist_ok=True)
        state.chmod(0o700)
        self.strictness.write(state)
        RegionFaults().write(state)
        env = environment(self.layout, dict(os.environ), durable=self._durable)
        with self.layout.log_path.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "infra.local.ministack.server"],
                cwd=_ROOT,
                env=env,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches only the parent, which then stops the emulator
            )
        try:
            self._stdin().write(self.layout.to_json().encode() + b"\n")
            self._stdin().flush()
            self._wait_ready()
            self.layout.server_ca_path.write_bytes(self._get("/_ministack/iot/ca.pem"))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the emulator, which saves its state; kill it after `STOP_SECONDS`. No effect if it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def wait(self) -> int:
        """Wait until the emulator exits by itself and return its exit status."""
        if self._process is None:
            raise StartFailed("EXITED", "got an emulator that was not started, want a running one")
        return self._process.wait()

    def server_ca(self) -> Path:
        """Return the path of the CA certificate that signs the certificates of the MQTT endpoints."""
        return self.layout.server_ca_path

    def session(self, account: AccountId, region: Region) -> LocalSession:
        """Return a session as the root user of `account` in `region`."""
        return LocalSession(self.endpoint_url, self.secret, account, region)

    def enforce(self, strictness: Strictness) -> None:
        """Apply these limits from the next call on."""
        strictness.write(self.layout.state_dir)
        self.strictness = strictness

    def set_regions(self, faults: RegionFaults) -> None:
        """Set which Regions are down, which are disconnected from each other, and the delay of replication."""
        faults.write(self.layout.state_dir)

    def counters(self) -> dict[str, Any]:
        """Return the counted API calls, MQTT packets and Lambda runs since the start (`ministack/counters.py`)."""
        counted: dict[str, Any] = strict_json.loads(self._get("/_ministack/counters"))
        return counted

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines of the log."""
        text = self.layout.log_path.read_text(errors="replace") if self.layout.log_path.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def _stdin(self) -> IO[bytes]:
        if self._process is None or self._process.stdin is None:
            raise StartFailed("EXITED", "got an emulator that was not started, want a running one")
        return self._process.stdin

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process is None or self._process.poll() is not None:
                log_end = f"the end of {self.layout.log_path}:\n{self.log_tail()}"
                raise StartFailed("EXITED", f"the emulator has exited; {log_end}")
            if time.monotonic() > deadline:
                raise StartFailed("NOT_READY", f"not ready after {START_SECONDS} s; see {self.layout.log_path}")
            time.sleep(_POLL_SECONDS)

    def _is_ready(self) -> bool:
        try:
            ready: dict[str, object] = strict_json.loads(self._get("/_ministack/ready"))
        except (OSError, ValueError):
            return False
        return ready.get("iot_mtls") == "listening"

    def _get(self, path: str) -> bytes:
        url = f"{self.endpoint_url}{path}"
        with _DIRECT.open(url, timeout=5) as response:
            body: bytes = response.read()
        return body

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
