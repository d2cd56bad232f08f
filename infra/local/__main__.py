"""The command line of the local deployment: `up`, `demo`, `redrive`, `destroy`. `deploy.sh` is its front door.

Exit status: 0 done, 1 a step failed (told with what was seen and where the logs are), 2 wrong use, 130 stopped by
Ctrl-C or SIGTERM before it was done or up.
"""

import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import httpx
import typer

from infra.local import demo as main_job
from infra.local.bringup import STATE, LocalLobby, only_one
from infra.local.emulator import LocalSession
from infra.local.errors import LocalCloudError, StartFailed
from infra.local.factory import Factory
from infra.local.lobby_file import LobbyFile
from infra.local.timeline import PATIENCE, StepFailed, Timeline
from infra.redrive.start import redrive as work_again
from lobby.names import parse_target

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)
State = Annotated[Path, typer.Option("--state", help="Where everything is kept.", resolve_path=True)]
GatewayPort = Annotated[int | None, typer.Option(help="Port of the AWS API. [default: 4566, or the next free one]")]
MqttPort = Annotated[int | None, typer.Option(help="Port of the MQTT endpoints. [default: 8883, or the next free one]")]
ConsolePort = Annotated[int | None, typer.Option(help="Port of the web console. [default: 4567, or the next free one]")]


@app.command()
def up(
    state: State = STATE,
    gateway_port: GatewayPort = None,
    mqtt_port: MqttPort = None,
    console_port: ConsolePort = None,
) -> None:
    """Deploy everything and leave it running until Ctrl-C. What was there before is kept."""
    with _told(), only_one(state):
        lobby = LocalLobby(state, Timeline(), gateway_port, mqtt_port, console_port)
        try:
            _say_what_next(lobby.up(), state)
            _serve(lobby)
        finally:
            lobby.down()


@app.command()
def demo(
    state: State = STATE,
    gateway_port: GatewayPort = None,
    mqtt_port: MqttPort = None,
    console_port: ConsolePort = None,
    patience: Annotated[float, typer.Option(help="Seconds that any one step may keep us waiting.")] = PATIENCE,
) -> None:
    """Run the main job with a new device: in the deployment that is up, or in one that is started for it."""
    timeline = Timeline(patience=patience)
    with _told():
        running = _running(state)
        if running is not None:
            timeline.logs = (state / "cloud" / "emulator.log",)
            timeline.say(f"in the deployment that is up ({running.aws_endpoint_url}):\n")
            _timed(running, Factory(state / "factory"), state, timeline)
            return
        with only_one(state):
            lobby = LocalLobby(state, timeline, gateway_port, mqtt_port, console_port)
            try:
                _timed(lobby.up(), lobby.factory, state, timeline)
            finally:
                lobby.down()


@app.command()
def redrive(
    state: State = STATE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be done.")] = False,
) -> None:
    """Have done once more what lies in the on-failure queues of the deployment that is up. May be repeated, and cut
    off."""
    with _told():
        running = _running(state)
        if running is None:
            raise StartFailed(
                "NOT_RUNNING", f"got {state}, want the state of a deployment that is up: ./deploy.sh local"
            )
        lobby = parse_target(running.lobby_account, running.lobby_region)
        session = LocalSession(running.aws_endpoint_url, lobby.account, lobby.region)
        if not work_again(session, lobby, {"AWS_ENDPOINT_URL": session.endpoint_url}, dry=dry_run):
            raise typer.Exit(1)


@app.command()
def destroy(state: State = STATE, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Delete the local deployment: its ledger, its CA and its devices."""
    with _told():
        if not (state / "cloud" / "layout.json").exists():
            raise StartFailed("NO_DEPLOYMENT", f"got {state}, want the state of a local deployment")
    with _told(), only_one(state):
        if not yes:
            typer.confirm(f"Delete {state} with the ledger, the CA and the devices in it?", abort=True)
        shutil.rmtree(state)
        print(f"{state} is gone")


def _timed(lobby: LobbyFile, factory: Factory, state: Path, timeline: Timeline) -> None:
    timeline.say("\n  the main job")
    began = time.monotonic()
    main_job.run(lobby, factory, state, timeline)
    timeline.say(f"\nfrom the factory to its account in {time.monotonic() - began:.1f} s")


def _serve(lobby: LocalLobby) -> None:
    """Until Ctrl-C, or SIGTERM. Raises `StepFailed` where the emulator ends before that."""
    try:
        status = lobby.emulator.wait()
    except KeyboardInterrupt:
        print("\nstopping; the ledger is kept for the next time", flush=True)
    else:
        raise StepFailed("running", f"the emulator ended with status {status}", (lobby.layout.log_path,))


def _running(state: Path) -> LobbyFile | None:
    """The deployment that is up with this state: somebody holds the state, and the emulator answers. A file that a
    killed one left behind may name ports that are another's by now."""
    try:
        with only_one(state):
            return None
    except StartFailed:
        pass
    try:
        lobby = LobbyFile.read(state)
        httpx.get(f"{lobby.aws_endpoint_url}/_ministack/ready", timeout=2).raise_for_status()
    except (OSError, ValueError, KeyError, TypeError, httpx.HTTPError):
        return None
    return lobby


def _say_what_next(lobby: LobbyFile, state: Path) -> None:
    operator = lobby.operator("operator")
    elsewhere = "" if state == STATE else f" --lobby {state / 'lobby.json'}"
    print(
        f"""
Device Lobby is up. Ctrl-C stops it; the ledger is kept.

  console        {lobby.console_url}
  sign in        as {operator.user}, password {operator.password} (admin, technician, viewer: in lobby.json)
  command line   .venv/bin/lobbyctl{elsewhere} devices list
  GraphQL        {lobby.graphql_url}
  devices        connect to {lobby.lobby_endpoint}:{lobby.mqtt_port}, server CA {lobby.server_ca_path}
  a new device   .venv/bin/python -m pki device {Path(lobby.device_ca_path).parent} NAME
  AWS clients    AWS_ENDPOINT_URL={lobby.aws_endpoint_url} AWS_REGION={lobby.lobby_region}
                 AWS_ACCESS_KEY_ID={lobby.lobby_account} AWS_SECRET_ACCESS_KEY=test
  all of this    {state / "lobby.json"}
  the main job   ./deploy.sh demo   (in another terminal)
""",
        flush=True,
    )


def _stop(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def _told() -> Iterator[None]:
    """Expected failures as text, not as tracebacks. SIGTERM ends us as Ctrl-C does: in order; and Ctrl-C does also
    where a shell has started us in the background, with SIGINT ignored."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        yield
    except StepFailed as failed:
        print(f"\nFAILED at: {failed.step}\n  seen: {failed.seen}", file=sys.stderr)
        for log in failed.logs:
            print(f"  log:  {log}", file=sys.stderr)
        raise typer.Exit(1) from None
    except LocalCloudError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


if __name__ == "__main__":
    app()
