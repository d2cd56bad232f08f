"""The lobby as a place where many work at once: people, Lambdas and devices, each an actor that can stop at any call.

What AWS promises of deliveries, and no more: the stream keeps a device's records in order and gives them to one
commissioner at a time, but again from any earlier one; rules and the queue deliver at least once, late, in any order.
Past that, `stray` hands over a record that was done long ago, and a record may find its Lambda killed.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.awsrequest import AWSPreparedRequest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError
from moto.iam.models import get_account_id_from
from pynamodb.exceptions import PynamoDBException

from lobby.domain.identity import load_certificate, thing_name
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, LobbyError
from lobby.ledger.models import COMMISSIONER
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, PresenceCode, Target, parse_target_key
from tests import aws
from tests.aws import HOME, REGION
from tests.simulation.faults.field import GUARDED, Field, FieldDevice, arrival_of, event_of, heard_by
from tests.simulation.faults.lambdas import Handler, Lambdas
from tests.simulation.faults.layer import FaultLayer
from tests.simulation.faults.stream import WRITES, Image, Record, images, record_of
from tests.simulation.races.truth import UNKNOWN, Untrue, Wish
from tests.simulation.races.turns import Actor, taking_turns

PEOPLE: Final = ("claim", "confirm", "mismatch", "move", "release", "revoke", "retry")
_WRONG: Final = PresenceCode("no code")
_ENOUGH: Final = 400
"""What takes more rounds than this to come to rest never does."""


@dataclass
class Lane:
    """A device's records of the stream. Those before `position` are done."""

    records: list[Record] = field(default_factory=list)
    position: int = 0
    busy: Actor | None = None

    @property
    def waiting(self) -> list[Record]:
        return self.records[self.position :]


@dataclass(eq=False)
class Errand:
    """An event for a Lambda behind a rule or the queue."""

    function: str
    event: dict[str, Any]
    certid: Fingerprint


