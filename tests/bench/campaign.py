"""A campaign of moves between two targets under AWS's quotas: `python -m tests.bench.campaign`.

Starts a lobby with its own state, and writes devices that have arrived in the first target into the ledger. A campaign
moves them to the second one. During it, single claims are made for both targets, and the processes of the feeder and of
the lanes' workers are killed twice. The limits are: the time at the targets' rate, divided by 0.95; a single claim
takes at most twice as long as on an idle system; each device is in its target, with one move in its history. `--rate`
raises the targets' rate, and the quotas by the same factor. The figures need a machine with two free processors.

Exit status: 0 the limits are met, 1 one is exceeded or a step failed, 2 wrong usage.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Final

import typer

from infra.local.api import Api, ApiRefused
from infra.local.bringup import exclusive_use
from infra.local.strictness import RELAXED, STRICT
from infra.local.timeline import Timeline
from lobby.domain.device import Device, Priority
from lobby.domain.lanes.lane_pace import DEFAULT_RATE
from lobby.domain.states import State
from lobby.ledger.items import attributes_of
from lobby.ledger.models import HistoryRow, LedgerRow
from lobby.names import Fingerprint
from tests.bench.deployment import TABLE, LobbyUnderTest, running_lobby
from tests.bench.lanes.measurement import LanesUnderTest
from tests.bench.outcome import outcome
from tests.bench.report import Section, section

app = typer.Typer(add_completion=False)
SHARE: Final = 0.95
"""The part of the targets' rate that a campaign must reach."""
SLOWER: Final = 2.0
NAME: Final = "move-all"
FUNCTIONS: Final = ("device-lobby-campaigns", "device-lobby-commissioner")
"""Their processes are killed."""
_ALONE: Final = 7
_PATIENCE: Final = 60.0
_POLL: Final = 1.0
_BATCH: Final = 25
_CREATE: Final = """
mutation($filter: CampaignFilter!, $change: ChangeInput!) {
  createCampaign(name: "move-all", change: $change, filter: $filter) { name state }
}"""
_APPROVE: Final = 'mutation { approveCampaign(name: "move-all") { state } }'
_CAMPAIGN: Final = """
{ campaign(name: "move-all") {
  state stoppedBecause total seconds counts { pending waiting awaited done failed refused unchanged superseded }
} }"""


@dataclass
class Figures:
    """Times are in seconds. The times of single claims are medians in ms."""

    devices: int
    rate: float
    kills: int = 0
    moved: int = 0
    seconds: float | None = None
    limit: float = 0.0
    share_of_rate: float = 0.0
    moved_once: int = 0
    throttled: int = 0
    idle_ms: float = 0.0
    singles: int = 0
    refused: int = 0
    single_same_ms: float = 0.0
    single_other_ms: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def is_within(self) -> bool:
        """Return whether the limits are met."""
        return (
            self.seconds is not None
            and self.share_of_rate >= SHARE
            and self.moved == self.moved_once == self.devices
            and max(self.single_same_ms, self.single_other_ms) <= SLOWER * self.idle_ms
        )


