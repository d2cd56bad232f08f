"""Remove each permission of each role, one at a time, and report which job then fails: `python -m tests.bench.iam`.

Runs on its own local deployment. The emulator enforces IAM. A job is one operation that users, devices or
schedules perform (`device_jobs.py`, `api_jobs.py`, `timer_jobs.py` and others). All jobs run once with all permissions,
at the beginning and at the end. A permission is excess if every job succeeds without it, or if no job has used it
according to the emulator's log. `--used` reports only the latter and removes nothing, which takes some minutes instead
of an hour.

Exit status: 0 no permission is excess, 1 a permission is excess or a step failed, 2 wrong usage.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from infra.local.errors import LocalCloudError
from infra.local.timeline import StepFailed
from lobby.domain.targets.target import TARGET_ROLE
from tests.bench.iam.fixture import JobFailed, JobFixture
from tests.bench.iam.grants import Grant, Roles, UsedPermissions
from tests.bench.iam.removal import COMMISSIONER, JOBS, Verdict, check_grant, check_use, lines, restart_with
from tests.bench.report import Section, section
from tests.e2e.deployment import Deployment

app = typer.Typer(add_completion=False)
_FIRST_PORT: Final = 25_010


@app.command(help=__doc__)
def main(
    only: Annotated[str, typer.Option(help="Check only roles whose name contains this text.")] = "",
    used: Annotated[bool, typer.Option("--used", help="Remove no permission: report those that no job uses.")] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", "--patience", min=1, help="Seconds that a step of a job may take.")
    ] = 12,
    gateway_port: Annotated[int, typer.Option(help="Port of the AWS API; the next two are also used.")] = _FIRST_PORT,
) -> None:
    with tempfile.TemporaryDirectory(prefix="device-lobby-iam-") as directory:
        deployed = Deployment(Path(directory) / "state", gateway_port, gateway_port + 1, gateway_port + 2)
        try:
            deployed.up()
            check = _check_use if used else _check_all
            verdicts = check(deployed, Path(directory), only, timeout)
            columns = ("role", "removed action", "resource", "failed job", "failed step")
            print(section(Section(_title(verdicts), columns, lines(verdicts))), flush=True)
        except (StepFailed, LocalCloudError, JobFailed) as error:
            print(f"FAILED: {error}", file=sys.stderr)
            raise typer.Exit(1) from None
        finally:
            deployed.down()
    if any(verdict.is_excess for verdict in verdicts):
        raise typer.Exit(1)


def _check_use(deployed: Deployment, directory: Path, only: str, timeout: float) -> list[Verdict]:
    _run_all_jobs(JobFixture(deployed, directory, 5 * timeout))
    used = UsedPermissions.read(deployed.layout.used_permissions_path)
    return [check_use(grant, used) for _, grant in _grants(deployed, only)]


def _check_all(deployed: Deployment, directory: Path, only: str, timeout: float) -> list[Verdict]:
    credentials = directory / "credentials"
    credentials.mkdir()
    verdicts: list[Verdict] = []
    names = _run_all_jobs(JobFixture(deployed, credentials, 5 * timeout))
    fixture = JobFixture(deployed, credentials, timeout, first_number=1000)
    used = UsedPermissions.read(deployed.layout.used_permissions_path)
    for roles, grant in _grants(deployed, only):
        began = time.monotonic()
        verdict = check_use(grant, used)
        verdict = verdict if verdict.is_excess else check_grant(roles, grant, fixture, names)
        verdicts.append(verdict)
        elapsed = time.monotonic() - began
        print(f"{elapsed:6.1f} s  {grant.role} {grant.action} {grant.where}: {verdict.summary}", file=sys.stderr)
    _run_all_jobs(JobFixture(deployed, credentials, 5 * timeout, first_number=5000))
    return verdicts


def _run_all_jobs(fixture: JobFixture) -> list[str]:
    """Run all jobs with all permissions. Return their names, the fastest first. Raise `JobFailed`."""
    seconds: dict[str, float] = {}
    for name, job in JOBS.items():
        began = time.monotonic()
        job(fixture)
        seconds[name] = time.monotonic() - began
        print(f"{seconds[name]:6.1f} s  done: {name}", file=sys.stderr)
    return sorted(seconds, key=lambda name: seconds[name])


def _grants(deployed: Deployment, only: str) -> Iterator[tuple[Roles, Grant]]:
    functions: Any = deployed.client(deployed.lobby, "lambda")
    functions_by_role = _functions_by_role(functions)

    def restart_function(function: str) -> object:
        """Set the function's timeout to its current value: the emulator then ends the function's processes. A change of
        the description would not end them, and sessions assumed before would remain in use."""
        limit = functions.get_function_configuration(FunctionName=function)["Timeout"]
        return functions.update_function_configuration(FunctionName=function, Timeout=limit)

    for scope, role in [*((deployed.lobby, role) for role in _roles(deployed)), (deployed.targets[0], TARGET_ROLE)]:
        if only in role:
            roles = Roles(deployed.client(scope, "iam"), restart_with(restart_function, functions_by_role))
            for grant in roles.grants(role):
                yield roles, grant


def _roles(deployed: Deployment) -> list[str]:
    """Return the names of the lobby's roles in its own account."""
    pages = deployed.client(deployed.lobby, "iam").get_paginator("list_roles").paginate()
    names = [each["RoleName"] for page in pages for each in page["Roles"]]
    return sorted(name for name in names if name.startswith("device-lobby-"))


def _functions_by_role(functions: Any) -> dict[str, list[str]]:
    """Return the Lambdas that run with a role or assume it in a target, by role."""
    by_role: dict[str, list[str]] = {}
    for page in functions.get_paginator("list_functions").paginate():
        for each in page["Functions"]:
            by_role.setdefault(each["Role"].rpartition("/")[2], []).append(each["FunctionName"])
    return by_role | {TARGET_ROLE: by_role[COMMISSIONER]}


def _title(verdicts: list[Verdict]) -> str:
    checked = [verdict for verdict in verdicts if not verdict.unchecked]
    excess = [verdict for verdict in checked if verdict.is_excess]
    return (
        f"{len(verdicts)} permissions: {len(checked)} checked, of which {len(excess)} excess;"
        f" {len(verdicts) - len(checked)} not checked by the emulator"
    )


if __name__ == "__main__":
    app()
