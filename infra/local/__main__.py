"""The command line of the local deployment: `local`, `demo`, `redrive`, `destroy`. `deploy.sh` calls it.

Exit status: 0 success, 1 a step failed (the output contains the last observation and the paths of the logs), 2 invalid
usage, 130 stopped by Ctrl-C or SIGTERM before the end.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import httpx
import typer

from infra.lobby_id import LobbyIdOption
from infra.local import demo as demonstration
from infra.local import demo_claim, demo_vending
from infra.local.bringup import STATE, LocalLobby, exclusive_use
from infra.local.emulator import LocalSession
from infra.local.environment import restrict_umask
from infra.local.errors import LocalCloudError, StartFailed
from infra.local.layout import LOBBY_HOST
from infra.local.lobby_file import NAME, LobbyFile
from infra.local.local_regions import LobbyRegions
from infra.local.manufacturer import FOLDER, Manufacturer
from infra.local.strictness import RELAXED, STRICT
from infra.local.timeline import STEP_SECONDS, StepFailed, Timeline
from infra.options import COMMAND_VARIABLE, ProfilesFrom
from lobby.names import parse_target

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)
State = Annotated[Path, typer.Option("--state", help="Directory of the deployment's state.", resolve_path=True)]
GatewayPort = Annotated[int | None, typer.Option(help="Port of the AWS API. [default: 4566, or the next free one]")]
MqttPort = Annotated[int | None, typer.Option(help="Port of the MQTT endpoints. [default: 8883, or the next free one]")]
ConsolePort = Annotated[int | None, typer.Option(help="Port of the web console. [default: 4567, or the next free one]")]

Strict = Annotated[
    bool,
    typer.Option("--strict", help="Enforce AWS's default quotas and delays."),
]
Lobbies = Annotated[
    int | None,
    typer.Option(
        "--lobbies",
        min=1,
        max=3,
        help="Regions of the lobby: one is home, each is a door. [default: 1, or those it has]",
    ),
]
LeaseSeconds = Annotated[
    int | None, typer.Option(min=90, max=300, help="How long a home Region that is lost stays home. [default: 300]")
]


class Door(StrEnum):
    """The door that the demonstration uses. `vending` is another name of the door `token`."""

    REGISTRATION = "registration"
    CLAIM = "claim"
    TOKEN = "token"  # noqa: S105  # the name of a door
    VENDING = "vending"

    @property
    def of_enrolment(self) -> "Door":
        """Return the door by the name that enrolments use."""
        return Door.TOKEN if self is Door.VENDING else self


@app.callback()
def before_each_command() -> None:
    """Prepare the process. The module's docstring is the help text."""
    restrict_umask()


@app.command("local")
@app.command("up", hidden=True)
def up(  # noqa: PLR0913, PLR0917  # a parameter for each option
    state: State = STATE,
    gateway_port: GatewayPort = None,
    mqtt_port: MqttPort = None,
    console_port: ConsolePort = None,
    strict: Strict = False,
    profiles_from: ProfilesFrom = None,
    lobbies: Lobbies = None,
    lease_seconds: LeaseSeconds = None,
    signing_key: Annotated[
        bool, typer.Option("--signing-key", help="Create a key in KMS for an enrolment's own CA, and print its ARN.")
    ] = False,
    lobby_id: LobbyIdOption = None,  # noqa: ARG001  # checked; the names have it
) -> None:
    """Deploy everything and run it until Ctrl-C. Existing state is kept."""
    with _reporting_failures(), exclusive_use(state):
        strictness = STRICT if strict else RELAXED
        lobby = LocalLobby(
            state,
            Timeline(),
            gateway_port,
            mqtt_port,
            console_port,
            strictness,
            profiles_from,
            regions=LobbyRegions(lobbies, lease_seconds),
            signing=signing_key,
        )
        try:
            _print_summary(lobby.up(), state)
            if signing_key:
                print(f"  signing key    {lobby.signing_key()}", flush=True)
            _wait_for_end(lobby)
        finally:
            lobby.down()


@app.command()
def demo(
    state: State = STATE,
    gateway_port: GatewayPort = None,
    mqtt_port: MqttPort = None,
    console_port: ConsolePort = None,
    timeout: Annotated[float, typer.Option(help="Maximum duration of each step in seconds.")] = STEP_SECONDS,
    door: Annotated[
        Door, typer.Option(help="The door at which the device joins. `vending` is the door `token`.")
    ] = Door.REGISTRATION,
    renew: Annotated[bool, typer.Option("--renew", help="Then renew the device's certificate.")] = False,
    lobby_id: LobbyIdOption = None,  # noqa: ARG001  # checked; the names have it
) -> None:
    """Onboard a new device, in the running deployment or in one that is started for it."""
    timeline = Timeline(timeout=timeout)
    with _reporting_failures():
        running = _running(state)
        if running is not None:
            timeline.logs = (state / "cloud" / "emulator.log",)
            timeline.print(f"using the running deployment ({running.aws_endpoint_url})")
            _run_demo(running, Manufacturer(state / FOLDER), state, timeline, door, renew=renew)
            return
        with exclusive_use(state):
            lobby = LocalLobby(state, timeline, gateway_port, mqtt_port, console_port)
            try:
                _run_demo(lobby.up(), lobby.manufacturer, state, timeline, door, renew=renew)
            finally:
                lobby.down()


