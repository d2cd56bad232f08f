"""Lanes in tests: an environment whose worker runs without threads, and queues that record what is sent."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import datetime
from typing import Any

from commissioner.commissioning import Commissioner
from commissioner.lanes.lease import LeaseGuard, ReadGuard
from commissioner.lanes.messages import WorkerEnvironment
from commissioner.lanes.serving import Result, Server
from commissioner.shadow_work import ShadowWork
from commissioner.target_gateway.gateway import TargetGateway
from commissioner.target_gateway.session_policies import shadow_reading_policy
from commissioner.target_gateway.sessions import Sessions
from lobby.aws.clients import client
from lobby.domain.lanes.lane import Lane
from lobby.domain.targets.profile import Profiles
from lobby.ledger.lanes.lane_register import Lanes
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import RecentTargets
from lobby.names import Fingerprint
from tests import aws
from tests.aws import Clock


class RecordingQueue:
    """An SQS client that records messages and changes of visibility."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.hidden: list[int] = []

    def send_message(self, **message: Any) -> None:
        self.sent.append(message)

    def change_message_visibility(self, **change: Any) -> None:
        self.hidden.append(change["VisibilityTimeout"])


class InlineExecutor(Executor):
    """Runs each call immediately, in the caller's thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # the base's
        """Return immediately, because no call is in progress."""


def environment_with(
    ledger: Ledger,
    targets: RecentTargets,
    clock: Clock,
    profiles: Profiles,
    *,
    sessions_clock: Callable[[], datetime],
    rate: Callable[[Lane], float] = lambda _lane: 9.0,
    send_to_queue: Callable[[Fingerprint, str], object] = lambda *_: None,
    holders: Callable[[], str],
) -> WorkerEnvironment:
    """Return the environment of a worker. Waiting advances the clock. The worker looks less often than usual, because
    looks take most of the time of a simulation."""
    guard = LeaseGuard(clock)
    lobby = "999999999999/eu-west-1"
    reading = Sessions(client("sts"), sessions_clock, shadow_reading_policy, ReadGuard(guard))
    gateway = TargetGateway(targets, Sessions(client("sts"), sessions_clock, guard=guard), profiles, lobby)
    shadows = ShadowWork(gateway, TargetGateway(targets, reading, profiles, lobby), clock, sleep=lambda _: None)
    commissioner = Commissioner(ledger, gateway, client("iot"), client("iot-data"), shadows=shadows)

    def wait(_futures: "list[Future[Result]]", seconds: float) -> None:
        clock.advance(seconds=max(seconds, 0.001))

    return WorkerEnvironment(
        ledger,
        Lanes(clock),
        Server(commissioner, ledger, send_to_queue, clock),
        guard,
        rate,
        InlineExecutor,
        wait,
        clock,
        holders,
        poll_interval=0.05,
    )


def lane_row(lane: Lane) -> dict[str, Any] | None:
    """Return the item of a lane, in DynamoDB JSON."""
    return next((row for row in aws.items("device-lobby-lanes") if row["lane"] == {"S": lane}), None)
