"""Measure a teardown with AWS's quotas in force, and a rebuild: `python -m tests.bench.rebuild [--json]`.

Starts a lobby with its own state, onboards one device and moves it to a second target. Registers further devices in its
first target as the commissioner does, enforces AWS's default quotas, and removes targets and lobby. Then it deploys all
again and moves the device back to its first target. `goal`: nothing is left, at most 0.05 calls per device are
throttled, the removal takes at most 1.05 times the time that the quota allows, and the device arrives again.

Exit status: 0 the goal is reached, 1 it is not or a step failed, 2 wrong usage.
"""

import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from infra.local.bringup import LocalLobby, exclusive_use
from infra.local.powered_device import PoweredDevice
from infra.local.strictness import RELAXED, Strictness
from infra.local.timeline import Timeline
from infra.teardown.lobby import LobbyRemoval
from infra.teardown.pacing import DEVICES_PER_SECOND
from infra.teardown.target import TargetRemoval
from lobby.domain.targets.target import profile_policy
from lobby.names import Target
from tests.bench.deployment import LobbyUnderTest, NewDevice, running_lobby, wait_for
from tests.bench.outcome import outcome
from tests.certificates import authority, device, fingerprint_of, pem_of

app = typer.Typer(add_completion=False)
_FIRST_PORT: Final = 25_100
_RATIO: Final = 1.05
_THROTTLES: Final = 0.05
MOVE: Final = """
mutation($id: ID!, $account: String!, $region: String!) {
  moveDevice(certid: $id, target: {account: $account, region: $region}) { devstate }
}"""
_QUICK: Final = (
    *("--retry-base", "0.5", "--retry-cap", "1", "--settle-after", "0.5", "--fallback-attempts", "3"),
    *("--revisit-base", "1", "--revisit-cap", "2"),
)


@dataclass(frozen=True)
class Figures:
    """The result. Times are in seconds; `quota_seconds` is what AWS's default quotas allow for the devices."""

    devices: int
    seconds: float
    quota_seconds: float
    calls: dict[str, int]
    throttled: int
    left: int
    arrived_again: bool

    @property
    def goal(self) -> bool:
        return (
            self.left == 0
            and self.arrived_again
            and self.throttled <= _THROTTLES * self.devices
            and self.seconds <= _RATIO * self.quota_seconds
        )


@app.command(help=__doc__)
def main(
    devices: Annotated[int, typer.Option(min=50, help="Devices in the target.")] = 300,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON in the last line.")] = False,
    gateway_port: Annotated[int, typer.Option(help="Port of the AWS API.")] = _FIRST_PORT,
    mqtt_port: Annotated[int, typer.Option(help="Port of the MQTT endpoints.")] = _FIRST_PORT + 1,
) -> None:
    timeline = Timeline(out=sys.stderr)
    with outcome(as_json=as_json) as result:
        with tempfile.TemporaryDirectory(prefix="device-lobby-bench-") as directory, exclusive_use(Path(directory)):
            quotas = Strictness(throttling=True)
            figures = rebuild(Path(directory), timeline, devices, (gateway_port, mqtt_port), quotas)
        result.figures, result.goal = asdict(figures), figures.goal
        print(_as_text(figures))


def rebuild(
    directory: Path,
    timeline: Timeline,
    devices: int,
    ports: tuple[int | None, int | None] = (None, None),
    removal: Strictness = RELAXED,
) -> Figures:
    """Deploy, onboard and move a device, remove everything with the limits of `removal` in force, deploy again, and
    move the device back. `directory` is locked by the caller. Raise `StepFailed` or `TimeoutError`."""
    with running_lobby(directory, timeline, *ports, durable=True) as lobby:
        first, second = lobby.local.layout.targets
        one = lobby.new_device()
        with timeline.step("one device onboarded and moved"):
            powered = _power_on(lobby, one, directory)
            lobby.claim(one)
            lobby.wait_for_state(one, "arrived")
            _move(lobby, one, second)
            powered.stop()
        with timeline.step(f"{devices - 1} devices registered in the target"):
            _register(lobby.local, first, devices - 1)
        lobby.local.emulator.enforce(removal)
        before = _counted(lobby.local, first)
        with timeline.step("target removed") as step:
            seconds = _remove(lobby.local, first)
            step.note = f"devices in {seconds:.1f} s"
        calls = _counted(lobby.local, first)
        calls.subtract(before)
        with timeline.step("second target removed"):
            _remove(lobby.local, second)
        with timeline.step("lobby removed"):
            session = _session(lobby.local, lobby.local.layout.lobby)
            LobbyRemoval(session, lobby.local.layout.lobby, timeline.print, poll=0.2).run(keep_devices=False)
        left = sum(_left(lobby.local, scope) for scope in lobby.local.layout.scopes())
        lobby.local.emulator.enforce(RELAXED)
    with (
        running_lobby(directory, timeline, *ports, durable=True) as rebuilt,
        timeline.step("the device moved back to its target"),
    ):
        arrived = _arrives_again(rebuilt, one, first, directory)
    throttled = calls.pop("throttled")
    made = {name: count for name, count in sorted(calls.items()) if count}
    return Figures(devices, round(seconds, 1), devices / DEVICES_PER_SECOND, made, throttled, left, arrived)


