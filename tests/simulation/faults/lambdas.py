"""The Lambdas: real handlers with real components, started at their first invocation, discarded when killed.

Components are assembled as in their own modules, but with the scenario's clock and without pauses. An invocation
returns the handler's response, or raises `Crashed` if the process was killed or the handler raised.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import count
from types import SimpleNamespace
from typing import Any, Final

from botocore import UNSIGNED
from botocore.config import Config
from mangum import Mangum

import commissioner.lambdas.bell
import commissioner.lambdas.lane
from admin_api.invocations import lambda_client, run_survey
from admin_api.services import Services
from admin_api.web.app import create_app
from admin_api.web.tokens import TokenVerifier
from commissioner.lambdas.bell import Bell
from commissioner.lambdas.lane import MessageHandler, Queues
from commissioner.lambdas.reconciler import RENEWALS
from commissioner.reconciliation.renewal_round import RenewalRound
from lobby import arrivals, connections, receptionist
from lobby.arrivals import Arrivals
from lobby.aws.allocation_hook import invoke
from lobby.aws.clients import CLIENT_CONFIG, LobbyClients, client
from lobby.aws.kms_signer import KmsKeys
from lobby.aws.pacer import Pacer
from lobby.aws.trust_store import TrustStore
from lobby.connections import ConnectionRecorder
from lobby.deployment import NAMES
from lobby.domain.pacing import Pace
from lobby.domain.renewals.renewal import RenewalPolicy
from lobby.domain.targets.profile import Profile, Profiles
from lobby.doors import provisioning, registrar, registration_queue, renewal
from lobby.doors.acceptance import Acceptance
from lobby.doors.admission import Admission
from lobby.doors.allocating import Allocator
from lobby.doors.claim_registrations import ClaimRegistrations
from lobby.doors.issuing import CertificateIssuer
from lobby.doors.provisioning import ProvisioningHook
from lobby.doors.registration import Bouncer
from lobby.doors.registration_messages import FailedRegistrations
from lobby.doors.registration_queue import RegistrationQueue
from lobby.doors.renewal import Renewer
from lobby.doors.unfinished_acceptances import UnfinishedAcceptances
from lobby.doors.unused_certificates import UnusedCertificates
from lobby.ledger.campaigns.manifests import Manifests
from lobby.ledger.connections.device_connections import Connections
from lobby.ledger.enrolments.enrolment_register import Enrolments
from lobby.ledger.enrolments.recent_enrolments import RecentEnrolments
from lobby.ledger.histories.anchors import Anchors
from lobby.ledger.histories.history_verification import Histories
from lobby.ledger.leases import RegistrationLeases
from lobby.ledger.progress import read_progress, save_progress
from lobby.ledger.reader import LedgerReader
from lobby.ledger.standby.standby_routes import EVACUATION_CACHE
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from lobby.receptionist import Receptionist
from tests import sns_messages
from tests.aws import BUCKET, ENVIRONMENT, LOBBY, REGION, WAITING_POLICY, Clock
from tests.clone_watches import clone_watch
from tests.functional.admin_api.user_pool import CLIENT, ISSUER, key_of
from tests.functional.admin_api.webhooks_on_moto import notices_on_moto, webhooks_on_moto
from tests.functional.commissioner.lane_environment import environment_with
from tests.history_key import sign_history
from tests.simulation.faults.injector import FaultInjector, Killed
from tests.simulation.faults.recurring_work import feed, marked_by_nobody, sweep
from tests.user_limits import user_limits

Handler = Callable[[dict[str, Any]], Any]
PROFILES: Final = Profiles.of(Profile(name) for name in ("default", "camera"))
RENEWING: Final = Profiles.of([Profile("default", renewal=RenewalPolicy(30, 10))])
"""The daily round's profiles."""
SURVEYOR: Final = "device-lobby-surveyor"
REGISTRATIONS, UNDELIVERED = ENVIRONMENT["REGISTRATIONS_QUEUE"], ENVIRONMENT["UNDELIVERED_QUEUE"]
TOKENS_URL, EXPRESS_URL = ENVIRONMENT["LANES_QUEUE"], ENVIRONMENT["EXPRESS_QUEUE"]
_CONTEXT: Final = SimpleNamespace(get_remaining_time_in_millis=lambda: 120_000)


