"""Runs the pinned CDK CLI on an assembly of the app, with the caller's credentials and without its configuration.

The assembly is synthesized first, in Python, so invalid settings are reported before anything is changed. The account
and Region are bootstrapped if necessary.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from infra.cdk_context import cdk_context
from infra.cloud.account import Caller
from infra.errors import InfraError
from lobby import strict_json

ROOT: Final = Path(__file__).resolve().parents[2]
_CLI: Final = ROOT / "infra" / "cdk_cli" / "node_modules" / ".bin" / "cdk"
_BOOTSTRAPPED: Final = "/cdk-bootstrap/hnb659fds/version"


class CdkFailed(InfraError):
    """The CDK app or its CLI failed and has printed the error: SYNTH_FAILED, CDK_FAILED."""


def synthesize(name: str, context: Mapping[str, Any]) -> Path:
    """Synthesize `context` below `.local/cdk.out` and return the path. Raise `CdkFailed`, also for cdk-nag findings."""
    out = ROOT / ".local" / "cdk.out" / name
    env = {**os.environ, "CDK_OUTDIR": str(out), "CDK_CONTEXT_JSON": json.dumps({**cdk_context(), **context})}
    result = subprocess.run([sys.executable, "-m", "infra.app"], cwd=ROOT, env=env, check=False)
    if result.returncode:
        raise CdkFailed("SYNTH_FAILED", f"the CDK app ended with status {result.returncode}, see above")
    return out


def ensure_bootstrapped(identity: Caller, profile: str | None) -> None:
    """Run `cdk bootstrap` unless the account and Region are bootstrapped."""
    try:
        identity.session.client("ssm").get_parameter(Name=_BOOTSTRAPPED)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise CdkFailed("CDK_FAILED", f"cannot check whether the CDK is bootstrapped: {error}") from None
        _run(identity, profile, "bootstrap", f"aws://{identity.account}/{identity.region}")


def deploy(identity: Caller, profile: str | None, assembly: Path, stack: str) -> dict[str, str]:
    """Deploy one stack of `assembly` and return its outputs. Tables and buckets retained by an earlier deployment are
    imported with their content. Raise `CdkFailed`."""
    outputs_file = assembly / "outputs.json"
    outputs_file.unlink(missing_ok=True)
    _run(
        identity,
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
        str(outputs_file),
        "--import-existing-resources",
    )
    outputs: dict[str, dict[str, str]] = strict_json.loads(outputs_file.read_text()) if outputs_file.exists() else {}
    return next(iter(outputs.values()), {})


def _run(identity: Caller, profile: str | None, *arguments: str) -> None:
    env = {
        **os.environ,
        "AWS_REGION": identity.region,
        "AWS_DEFAULT_REGION": identity.region,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "NODE_NO_WARNINGS": "1",
    }
    profile_options = ["--profile", profile] if profile else []
    command = [str(_CLI), *arguments, *profile_options, "--no-notices", "--no-version-reporting"]
    # The CLI runs in its own folder, because it would run the app again if there were a cdk.json.
    result = subprocess.run(command, cwd=_CLI.parents[2], env=env, stdin=subprocess.DEVNULL, check=False)
    if result.returncode:
        raise CdkFailed("CDK_FAILED", f"cdk {arguments[0]} ended with status {result.returncode}, see above")
