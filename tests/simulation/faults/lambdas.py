"""The Lambdas: real handlers over real parts, started when they are first called, gone with all they knew when killed.

Every part is put together as its own module does it, save that the clock is the story's and that no one waits. An
answer is what Lambda would give; a process that died or a handler that raised is `Crashed`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final

from botocore import UNSIGNED
from botocore.config import Config
from mangum import Mangum

import commissioner.lambdas.stream
from admin_api.invocations import lambda_client, run_survey
from admin_api.services import Services
from admin_api.web.app import create_app
from admin_api.web.tokens import TokenVerifier
from commissioner.commissioning import Commissioner
from commissioner.lambdas.stream import StreamProcessor
from commissioner.target_gateway.circuit_breaker import CircuitBreaker
from commissioner.target_gateway.gateway import TargetGateway
from commissioner.target_gateway.sessions import Sessions
from lobby import arrivals, receptionist
from lobby.arrivals import Arrivals
from lobby.aws.clients import CLIENT_CONFIG, LobbyClients, client
from lobby.aws.trust_store import TrustStore
from lobby.doors import registration
from lobby.doors.registration import Bouncer
from lobby.ledger.anchors import Anchors
from lobby.ledger.histories import Histories
from lobby.ledger.store import Ledger
from lobby.ledger.targets import RecentTargets, Targets
from lobby.receptionist import Receptionist
from lobby.wire import notary_bucket
from tests.aws import BUCKET, LOBBY, REGION, WAITING_POLICY, Clock
from tests.functional.admin_api.tokens_for_tests import CLIENT, ISSUER, key_of
from tests.simulation.faults.layer import FaultLayer, Killed

Handler = Callable[[dict[str, Any]], Any]
SURVEYOR: Final = "device-lobby-surveyor"
_CONTEXT: Final = SimpleNamespace(get_remaining_time_in_millis=lambda: 120_000)


class Crashed(Exception):
    """An invocation without an answer."""


class Lambdas:
    """All of them. `new_external_id` is the admin API's."""

    def __init__(self, layer: FaultLayer, clock: Clock, new_external_id: Callable[[], str]) -> None:
        self._layer, self._clock, self._new_external_id = layer, clock, new_external_id
        self._warm: dict[str, Handler] = {}
        self._start: dict[str, Callable[[], Handler]] = {
            "bouncer": self._bouncer,
            "receptionist": self._receptionist,
            "commissioner": self._commissioner,
            "arrivals": self._arrivals,
            "admin-api": self._admin_api,
        }

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """The handler's answer. Raises `Crashed`."""
        with self._layer.running(name):
            try:
                if name not in self._warm:
                    self._warm[name] = self.start(name)
                answer = self._warm[name](event)
            except Killed:
                answer = None
            except Exception as error:
                raise Crashed(f"{name}: {type(error).__name__}: {error}") from error
            if self._layer.dead:
                self._warm.pop(name, None)
                raise Crashed(f"{name} was killed")
        return answer

    def start(self, name: str) -> Handler:
        """One more of them, which knows nothing yet."""
        return self._start[name]()

    def _ledger(self) -> Ledger:
        return Ledger(REGION, self._clock, pause=lambda _attempt: None)

    def _targets(self) -> Targets:
        return Targets(self._new_external_id, self._clock)

    def _bouncer(self) -> Handler:
        clients = LobbyClients()
        trust = TrustStore(clients.iot, clients.s3, BUCKET)
        made = Bouncer(clients.iot, trust, self._ledger(), WAITING_POLICY, self._clock)
        return lambda event: registration.handler(event, None, made)

    def _receptionist(self) -> Handler:
        made = Receptionist(LobbyClients().iot_data, self._ledger())
        return lambda event: receptionist.handler(event, None, made)

    def _commissioner(self) -> Handler:
        clients, ledger = LobbyClients(), self._ledger()
        targets = RecentTargets(self._targets(), self._clock)
        sessions = Sessions(client("sts"), _machines_time)
        gateway = TargetGateway(targets, sessions, CircuitBreaker(self._clock))
        made = Commissioner(ledger, gateway, clients.iot, clients.iot_data)
        processor = StreamProcessor(made, ledger, self._send_to_queue, self._clock)
        return lambda event: commissioner.lambdas.stream.handler(event, _CONTEXT, processor)

    @staticmethod
    def _send_to_queue(keys: dict[str, Any], why: str) -> None:
        raise AssertionError(f"every record can be read, and none makes us fail: {keys}, {why}")

    def _arrivals(self) -> Handler:
        unsigned = CLIENT_CONFIG.merge(Config(signature_version=UNSIGNED))
        made = Arrivals(self._ledger(), self._targets(), lambda region: client("sns", unsigned, region_name=region))
        return lambda event: arrivals.handler(event, None, made)

    def _admin_api(self) -> Handler:
        surveyor = lambda_client(REGION)
        anchors = Anchors(lambda: client("s3"), notary_bucket(LOBBY, REGION))
        services = Services(
            self._ledger(),
            self._targets(),
            lambda target: run_survey(surveyor(), SURVEYOR, target),
            LOBBY,
            REGION,
            lambda: 0.0,
            histories=Histories(self._ledger(), anchors),
            compare=_nobody_compares,
        )
        app: Any = create_app(TokenVerifier(ISSUER, CLIENT, key_of), services)
        gateway = Mangum(app, lifespan="off")
        return lambda event: gateway(event, _CONTEXT)


def _machines_time() -> datetime:
    """What AssumeRole answers with goes by it, in moto."""
    return datetime.now(UTC)


def _nobody_compares(*_: Any) -> Any:
    raise AssertionError("nobody asked for a comparison")