class Crashed(Exception):
    """An invocation without a response."""


class Lambdas:
    """All Lambdas. `new_external_id` is for the admin API."""

    def __init__(self, injector: FaultInjector, clock: Clock, new_external_id: Callable[[], str]) -> None:
        self._injector, self._clock, self._new_external_id = injector, clock, new_external_id
        self._warm: dict[str, Handler] = {}
        self._workers = count(1)
        self._start: dict[str, Callable[[], Handler]] = {
            "bouncer": self._bouncer,
            "provisioning": self._provisioning,
            "receptionist": self._receptionist,
            "connections": self._connections,
            "bell": self._bell,
            "commissioner": self._commissioner,
            "arrivals": self._arrivals,
            "admin-api": self._admin_api,
            "renewer": self._renewer,
            "reconciler": self._reconciler,
            "sweeper": lambda: sweep(self._ledger(), clock),
            "campaigns": lambda: feed(self._ledger(), self._targets(), clock),
            "registrar": self._registrar,
        }

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Return the handler's response. Raise `Crashed`."""
        with self._injector.running(name):
            try:
                if name not in self._warm:
                    self._warm[name] = self.start(name)
                answer = self._warm[name](event)
            except Killed:
                answer = None
            except Exception as error:
                raise Crashed(f"{name}: {type(error).__name__}: {error}") from error
            if self._injector.dead:
                self._warm.pop(name, None)
                raise Crashed(f"{name} was killed")
        return answer

    def start(self, name: str) -> Handler:
        """Start another instance, with nothing cached."""
        return self._start[name]()

    def _ledger(self) -> Ledger:
        return Ledger(REGION, self._clock, pause=lambda _attempt: None)

    def _targets(self) -> Targets:
        return Targets(self._new_external_id, self._clock)

    def _bouncer(self) -> Handler:
        clients = LobbyClients()
        trust = TrustStore(clients.iot, clients.s3, BUCKET)
        ledger, enrolments = self._ledger(), RecentEnrolments(Enrolments(self._clock), self._clock)
        admission = Admission(ledger, enrolments, Allocator(self._targets().all, invoke), self._clock)
        bouncer = Bouncer(clients.iot, trust, ledger, admission, WAITING_POLICY, self._clock)
        pacer = Pacer(Pace(5, 5), sleep=lambda _seconds: None)
        failed = FailedRegistrations(lambda: clients.sqs, REGISTRATIONS, UNDELIVERED, spread=lambda: 1.0)
        queue = RegistrationQueue(bouncer, RegistrationLeases(self._clock), pacer, failed, parallel=1)
        return lambda event: registration_queue.handler(event, None, queue)

    def _provisioning(self) -> Handler:
        ledger, enrolments = self._ledger(), RecentEnrolments(Enrolments(self._clock), self._clock)
        admission = Admission(ledger, enrolments, Allocator(self._targets().all, invoke), self._clock)
        hook = ProvisioningHook(LobbyClients().iot, ledger, admission, clock=self._clock)
        return lambda event: provisioning.handler(event, None, hook)

    def _receptionist(self) -> Handler:
        targets = RecentTargets(self._targets(), self._clock, EVACUATION_CACHE)
        handling = Receptionist(LobbyClients().iot_data, self._ledger(), targets, marked_by_nobody)
        return lambda event: receptionist.handler(event, None, handling)

    def _connections(self) -> Handler:
        ledger = self._ledger()
        watch = clone_watch(ledger, self._targets())
        recorder = ConnectionRecorder(ledger, Connections(pause=lambda _attempt: None), watch)
        return lambda event: connections.handler(event, None, recorder)

    def _bell(self) -> Handler:
        bell = Bell(client("sqs"), TOKENS_URL, EXPRESS_URL, lambda: self._clock().timestamp())
        return lambda event: commissioner.lambdas.bell.handler(event, None, bell)

    def _commissioner(self) -> Handler:
        targets = RecentTargets(self._targets(), self._clock)
        environment = environment_with(
            self._ledger(),
            targets,
            self._clock,
            PROFILES,
            sessions_clock=_wall_clock,
            send_to_queue=self._send_to_queue,
            holders=lambda: f"worker {next(self._workers)}",
        )
        messages = MessageHandler(environment, Queues(client("sqs"), TOKENS_URL, EXPRESS_URL))
        return lambda event: commissioner.lambdas.lane.handler(event, _CONTEXT, messages)

    def _renewer(self) -> Handler:
        clients = LobbyClients()
        issuer, prefix = CertificateIssuer(clients.iot, KmsKeys(clients.kms_of)), f"arn:aws:iot:{REGION}:{LOBBY}"
        door = Renewer(clients.iot, clients.iot_data, self._ledger(), issuer, WAITING_POLICY, prefix)
        return lambda event: renewal.handler(event, None, door)

    def _reconciler(self) -> Handler:
        """The daily round, of which only the part of renewals is here."""
        round_ = RenewalRound(self._ledger(), RENEWING, Enrolments(self._clock).all, lambda _at: [], self._clock)

        def resume(_event: dict[str, Any]) -> Any:
            note = read_progress(RENEWALS)
            try:
                return round_.resume(note, lambda: False)
            finally:
                save_progress(RENEWALS, note)

        return resume

    def _registrar(self) -> Handler:
        iot, reader = LobbyClients().iot, LedgerReader()
        unused = UnusedCertificates(REGION, iot, reader, self._clock)
        claims = ClaimRegistrations(iot, "claim", "claim-keys", reader, self._clock)
        acceptance = Acceptance(iot, self._ledger(), WAITING_POLICY, self._clock)
        unfinished = UnfinishedAcceptances(iot, reader, WAITING_POLICY, Pacer(Pace(1000)), self._clock)
        desk = registrar.RegistrarHandler(claims, unused, Enrolments(self._clock), acceptance, unfinished, self._clock)
        return lambda event: registrar.handler(event, _CONTEXT, desk)

    @staticmethod
    def _send_to_queue(certid: str, reason: str) -> None:
        raise AssertionError(f"got the row of {certid} sent to the queue ({reason}), want every row readable")

    def _arrivals(self) -> Handler:
        unsigned = CLIENT_CONFIG.merge(Config(signature_version=UNSIGNED))
        certificates = sns_messages.certificates(self._clock)
        sns = partial(client, "sns", unsigned)
        handling = Arrivals(
            self._ledger(),
            self._targets(),
            lambda region: sns(region_name=region),
            certificates,
            _kept_nowhere,
            marked_by_nobody,
            clone_watch(self._ledger(), self._targets()),
        )
        return lambda event: arrivals.handler(event, None, handling)

    def _admin_api(self) -> Handler:
        surveyor = lambda_client(REGION)
        anchors = Anchors(lambda: client("s3"), NAMES.notary_bucket(LOBBY, REGION))
        services = Services(
            self._ledger(),
            self._targets(),
            lambda target: run_survey(surveyor(), SURVEYOR, target),
            LOBBY,
            REGION,
            lambda: 0.0,
            notices=notices_on_moto(),
            webhooks=webhooks_on_moto(),
            histories=Histories(self._ledger(), anchors),
            profiles=PROFILES,
            **user_limits(),
            sign_history=sign_history,
            store_template=lambda target, _content: f"https://bucket.s3.amazonaws.com/{target.account}?signed",
            manifests=Manifests(lambda: client("s3"), BUCKET),
            start_campaign=_no_comparison,
            approval_above=1000,
            compare=_no_comparison,
            ask_registrar=_no_comparison,
        )
        app: Any = create_app(TokenVerifier(ISSUER, CLIENT, key_of), services)
        gateway = Mangum(app, lifespan="off")
        return lambda event: gateway(event, _CONTEXT)


def _wall_clock() -> datetime:
    """Return the machine's time: moto's AssumeRole uses it."""
    return datetime.now(UTC)


def _kept_nowhere(body: object) -> None:
    raise AssertionError(f"got {body}, want confirmations of registered targets only")


def _no_comparison(*_: Any) -> Any:
    raise AssertionError("got a comparison, want none")
