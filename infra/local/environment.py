"""The environment variables of the emulator's process, which its Lambda functions inherit, and the secret of the root
users."""

import os
import secrets
from pathlib import Path
from typing import Final

from infra.local.layout import GATEWAY_HOST, Layout
from infra.local.lobby_file import write_private

SECRET_FILE: Final = "root-secret"  # noqa: S105 - a file name
_SECRET_BYTES: Final = 32
_INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "VIRTUAL_ENV")


def environment(layout: Layout, inherited: dict[str, str], *, durable: bool = True) -> dict[str, str]:
    """Return the complete environment of the emulator. It contains none of the caller's AWS settings. `durable`: the
    state is saved."""
    state = layout.state_dir
    return {name: inherited[name] for name in _INHERITED if name in inherited} | {
        "AUTH": "true",
        "BIND_HOST": GATEWAY_HOST,
        "GATEWAY_PORT": str(layout.gateway_port),
        "IOT_MTLS_PORT": str(layout.mqtt_port),
        "MINISTACK_HOST": "localhost",
        "MINISTACK_ACCOUNT_ID": layout.lobby.account,
        "MINISTACK_REGION": layout.lobby.region,
        "AWS_SECRET_ACCESS_KEY": root_secret(state),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_ACCOUNT_CONCURRENCY": "16",  # each one is a process, and more of them slow each other down
        "SFTP_ENABLED": "0",
        "SFTP_HOST": GATEWAY_HOST,
        "PERSIST_STATE": "1" if durable else "0",
        "STATE_DIR": str(state / "services"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state / "s3"),
        "TMPDIR": str(state / "tmp"),
        "DOCKER_HOST": f"unix://{state}/no-docker",
        "PYTHONUNBUFFERED": "1",
    }


def root_secret(state_dir: Path) -> str:
    """Return the secret access key of the root users of all emulated accounts. It is random and stored in the state
    directory, where only the owner can read it. It is created if it does not exist."""
    path = state_dir / SECRET_FILE
    secret = path.read_text().strip() if path.exists() else ""
    if not secret:
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        state_dir.mkdir(parents=True, exist_ok=True)
        write_private(path, secret + "\n")
    path.chmod(0o600)
    return secret


def restrict_umask() -> None:
    """Restrict the umask so that only the owner can change the files that this process and its children create."""
    os.umask(os.umask(0o022) | 0o022)
