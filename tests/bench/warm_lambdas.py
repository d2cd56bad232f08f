"""The Lambdas of an onboarding on moto, each of which has served a device before."""

from collections.abc import Callable
from typing import Any

from admin_api.operations.claims import claim
from admin_api.roles import Caller, Role
from admin_api.services import Services
from lobby.arrivals import Arrivals
from lobby.domain.hellos import Report
from lobby.ledger.campaigns.manifests import Manifests
from lobby.ledger.histories.anchors import Anchors
from lobby.ledger.histories.history_verification import Histories
from lobby.ledger.targets.target_registry import Targets
from lobby.names import ThingName
from lobby.receptionist import Receptionist
from tests import aws, sns_messages
from tests import certificates as make
from tests.aws import BUCKET, LOBBY, REGION, Calls, Clock
from tests.clone_watches import clone_watch
from tests.functional.admin_api.webhooks_on_moto import notices_on_moto, webhooks_on_moto
from tests.functional.commissioner.lobby_with_targets import IDS, PROFILES, A, LobbyWithTargets
from tests.functional.lobby.registration_door import CA, GOOD, RegistrationDoor
from tests.history_key import sign_history
from tests.user_limits import user_limits

GOOD_ID = make.fingerprint_of(GOOD)
NAME = ThingName("sensor-1")
OPERATOR = Caller("ann", Role.OPERATOR)
TOPIC = "arn:aws:sns:eu-west-1:111111111111:device-lobby-arrivals"


class Lambdas:
    """All Lambdas of an onboarding, each of which has served a device before."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self.door, self.lobby = RegistrationDoor(calls, clock), LobbyWithTargets(calls, clock, "sensor-2")
        self.ledger, self.calls = self.lobby.ledger, calls
        with calls.uncounted():
            self.receptionist = Receptionist(aws.client("iot-data"), self.ledger)
            self.services = Services(
                self.ledger,
                self.lobby.targets,
                _no_survey,
                LOBBY,
                REGION,
                notices=notices_on_moto(),
                webhooks=webhooks_on_moto(),
                histories=Histories(self.ledger, Anchors(lambda: aws.client("s3"), "none")),
                compare=_no_survey,
                ask_registrar=_no_survey,
                profiles=PROFILES,
                **user_limits(),
                sign_history=sign_history,
                store_template=lambda target, _content: f"https://bucket.s3.amazonaws.com/{target.account}?signed",
                manifests=Manifests(lambda: aws.client("s3"), BUCKET),
                start_campaign=_no_survey,
                approval_above=1000,
            )
            self.arrivals = Arrivals(
                self.ledger,
                Targets.read_only(),
                _no_sns,
                sns_messages.certificates(clock),
                _no_sns,
                _no_sns,
                clone_watch(self.ledger),
            )
            self.door.deliver(self.door.first_connection(make.pem_of(make.device(CA, "sensor-9", number=1))))
            claim(self.services, OPERATOR, IDS["sensor-2"], A, None, None)
            assert self.lobby.deliver(self.lobby.record(IDS["sensor-2"])) == []
        calls.forget()

    def onboarding(self) -> dict[str, Callable[[], object]]:
        """Return the steps of one device, in order."""
        with self.calls.uncounted():
            queue = self.door.queue()
            queue._bouncer = self.door.bouncer  # warm
        message = self.door.message(self.door.first_connection(GOOD))
        return {
            "bouncer": lambda: self.door.receive(message, queue=queue),
            "receptionist": lambda: self.receptionist.answer(GOOD_ID, NAME, Report()),
            "claim": lambda: claim(self.services, OPERATOR, GOOD_ID, A, None, None),
            "commissioner": lambda: self.lobby.deliver(self.lobby.record(GOOD_ID)),
            "arrivals": self.report_arrival,
        }

    def report_arrival(self) -> str:
        """Report the connection in the target, one minute after the device was commissioned."""
        at = self.lobby.clock().timestamp() * 1000 + 60_000
        return self.arrivals.process(sns_messages.report(GOOD_ID, at, TOPIC))


def _no_survey(*_: Any) -> Any:
    raise AssertionError("unexpected survey")


def _no_sns(*_: Any) -> Any:
    raise AssertionError("unexpected confirmation")
