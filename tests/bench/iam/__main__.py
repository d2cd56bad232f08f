"""Takes each permission of each role away, one at a time, and says which job can then not be done.

On a lobby of its own, on the emulator, with IAM enforced. A job is one of those that people and devices have of the
lobby (`tests/bench/iam/jobs.py`); all are done first, with everything allowed, and at the end again. A permission
without which every job is done is in excess.

Exit status: 0 nothing is in excess, 1 something is or a step failed, 2 wrong use.
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
from lobby.domain.target import TARGET_ROLE
from tests.bench.iam.grants import Grant, Roles
from tests.bench.iam.stand import NotDone, Stand
from tests.bench.iam.trial import COMMISSIONER, JOBS, Verdict, lines, restarting, tried
from tests.bench.report import Section, section
from tests.e2e.deployment import Deployment

app = typer.Typer(add_completion=False)
_FIRST_PORT: Final = 25_010


@app.command(help=__doc__)
def main(
    only: Annotated[str, typer.Option(help="Roles whose name has this in it.")] = "",
    patience: Annotated[float, typer.Option(min=1, help="Seconds that a step of a job may take.")] = 12,
    gateway_port: Annotated[int, typer.Option(help="Port of the AWS API; the next two are taken, too.")] = _FIRST_PORT,
) -> None:
    with tempfile.TemporaryDirectory(prefix="device-lobby-iam-") as directory:
        deployed = Deployment(Path(directory) / "state", gateway_port, gateway_port + 1, gateway_port + 2)
        try:
            deployed.up()
            verdicts = _all_tried(deployed, Path(directory), only, patience)
        except (StepFailed, LocalCloudError, NotDone) as failed:
            print(f"FAILED: {failed}", file=sys.stderr)
            raise typer.Exit(1) from None
        finally:
            deployed.down()
    columns = ("role", "without", "on", "not done", "how it shows")
    print(section(Section(_title(verdicts), columns, lines(verdicts))))
    if any(verdict.in_excess for verdict in verdicts):
        raise typer.Exit(1)


def _all_tried(deployed: Deployment, directory: Path, only: str, patience: float) -> list[Verdict]:
    papers = directory / "papers"
    papers.mkdir()
    verdicts: list[Verdict] = []
    _all_done(Stand(deployed, papers, 5 * patience))
    stand = Stand(deployed, papers, patience, first_number=1000)
    for roles, grant in _grants(deployed, only):
        began = time.monotonic()
        verdicts.append(tried(roles, grant, stand))
        said = verdicts[-1].job or ("not asked for here" if verdicts[-1].unchecked else "IN EXCESS")
        print(f"{time.monotonic() - began:6.1f} s  {grant.role} {grant.action} {grant.where}: {said}", file=sys.stderr)
    _all_done(Stand(deployed, papers, 5 * patience, first_number=5000))
    return verdicts


def _all_done(stand: Stand) -> None:
    """With everything allowed. Raises `NotDone`."""
    for name, job in JOBS.items():
        began = time.monotonic()
        job(stand)
        print(f"{time.monotonic() - began:6.1f} s  done: {name}", file=sys.stderr)


def _grants(deployed: Deployment, only: str) -> Iterator[tuple[Roles, Grant]]:
    functions: Any = deployed.client(deployed.lobby, "lambda")
    serving = _functions_of_roles(functions)

    def set_anew(function: str) -> object:
        """The emulator ends a function's processes when its time limit is set, also to what it was; when its
        description is, it does not, and a session that was assumed before goes on."""
        limit = functions.get_function_configuration(FunctionName=function)["Timeout"]
        return functions.update_function_configuration(FunctionName=function, Timeout=limit)

    for scope, role in [*((deployed.lobby, role) for role in _roles(deployed)), (deployed.targets[0], TARGET_ROLE)]:
        if only in role:
            roles = Roles(deployed.client(scope, "iam"), restarting(set_anew, serving))
            for grant in roles.grants(role):
                yield roles, grant


def _roles(deployed: Deployment) -> list[str]:
    """The lobby's own."""
    pages = deployed.client(deployed.lobby, "iam").get_paginator("list_roles").paginate()
    names = [each["RoleName"] for page in pages for each in page["Roles"]]
    return sorted(name for name in names if name.startswith("device-lobby-"))


def _functions_of_roles(functions: Any) -> dict[str, list[str]]:
    """Which Lambdas run with a role, or enter a target by it."""
    found: dict[str, list[str]] = {}
    for page in functions.get_paginator("list_functions").paginate():
        for each in page["Functions"]:
            found.setdefault(each["Role"].rpartition("/")[2], []).append(each["FunctionName"])
    return found | {TARGET_ROLE: found[COMMISSIONER]}


def _title(verdicts: list[Verdict]) -> str:
    told = [verdict for verdict in verdicts if not verdict.unchecked]
    excess = [verdict for verdict in told if verdict.in_excess]
    return (
        f"{len(verdicts)} permissions: without each of {len(told)} a job is not done, save {len(excess)};"
        f" {len(verdicts) - len(told)} the emulator does not ask for"
    )


if __name__ == "__main__":
    app()