class World:
    """A lobby of `Ground`'s, and its `devices`, from now on."""

    def __init__(self, layer: FaultLayer, ground: Field) -> None:
        self.devices: dict[str, FieldDevice] = ground.devices
        self.clock = ground.clock
        self.ca_id = ground.ca_id
        self.actors: list[Actor] = []
        self.errands: list[Errand] = []
        self.done: list[Errand] = []
        self.lanes: dict[str, Lane] = {device.certid: Lane() for device in self.devices.values()}
        self.wishes: list[Wish] = []
        self.closed: set[Target] = set()
        """Targets that refuse everything."""
        self._jobs: dict[Actor, Callable[[], None]] = {}
        self._idle: dict[str, list[Handler]] = {}
        self._lambdas = Lambdas(layer, self.clock, lambda: "external-id")
        self._seen = images()
        self._numbers = iter(range(1, 100_000))
        layer.begin({})
        layer.effects = dict.fromkeys(WRITES, self._look) | {"iot-data-plane.Publish": self._spread}

    @contextmanager
    def in_turns(self) -> Iterator[None]:
        """Whoever is started meanwhile takes turns; who has not ended by then is gone."""
        with taking_turns(self._refused):
            try:
                yield
            finally:
                for actor in self.actors:
                    actor.kill(after=False)

    # Who acts.

    def press(self, what: str, certid: Fingerprint, target: Target | None = None) -> Actor:
        """A person asks for one of `PEOPLE`."""
        wish = Wish(f"user:{len(self.wishes) + 1}", what, certid, target)
        self.wishes.append(wish)

        def ask() -> None:
            ledger = Ledger(REGION, self.clock, pause=lambda _attempt: None)
            try:
                _asked(ledger, wish)
            except LobbyError as refused:
                wish.told = refused.code
            except PynamoDBException:
                wish.told = UNKNOWN
            else:
                wish.told = "done"

        return self._start(f"{wish.by} {what}", ask)

    def run(self, errand: Errand) -> Actor:
        """A Lambda takes an event, which comes again if it dies of it."""
        if errand in self.errands:
            self.errands.remove(errand)
        handler = self._handler(errand.function)
        actor = Actor(f"{errand.function} {errand.certid[:4]}", lambda: handler(errand.event))
        return self._watch(actor, lambda: self._ran(actor, errand, handler))

    def _ran(self, actor: Actor, errand: Errand, handler: Handler) -> None:
        failed = isinstance(actor.answer, dict) and actor.answer.get("batchItemFailures")
        if actor.killed or actor.error or failed:
            self.errands.append(errand)
        else:
            self.done.append(errand)
        if not actor.killed:
            self._idle.setdefault(errand.function, []).append(handler)

    def deliver(self, certid: str, many: int = 10) -> Actor:
        """The commissioner takes the device's next records."""
        lane = self.lanes[certid]
        return self._commission(lane, lane.waiting[:many], moves=True)

    def stray(self, certid: str, number: int) -> Actor:
        """One record of before, by itself, once more."""
        lane = self.lanes[certid]
        return self._commission(lane, [lane.records[number]], moves=False)

    def _commission(self, lane: Lane, batch: list[Record], *, moves: bool) -> Actor:
        handler = self._handler("commissioner")
        actor = Actor(f"commissioner {_number(batch[0])[-4:]}+{len(batch)}", lambda: handler({"Records": batch}))
        lane.busy = actor

        def ended() -> None:
            lane.busy = None
            if actor.killed:
                return
            self._idle.setdefault("commissioner", []).append(handler)
            if actor.error:
                raise Untrue(f"the commissioner raised {actor.error!r}") from actor.error
            if moves:
                lane.position += _done(batch, actor.answer)

        return self._watch(actor, ended)

    def rewind(self, certid: str, many: int) -> None:
        """A batch comes again from an earlier record, for another device's sake or as its answer was lost."""
        lane = self.lanes[certid]
        lane.position = max(0, lane.position - many)

    # What actors do, and what follows.

    def go(self, actor: Actor) -> None:
        actor.go()
        self._see_to(actor)

    def kill(self, actor: Actor, *, after: bool) -> None:
        actor.kill(after=after)
        self._see_to(actor)

    def cancel(self, actor: Actor, code: str) -> None:
        """DynamoDB cancels the transaction that it stands before."""
        answer: Any = {
            "Error": {"Code": "TransactionCanceledException", "Message": code},
            "CancellationReasons": [{"Code": "None"}, {"Code": code}],
        }
        actor.refuse(ClientError(answer, "TransactWriteItems"))
        self._see_to(actor)

    def lose(self, actor: Actor) -> None:
        """What its call comes to is never heard, however often botocore asks."""
        actor.lose(ReadTimeoutError(endpoint_url="https://somewhere"))
        self._see_to(actor)

    def finish(self, actor: Actor) -> None:
        while not actor.ended:
            self.go(actor)

    def _start(self, name: str, work: Callable[[], None]) -> Actor:
        actor = Actor(name, work)
        return self._watch(actor, lambda: self._heard(actor))

    @staticmethod
    def _heard(actor: Actor) -> None:
        if actor.error is not None:
            raise Untrue(f"{actor.name} was answered {actor.error!r}") from actor.error

    def _watch(self, actor: Actor, ended: Callable[[], None]) -> Actor:
        self.actors.append(actor)
        self._jobs[actor] = ended
        self._see_to(actor)
        return actor

    def _see_to(self, actor: Actor) -> None:
        if actor.ended:
            self.actors.remove(actor)
            self._jobs.pop(actor)()

    def _handler(self, function: str) -> Handler:
        idle = self._idle.get(function)
        return idle.pop() if idle else self._lambdas.start(function)

    # Devices.

    def act(self, device: FieldDevice) -> bool:
        """What it would do now: obey, find its way back, knock. Whether it did anything."""
        device.powered = True
        goal = device.goal()
        if goal is not None:
            return self._connect(device, goal)
        if device.place is not None and aws.status(device.certid, device.place) == "ACTIVE":
            return False
        device.place = None
        if aws.status(device.certid) in ("PENDING_ACTIVATION", "INACTIVE"):
            return False
        return self._connect(device, HOME)

    def say_hello(self, device: FieldDevice) -> None:
        name = thing_name(load_certificate(device.pem))
        event = event_of("hello", CERTIFICATE_ID=device.certid) | {"devicename": name}
        self.errands.append(Errand("receptionist", event, device.certid))

    def _connect(self, device: FieldDevice, where: Target) -> bool:
        status = aws.status(device.certid, where)
        device.place = where if status == "ACTIVE" else None
        if where != HOME and device.place:
            told = arrival_of(device, where, self.clock())
            record = {"messageId": "1", "body": json.dumps(told)}
            self.errands.append(Errand("arrivals", {"Records": [record]}, device.certid))
        elif device.place:
            self.say_hello(device)
        elif where == HOME and status is None:
            self._knock(device)
        return True

    def _knock(self, device: FieldDevice) -> None:
        aws.client("iot").register_certificate(
            certificatePem=device.pem, caCertificatePem=device.issuer, status="PENDING_ACTIVATION"
        )
        event = event_of("certificate_registered", CA_CERTIFICATE_ID=self.ca_id, CERTIFICATE_ID=device.certid)
        self.errands.append(Errand("bouncer", event, device.certid))

    # What AWS does by itself.

    def _look(self, _request: AWSPreparedRequest) -> None:
        before, self._seen = self._seen, images()
        for certid, image in self._seen.items():
            if image != before.get(certid) and image.get("turn") == {"S": COMMISSIONER}:
                self._record(certid, image)

    def _record(self, certid: str, image: Image) -> None:
        self.lanes[certid].records.append(record_of(next(self._numbers), certid, image, self.clock()))

    def _spread(self, request: AWSPreparedRequest) -> None:
        heard_by(self.devices.values(), request)

    def _refused(self, client: BaseClient, operation: str, params: dict[str, Any]) -> Exception | None:
        """Closed targets let nobody in, and nobody do anything."""
        if not self.closed:
            return None
        account = get_account_id_from(client._request_signer._credentials.access_key)  # type: ignore[attr-defined]
        if operation == "AssumeRole":
            account = params["RoleArn"].split(":")[4]
        if account not in {target.account for target in self.closed}:
            return None
        code = "AccessDenied" if operation == "AssumeRole" else "AccessDeniedException"
        return ClientError({"Error": {"Code": code, "Message": "closed"}}, operation)

    # Coming to rest.

    def at_work(self) -> dict[str, set[Target]]:
        """For which targets records are still to be done, by device."""
        found: dict[str, set[Target]] = {}
        for certid, lane in self.lanes.items():
            open_records = lane.records if lane.busy else lane.waiting
            images_of = [record["dynamodb"]["NewImage"] for record in open_records]
            found[certid] = {parse_target_key(image["target"]["S"]) for image in images_of if "target" in image}
        return found

    def settle(self, check: Callable[[], object] = lambda: None) -> None:
        """Everybody goes on, everything is delivered, and devices do what they then do, until nothing is left. `check`
        is called after each call."""
        for _ in range(_ENOUGH):
            if not self._round(check):
                return
        raise Untrue(f"never comes to rest: {[actor.name for actor in self.actors]}, {self.errands}")

    def _round(self, check: Callable[[], object]) -> bool:
        for actor in list(self.actors):
            self._through(actor, check)
        lanes = [certid for certid, lane in self.lanes.items() if lane.waiting and lane.busy is None]
        for certid in lanes:
            self._through(self.deliver(certid), check)
        errands = list(self.errands)
        for errand in errands:
            self._through(self.run(errand), check)
        self.clock.advance(seconds=1)
        moved = [self.act(device) for device in self.devices.values()]
        return bool(lanes or errands or any(moved) or self.actors)

    def _through(self, actor: Actor, check: Callable[[], object]) -> None:
        while not actor.ended:
            reads = actor.reads
            self.go(actor)
            if not reads:
                check()


def _asked(ledger: Ledger, wish: Wish) -> None:
    claim = ClaimRequest(wish.target, presence=wish.target == GUARDED) if wish.target else None
    if wish.what in ("claim", "move"):
        if claim is None:
            raise AssertionError(f"a {wish.what} needs a target")
        getattr(ledger, wish.what)(wish.certid, claim, wish.by)
    elif wish.what in ("confirm", "mismatch"):
        _tell_code(ledger, wish)
    elif wish.what == "revoke":
        ledger.revoke(wish.certid, "stolen", wish.by)
    else:
        getattr(ledger, wish.what)(wish.certid, wish.by)


def _tell_code(ledger: Ledger, wish: Wish) -> None:
    """Somebody stands at the device, or guesses."""
    device = ledger.get(wish.certid)
    if device is None or device.code is None:
        raise Conflict("NOT_ALLOWED", "no code is shown")
    ledger.confirm(device, device.code if wish.what == "confirm" else _WRONG, wish.by)


def _number(record: Record) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def _done(batch: list[Record], answer: Any) -> int:
    """How many of the batch need not come again: those before the first that was handed back."""
    failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
    return next((place for place, record in enumerate(batch) if _number(record) in failed), len(batch))