@app.command(options_metavar="local [OPTIONS]")
def redrive(
    state: State = STATE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the work that would be retried.")] = False,
    lobby_id: LobbyIdOption = None,  # noqa: ARG001  # checked; the names have it
) -> None:
    """Retry the work in the on-failure queues of the running deployment. Can be interrupted and repeated."""
    from infra.redrive.start import redrive as start_redrive  # noqa: PLC0415  # imports the CDK, which takes seconds

    with _reporting_failures():
        running = _running(state)
        if running is None:
            raise StartFailed("NOT_RUNNING", f"got {state}, want the state of a running deployment: ./deploy.sh local")
        lobby = parse_target(running.lobby_account, running.lobby_region)
        session = LocalSession(running.aws_endpoint_url, running.aws_secret_access_key, lobby.account, lobby.region)
        if not start_redrive(session, lobby, {"AWS_ENDPOINT_URL": session.endpoint_url}, dry=dry_run):
            raise typer.Exit(1)


@app.command(options_metavar="local [OPTIONS]")
def destroy(
    state: State = STATE,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    lobby_id: LobbyIdOption = None,  # noqa: ARG001  # checked; the names have it
) -> None:
    """Delete the local deployment with its ledger, CA and devices. Can be interrupted and repeated."""
    deleting = state.with_name(f"{state.name}.deleting")
    with _reporting_failures():
        if not (state / "cloud" / "layout.json").exists() and not deleting.exists():
            raise StartFailed("NO_DEPLOYMENT", f"got {state}, want the state of a local deployment")
    shutil.rmtree(deleting, ignore_errors=True)  # files of an interrupted run
    if state.exists():
        with _reporting_failures(), exclusive_use(state):
            if not yes:
                typer.confirm(f"Delete {state} with its ledger, CA and devices?", abort=True)
            state.rename(deleting)
            shutil.rmtree(deleting)
    print(f"{state} deleted")


def _run_demo(
    lobby: LobbyFile, manufacturer: Manufacturer, state: Path, timeline: Timeline, door: Door, *, renew: bool
) -> None:
    timeline.print(f"\n  onboarding a new device at the door {door.of_enrolment}")
    began = time.monotonic()
    if door is Door.CLAIM:
        demo_claim.run(lobby, state, timeline, renew=renew)
    elif door.of_enrolment is Door.TOKEN:
        demo_vending.run(lobby, state, timeline, renew=renew)
    else:
        demonstration.run(lobby, manufacturer, state, timeline, renew=renew)
    what = "onboarded and renewed" if renew else "onboarded"
    until = "the renewed certificate" if renew else "arrival"
    timeline.print(f"\n{what} in {time.monotonic() - began:.1f} s, from manufacture to {until}")


def _wait_for_end(lobby: LocalLobby) -> None:
    """Wait for Ctrl-C or SIGTERM. Raise `StepFailed` if the emulator exits before that."""
    try:
        status = lobby.emulator.wait()
    except KeyboardInterrupt:
        print("\nstopping; the ledger is kept", flush=True)
    else:
        raise StepFailed("deployment running", f"the emulator exited with status {status}", (lobby.layout.log_path,))


def _running(state: Path) -> LobbyFile | None:
    """Return the running deployment of this state. It runs if a process has locked the state and the emulator responds.
    Both are checked, because another process may use the ports of a killed deployment."""
    try:
        with exclusive_use(state):
            return None
    except StartFailed:
        pass
    try:
        lobby = LobbyFile.read(state)
        httpx.get(f"{lobby.aws_endpoint_url}/_ministack/ready", timeout=2, trust_env=False).raise_for_status()
    except (OSError, ValueError, KeyError, TypeError, httpx.HTTPError):
        return None
    return lobby


def _print_summary(lobby: LobbyFile, state: Path) -> None:
    operator = lobby.operator("operator")
    option = "" if state == STATE else f" --lobby {state / NAME}"
    print(
        f"""
Device Lobby is up. Ctrl-C stops it; the ledger is kept.

  console        {lobby.console_url}
  sign in        as {operator.user}, password {operator.password} (admin, technician, viewer: see lobby.json)
  command line   .venv/bin/lobbyctl{option} devices list
  GraphQL        {lobby.graphql_url}
  devices        connect to {lobby.lobby_endpoint}:{lobby.mqtt_port}, server CA {lobby.server_ca_path}
                 (with ALPN: port {lobby.mqtt_alpn_port}; clients without SNI: {LOBBY_HOST})
  new device     .venv/bin/python -m pki device {Path(lobby.device_ca_path).parent} NAME
  AWS clients    AWS_ENDPOINT_URL={lobby.aws_endpoint_url} AWS_REGION={lobby.lobby_region}
                 AWS_ACCESS_KEY_ID={lobby.lobby_account} AWS_SECRET_ACCESS_KEY={lobby.aws_secret_access_key}
  for scripts    {state / NAME}
  demo           ./deploy.sh demo   (in another terminal)
{_regions(lobby)}""",
        flush=True,
    )


def _regions(lobby: LobbyFile) -> str:
    """Return a line for each Region of a lobby with several."""
    lines = [
        f"  {each.region:<15}GraphQL {each.graphql_url}\n{'':17}devices {each.lobby_endpoint}\n"
        for each in lobby.regions
    ]
    return "".join(lines)


def _stop(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def _reporting_failures() -> Iterator[None]:
    """Print expected failures without a traceback and exit. SIGTERM stops the process like Ctrl-C. SIGINT is also
    handled in the background, where shells let processes ignore it."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        yield
    except StepFailed as failed:
        print(f"\nfailed step: {failed.step}\n  observed: {failed.observed}", file=sys.stderr)
        for log in failed.logs:
            print(f"  log: {log}", file=sys.stderr)
        raise typer.Exit(1) from None
    except LocalCloudError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


if __name__ == "__main__":
    app(prog_name=os.environ.get(COMMAND_VARIABLE))
