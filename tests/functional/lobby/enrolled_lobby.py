"""A lobby with two targets whose bouncer admits devices by enrolments, on moto."""

from dataclasses import replace
from functools import cache
from typing import Any

from lobby.domain.device import Device
from lobby.domain.enrolments.allocation import Allocation, Share
from lobby.domain.enrolments.enrolment import Door, Enrolment, EnrolmentEvent, Match
from lobby.domain.targets.target import RegisteredTarget, TargetEvent
from lobby.ledger.enrolments.enrolment_register import Enrolments
from lobby.ledger.enrolments.serial_lists import SerialLists
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import Targets
from lobby.ledger.targets.target_rows import write
from lobby.names import EnrolmentName, Fingerprint, Target, parse_target
from tests import certificates as make
from tests.aws import Calls, Clock
from tests.functional.lobby.registration_door import CA, RegistrationDoor

A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
PUMPS = EnrolmentName("pumps")
TO_A = Allocation((Share(A),))
HOOK = "device-lobby-allocation-choose"


class Lobby(RegistrationDoor):
    """A lobby with two targets, and an enrolment."""

    def __init__(self, calls: Calls, clock: Clock, ledger: Ledger) -> None:
        super().__init__(calls, clock)
        self.ledger, self.enrolments, self.targets = ledger, Enrolments(clock), Targets(lambda: "e" * 32, clock)
        self.lists = SerialLists(clock)
        with calls.uncounted():
            self.targets.register(A, "A", ("default", "camera"), "setup")
            self.targets.register(B, "B", ("default",), "setup")

    def enrol(
        self, name: str = PUMPS, match: Match | None = None, door: Door = Door.REGISTRATION, **more: Any
    ) -> Enrolment:
        """Create an enrolment; without conditions, one for all devices of the CA."""
        found = match or Match(ca=Fingerprint(self.ca_id))
        with self.calls.uncounted():
            return self.enrolments.create(Enrolment(EnrolmentName(name), door, found, "user:ann", self.now(), **more))

    def evacuate(self, target: Target, standby: Target) -> RegisteredTarget:
        """Record that a target is evacuated, and return the record."""
        with self.calls.uncounted():
            before = self.targets.get(target)
            after = replace(before, standby=standby, evacuated_at=self.now())
            return write(before, after, self.targets.entry("user:ann", TargetEvent.EVACUATED))

    def now(self) -> str:
        return self.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def change(self, event: EnrolmentEvent) -> None:
        with self.calls.uncounted():
            self.enrolments.set_state(PUMPS, event, "user:ann")

    def connect(self, number: int = 0) -> str:
        """Have a device connect for the first time, and return the outcome."""
        return self.deliver(self.first_connection(pem_of(number)))

    def device(self, number: int = 0) -> Device:
        device = self.ledger.get(make.fingerprint_of(pem_of(number)))
        assert device is not None
        return device

    def admitted(self) -> int:
        return self.enrolments.get(PUMPS).admitted


@cache
def pem_of(number: int) -> str:
    return make.pem_of(make.device(CA, f"pump-{number}", number=number, serial=5000 + number))