@app.command(help=__doc__)
def main(
    devices: Annotated[int, typer.Option(min=50, help="Devices that the campaign moves.")] = 10_000,
    rate: Annotated[float, typer.Option(min=1, max=500, help="The targets' rate.")] = DEFAULT_RATE,
    kills: Annotated[int, typer.Option(min=0, max=5, help="How often processes are killed.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
) -> None:
    timeline, figures = Timeline(out=sys.stderr), Figures(devices, rate)
    with outcome(as_json=as_json) as result:
        try:
            with (
                tempfile.TemporaryDirectory(prefix="device-lobby-bench-") as folder,
                exclusive_use(Path(folder)),
                running_lobby(Path(folder), timeline, None, None) as lobby,
                timeline.step(f"a campaign of {devices} moves") as step,
            ):
                CampaignUnderTest(lobby, figures, kills).measure()
                step.note = f"{figures.moved} moved"
        finally:
            result.goal, result.figures = figures.is_within, asdict(figures)
            lines = tuple((name.replace("_", " "), str(value)) for name, value in asdict(figures).items())
            print(section(Section("A campaign of moves under AWS's quotas", ("", "measured"), lines)))


class CampaignUnderTest:
    """One measurement. It writes its results to `figures`."""

    def __init__(self, lobby: LobbyUnderTest, figures: Figures, kills: int) -> None:
        self.lobby, self.figures, self._kills = lobby, figures, kills
        self.lanes = LanesUnderTest(lobby, FUNCTIONS, earlier=False)
        self.source, self.goal = self.lanes.targets
        self._admin = Api(lobby.file, lobby.file.operator("admin"))
        self.watched = 0
        """Requests that only watch the campaign."""

    def measure(self) -> None:
        figures, emulator = self.figures, self.lobby.local.emulator
        self.lanes.set_rate(figures.rate)
        strict = replace(STRICT, policy_delay_seconds=0, disordered_events=False)
        emulator.enforce(replace(strict, rate_share=figures.rate / DEFAULT_RATE))
        _, *idle = [self.lanes.single(target) for target in (self.source, *[self.goal, self.source] * _ALONE)]
        figures.idle_ms = round(median(idle[2:]))
        certids = self.arrived()
        throttled = self.lanes.counted()[0]
        self.create()
        began, same, other = time.monotonic(), list[float](), list[float]()
        self._follow(began, same, other)
        figures.seconds = round(time.monotonic() - began, 1) if not self.left() else None
        figures.limit = round((figures.devices + len(same)) / figures.rate, 1)
        figures.share_of_rate = round(figures.limit / figures.seconds, 3) if figures.seconds else 0.0
        figures.throttled = self.lanes.counted()[0] - throttled
        figures.singles = len(same) + len(other)
        figures.single_same_ms = round(median(same)) if same else 0
        figures.single_other_ms = round(median(other)) if other else 0
        emulator.enforce(RELAXED)
        figures.moved = sum(self.is_moved(certid) for certid in certids)
        figures.moved_once = sum(self.moves(certid) == 1 for certid in certids)

    def _follow(self, began: float, same: list[float], other: list[float]) -> None:
        """Make single claims and kill processes until no device waits, at most three times as long as expected."""
        figures = self.figures
        until = began + 60 + 3 * figures.devices / figures.rate
        kill_at = [figures.devices * number // (self._kills + 1) for number in range(1, self._kills + 1)]
        pause, next_single = max(3.0, figures.devices / figures.rate / 50), began + 3
        while time.monotonic() < until and (left := self.left()):
            if kill_at and figures.devices - left >= kill_at[0]:
                kill_at.pop(0)
                self.kill()
            if time.monotonic() >= next_single and left > _BATCH:
                same.append(self.lanes.single(self.goal))
                other.append(self.lanes.single(self.source))
                next_single = time.monotonic() + pause
            time.sleep(_POLL)

    def left(self) -> int:
        """Return how many devices of the campaign are not commissioned in their new target."""
        campaign = self._watch()
        self.figures.counts = campaign["counts"]
        if campaign["stoppedBecause"]:
            raise TimeoutError(f"the campaign has stopped: {campaign['stoppedBecause']}, {campaign['counts']}")
        return self.figures.devices - int(campaign["counts"]["awaited"]) - int(campaign["counts"]["done"])

    def kill(self) -> None:
        """End the processes of the functions in the middle of their work. The emulator does so when a function's
        configuration changes."""
        functions: Any = self.lobby.session.client("lambda")
        for name in FUNCTIONS:
            limit = functions.get_function_configuration(FunctionName=name)["Timeout"]
            functions.update_function_configuration(FunctionName=name, Timeout=limit)
        self.figures.kills += 1

    def create(self) -> None:
        target = {"account": self.goal.account, "region": self.goal.region}
        source = {"target": {"account": self.source.account, "region": self.source.region}, "state": "arrived"}
        self._ask(self.lobby.api, _CREATE, filter=source, change={"operation": "MOVE", "target": target})
        for _ in _until(lambda: self._state() not in ("preparing",)):
            pass
        if self._state() == "approval":
            self._ask(self._admin, _APPROVE)

    def _ask(self, api: Api, query: str, **variables: Any) -> Any:
        """Send the request again if Lambda throttles it before it runs. Count how often that happened."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                return api.ask(query, **variables)
            except ApiRefused as refusal:
                if refusal.code != "429" or time.monotonic() > until:
                    raise
            self.figures.refused += 1
            time.sleep(1)

    def _watch(self) -> Any:
        self.watched += 1
        return self._ask(self.lobby.api, _CAMPAIGN)["campaign"]

    def _state(self) -> str:
        return str(self._watch()["state"])

    def arrived(self) -> list[Fingerprint]:
        """Write devices that have arrived in the first target."""
        made = [self.lanes.device(self.source, Priority.SINGLE) for _ in range(self.figures.devices)]
        arrived = [replace(each, devstate=State.ARRIVED, needs_commissioner=False, iotep="x.example") for each in made]
        for start in range(0, len(arrived), _BATCH):
            requests = [{"PutRequest": {"Item": _item(each)}} for each in arrived[start : start + _BATCH]]
            self.lobby.tables.batch_write_item(RequestItems={TABLE: requests})
        return [each.certid for each in arrived]

    def is_moved(self, certid: Fingerprint) -> bool:
        row = self.lobby.row(certid)
        done = row.get("devstate", {}).get("S") in (State.COMMISSIONED.value, State.ARRIVED.value)
        return done and row["target"]["S"] == str(self.goal)

    def moves(self, certid: Fingerprint) -> int:
        """Return the number of moves in the history of a device."""
        found = self.lobby.tables.query(
            TableName=HistoryRow.Meta.table_name,
            KeyConditionExpression="certid = :c",
            ExpressionAttributeValues={":c": {"S": certid}},
        )
        return sum(item["event"]["S"] == "move" for item in found["Items"])


def _until(check: Callable[[], bool], seconds: float = 300) -> Iterator[None]:
    """Yield twice a second until `check` is true. Raise `TimeoutError`."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the campaign was not prepared within {seconds:.0f} s")
        yield
        time.sleep(0.5)


def _item(device: Device) -> Any:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return LedgerRow(**attributes_of(replace(device, enteredat=now))).serialize()


if __name__ == "__main__":
    app()
