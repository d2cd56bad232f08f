"""The emulator as one subprocess: started, waited for by condition, stopped, and started again with its state.

It lives no longer than the process that started it, writes its log into the state directory, and listens on loopback
only. Its Lambdas run in its own children. Nothing of the caller's AWS settings reaches it.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

import boto3
from botocore.config import Config

from infra.local.environment import ROOT_SECRET, environment
from infra.local.errors import StartFailed
from infra.local.layout import GATEWAY_HOST, Layout
from infra.local.ports import is_free
from lobby.names import AccountId, Region

START_SECONDS: Final = 60
STOP_SECONDS: Final = 40
_POLL_SECONDS: Final = 0.05
_ROOT: Final = Path(__file__).resolve().parents[2]


class LocalSession(boto3.Session):
    """A session as the root of an account, whose clients call the emulator and nothing else."""

    def __init__(self, endpoint_url: str, account: AccountId, region: Region) -> None:
        super().__init__(aws_access_key_id=account, aws_secret_access_key=ROOT_SECRET, region_name=region)
        self.endpoint_url = endpoint_url
        self._session.set_default_client_config(Config(retries={"mode": "standard", "total_max_attempts": 3}))

    def client(self, *args: Any, **kwargs: Any) -> Any:
        return super().client(*args, **({"endpoint_url": self.endpoint_url} | kwargs))

    def resource(self, *args: Any, **kwargs: Any) -> Any:
        return super().resource(*args, **({"endpoint_url": self.endpoint_url} | kwargs))


class Emulator:
    """One local cloud. Use as a context manager, or `start` and `stop`."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint_url(self) -> str:
        return self.layout.endpoint_url

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start, and return when it serves. Raises `StartFailed` with the end of its log, having stopped it."""
        for port in (self.layout.gateway_port, self.layout.console_port):
            if not is_free(GATEWAY_HOST, port):
                raise StartFailed("PORT_TAKEN", f"cannot listen on {GATEWAY_HOST}:{port}: it is in use")
        state = self.layout.state_dir
        for directory in (state, state / "tmp", state / "services", state / "s3"):
            directory.mkdir(parents=True, exist_ok=True)
        state.chmod(0o700)
        env = environment(self.layout, dict(os.environ))
        with self.layout.log_path.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "infra.local.ministack.server"],
                cwd=_ROOT,
                env=env,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the parent, which then stops it in order
            )
        try:
            self._lifeline().write(self.layout.to_json().encode() + b"\n")
            self._lifeline().flush()
            self._wait_ready()
            self.layout.server_ca_path.write_bytes(self._get("/_ministack/iot/ca.pem"))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it, its state saved. Killed when it does not follow in time. Again is no effect."""
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
        """Until it ends by itself; its exit status."""
        if self._process is None:
            raise StartFailed("EXITED", "got an emulator that was not started, want a running one")
        return self._process.wait()

    def server_ca(self) -> Path:
        """The file with the CA certificate that signs the MQTT endpoints' certificates."""
        return self.layout.server_ca_path

    def session(self, account: AccountId, region: Region) -> LocalSession:
        """A session as the root of `account` in `region` of this emulator."""
        return LocalSession(self.endpoint_url, account, region)

    def log_tail(self, lines: int = 20) -> str:
        text = self.layout.log_path.read_text(errors="replace") if self.layout.log_path.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def _lifeline(self) -> IO[bytes]:
        if self._process is None or self._process.stdin is None:
            raise StartFailed("EXITED", "got an emulator that was not started, want a running one")
        return self._process.stdin

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process is None or self._process.poll() is not None:
                raise StartFailed("EXITED", f"the emulator left; the end of {self.layout.log_path}:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise StartFailed("NOT_READY", f"not up after {START_SECONDS} s; see {self.layout.log_path}")
            time.sleep(_POLL_SECONDS)

    def _is_ready(self) -> bool:
        try:
            ready: dict[str, object] = json.loads(self._get("/_ministack/ready"))
        except (OSError, ValueError):
            return False
        return ready.get("iot_mtls") == "listening"

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"{self.endpoint_url}{path}", timeout=5) as answer:  # noqa: S310 - our own http URL
            body: bytes = answer.read()
        return body

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