def _remove(local: LocalLobby, target: Target) -> float:
    """Remove the target and return the seconds that its devices took."""
    times: list[float] = []

    def report(line: str) -> None:
        if "devices to remove" in line or "devices removed" in line:
            times.append(time.monotonic())

    TargetRemoval(_session(local, target), target, report, poll=0.2).run(keep_devices=False)
    return times[1] - times[0]


def _register(local: LocalLobby, target: Target, count: int) -> None:
    """Register devices as the commissioner does."""
    iot, issuer, policy = _session(local, target).client("iot"), authority(), profile_policy("default")

    def register(number: int) -> None:
        name, pem = f"bench-{number}", pem_of(device(issuer, f"bench-{number}"))
        iot.create_thing(thingName=name, attributePayload={"attributes": {"certid": fingerprint_of(pem)}})
        arn = iot.register_certificate_without_ca(certificatePem=pem, status="ACTIVE")["certificateArn"]
        iot.attach_thing_principal(thingName=name, principal=arn)
        iot.attach_policy(policyName=policy, target=arn)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(register, range(count)))


def _power_on(lobby: LobbyUnderTest, one: NewDevice, directory: Path) -> PoweredDevice:
    return PoweredDevice(lobby.file, one.paths, directory / "devices" / one.name, _QUICK)


def _move(lobby: LobbyUnderTest, one: NewDevice, target: Target) -> None:
    """Move the device and wait until it has arrived there."""
    lobby.api.ask(MOVE, id=one.certid, account=target.account, region=target.region)

    def has_arrived() -> bool:
        row = lobby.row(one.certid)
        return (row.get("devstate"), row.get("targetregion")) == ({"S": "arrived"}, {"S": target.region})

    wait_for(f"{one.name} has arrived in {target}", has_arrived)


def _arrives_again(lobby: LobbyUnderTest, one: NewDevice, target: Target, directory: Path) -> bool:
    """Let the device fall back to the lobby, move it to its first target, and return whether it arrives."""
    powered = _power_on(lobby, one, directory)
    try:
        iot = lobby.session.client("iot")
        wait_for("the device is admitted again", lambda: _is_registered(iot, one.certid))
        _move(lobby, one, target)
    finally:
        powered.stop()
    return _is_registered(_session(lobby.local, target).client("iot"), one.certid)


def _is_registered(iot: Any, certid: str) -> bool:
    found = {each["certificateId"]: each["status"] for each in iot.list_certificates(pageSize=250)["certificates"]}
    return found.get(certid) == "ACTIVE"


def _left(local: LocalLobby, scope: Target) -> int:
    iot = _session(local, scope).client("iot")
    return (
        len(iot.list_certificates()["certificates"])
        + len(iot.list_things()["things"])
        + len(iot.list_policies()["policies"])
    )


def _counted(local: LocalLobby, scope: Target) -> Counter[str]:
    """Return AWS IoT's calls by operation in an account and Region, and the sum of those that were throttled."""
    counted = local.emulator.counters()["calls"].get(str(scope), {})
    iot = {name.removeprefix("iot:"): each for name, each in counted.items() if name.startswith("iot:")}
    found = Counter({name: each["calls"] for name, each in iot.items()})
    found["throttled"] = sum(each["throttled"] for each in iot.values())
    return found


def _session(local: LocalLobby, scope: Target) -> Any:
    return local.emulator.session(scope.account, scope.region)


def _as_text(figures: Figures) -> str:
    calls = "\n".join(f"  {name:<24}{count:>8,}" for name, count in figures.calls.items())
    allowed = f"the quota of {DEVICES_PER_SECOND:g} devices per second allows {figures.quota_seconds:.1f} s"
    arrived = "arrived" if figures.arrived_again else "did not arrive"
    return f"""{figures.devices:,} devices removed from a target, AWS's default quotas in force
calls of AWS IoT
{calls}
  throttled               {figures.throttled:>8,}
time          {figures.seconds:.1f} s; {allowed}: {figures.seconds / figures.quota_seconds:.2f} times
left          {figures.left} certificates, things and policies
rebuild       the device {arrived} at its first target again
goal          {"reached" if figures.goal else "NOT REACHED"}"""


if __name__ == "__main__":
    app()
