"""Runs the pinned CDK CLI on an assembly of our app, with the caller's credentials and nothing of its config.

The assembly is synthesized by our own Python first, so that settings which are wrong are told by us and before
anything is touched. Bootstraps the account and Region if that was never done.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from infra.cloud.account import Caller
from infra.errors import InfraError

ROOT: Final = Path(__file__).resolve().parents[2]
_CLI: Final = ROOT / "infra" / "cdk_cli" / "node_modules" / ".bin" / "cdk"
_BOOTSTRAPPED: Final = "/cdk-bootstrap/hnb659fds/version"


class CdkFailed(InfraError):
    """The CDK app or its CLI ended with an error, which it has told itself: SYNTH_FAILED, CDK_FAILED."""


def synthesize(name: str, context: Mapping[str, Any]) -> Path:
    """The assembly for `context`, below `.local/cdk.out`. A cdk-nag finding fails it. Raises `CdkFailed`."""
    out = ROOT / ".local" / "cdk.out" / name
    env = {**os.environ, "CDK_OUTDIR": str(out), "CDK_CONTEXT_JSON": json.dumps({**_own_context(), **context})}
    done = subprocess.run([sys.executable, "-m", "infra.app"], cwd=ROOT, env=env, check=False)
    if done.returncode:
        raise CdkFailed("SYNTH_FAILED", f"the CDK app ended with status {done.returncode}, see above")
    return out


def ensure_bootstrapped(who: Caller, profile: str | None) -> None:
    """`cdk bootstrap`, where the account and Region have not had it."""
    try:
        who.session.client("ssm").get_parameter(Name=_BOOTSTRAPPED)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise CdkFailed("CDK_FAILED", f"cannot see whether the CDK is bootstrapped: {error}") from None
        _run(who, profile, "bootstrap", f"aws://{who.account}/{who.region}")


def deploy(who: Caller, profile: str | None, assembly: Path, stack: str) -> dict[str, str]:
    """Deploys one stack of `assembly` and returns its outputs. Tables and a bucket that an earlier deployment left
    behind are taken in again, with what is in them. Raises `CdkFailed`."""
    told = assembly / "outputs.json"
    told.unlink(missing_ok=True)
    _run(
        who,
        profile,
        "deploy",
        stack,
        "--app",
        str(assembly),
        "--require-approval",
        "never",
        "--progress",
        "events",
        "--outputs-file",
        str(told),
        "--import-existing-resources",
    )
    found: dict[str, dict[str, str]] = json.loads(told.read_text()) if told.exists() else {}
    return next(iter(found.values()), {})


def destroy(who: Caller, profile: str | None, assembly: Path, stack: str) -> None:
    _run(who, profile, "destroy", stack, "--app", str(assembly), "--force")


def _own_context() -> dict[str, Any]:
    return dict(json.loads((ROOT / "cdk.json").read_text())["context"])


def _run(who: Caller, profile: str | None, *arguments: str) -> None:
    env = {
        **os.environ,
        "AWS_REGION": who.region,
        "AWS_DEFAULT_REGION": who.region,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "NODE_NO_WARNINGS": "1",
    }
    chosen = ["--profile", profile] if profile else []
    command = [str(_CLI), *arguments, *chosen, "--no-notices", "--no-version-reporting"]
    # From its own folder, where no cdk.json makes it run our app a second time.
    done = subprocess.run(command, cwd=_CLI.parents[2], env=env, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise CdkFailed("CDK_FAILED", f"cdk {arguments[0]} ended with status {done.returncode}, see above")
