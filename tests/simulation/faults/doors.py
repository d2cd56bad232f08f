"""The doors that issue certificates, under faults: a device with a token repeats its request to the vending door until
it gets an answer, and a user and a timer call the registrar.

The scenarios of `scenarios` compare outcomes by fingerprint. Here AWS IoT issues a certificate with each attempt, so a
fault leads to another fingerprint, and `problems` states what must be true of every outcome instead.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from lobby.aws.allocation_hook import HookFailed
from lobby.aws.kms_signer import KmsKeys
from lobby.aws.pacer import Pacer
from lobby.aws.parameters import Parameter
from lobby.contracts.claim_certificates import AddClaimCertificate, AlignClaimCertificates
from lobby.domain.doors.vending_settings import parse_settings
from lobby.domain.enrolments.allocation import Allocation, Share
from lobby.domain.enrolments.enrolment import Door, Enrolment, EnrolmentEvent, EnrolmentState, Match, Repeat
from lobby.domain.enrolments.enrolment_token import Credentials, EnrolmentToken, digest_of, new_credentials
from lobby.domain.history.history_audit import first_broken_entry
from lobby.domain.pacing import Pace
from lobby.domain.states import State
from lobby.doors import registrar, vending_authorizer, vending_requests
from lobby.doors.acceptance import Acceptance
from lobby.doors.allocating import Allocator
from lobby.doors.claim_registrations import ClaimRegistrations
from lobby.doors.issuing import CertificateIssuer
from lobby.doors.unfinished_acceptances import UnfinishedAcceptances
from lobby.doors.unused_certificates import UnusedCertificates
from lobby.doors.vending import Vending
from lobby.doors.vending_authorizer import Authorizer
from lobby.ledger.enrolments.claim_certificates import ClaimCertificates
from lobby.ledger.enrolments.enrolment_register import Enrolments
from lobby.ledger.enrolments.enrolment_tokens import EnrolmentTokens
from lobby.ledger.enrolments.token_failures import TokenFailures
from lobby.ledger.reader import LedgerReader
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import Targets
from lobby.names import EnrolmentName, Fingerprint, ThingName
from tests import aws
from tests import certificates as make
from tests.aws import REGION, WAITING_POLICY, Clock
from tests.simulation.faults.devices import A
from tests.simulation.faults.injector import FaultInjector, Killed

PUMPS: Final = EnrolmentName("pumps")
PUMP: Final = ThingName("pump-1")
POLICY, KEYS_POLICY = "device-lobby-claim", "device-lobby-claim-keys"
PARAMETER: Final = "/device-lobby/vending"
ATTEMPTS: Final = 4
SETTINGS: Final = json.dumps(
    {
        "AWS_ROOT_CA": {name: make.authority(name, number=90).pem for name in ("PREFERRED", "BACKUP")},
        "POLICIES": {"default": {"name": WAITING_POLICY}},
        "ATTRIBUTES": {"default": [{"name": "version"}]},
    }
)


@dataclass
class Run:
    """A run of a Lambda's work under a plan of faults. `started` makes the Lambda again after each failure, with
    nothing cached, as Lambda does after a crash."""

    injector: FaultInjector
    clock: Clock = field(default_factory=Clock)

    def until_answered(self, name: str, work: Callable[[], Any]) -> Any:
        """Return the first answer. Raise `AssertionError` if there is none."""
        for _ in range(ATTEMPTS):
            with self.injector.running(name):
                try:
                    answer = work()
                except (Exception, Killed):  # noqa: BLE001  # whatever it is, the caller asks again
                    answer = None
                dead = self.injector.dead
            if answer is not None and not dead:
                return answer
            self.clock.advance(seconds=30)
        raise AssertionError(f"got no answer of {name}, want one after {ATTEMPTS} attempts")


@cache
def credentials() -> Credentials:
    return new_credentials(PUMPS, lambda size: b"\x05" * size)


def vending_lobby() -> None:
    """A lobby with a target, and an enrolment of door `token` whose rule claims its one device, with a token."""
    clock = Clock()
    Targets(lambda: "e" * 32, clock).register(A, "A", ("default",), "setup")
    at = clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    enrolment = Enrolment(
        PUMPS, Door.TOKEN, Match(), "user:ann", at, limit=1, allocation=Allocation((Share(A),)), model="default"
    )
    Enrolments(clock).create(enrolment)
    secret = credentials()
    token = EnrolmentToken(secret.id, digest_of(secret.secret), "user:ann", at, "2099-01-01T00:00:00.000Z", 1, None)
    EnrolmentTokens(clock).create(token)
    aws.client("ssm").put_parameter(Name=PARAMETER, Value=SETTINGS, Type="String", Overwrite=True)


def request_certificate(run: Run) -> Any:
    """The device sends its request until it gets a certificate, and the answer's certificate is returned."""

    def ask() -> Any:
        secret, http = credentials(), {"http": {"method": "POST", "sourceIp": "192.0.2.7"}}
        header = {"authorization": f"{secret.id} {secret.secret}", "content-type": "application/json"}
        authorizer = Authorizer(TokenFailures(run.clock), run.clock)
        event = {"headers": header, "requestContext": http}
        if not vending_authorizer.handler(event, None, authorizer)["isAuthorized"]:
            return None
        body = {"thingName": PUMP, "version": "1", "csr": make.signing_request(PUMP, 0)}
        event |= {"body": json.dumps(body), "isBase64Encoded": False}
        event["requestContext"] = http | {"authorizer": {"lambda": {"token": secret.id}}}
        answer = vending_requests.handler(event, None, _vending(run))
        return json.loads(answer["body"]) if answer["statusCode"] == 200 else None

    return run.until_answered("vending", ask)["certificateData"]["pem"]


def _vending(run: Run) -> vending_requests.Door:
    ssm, iot = aws.client("ssm"), aws.client("iot")
    parameter = Parameter(lambda: ssm, PARAMETER, parse_settings, run.clock)
    ledger = Ledger(REGION, run.clock, pause=lambda _attempt: None)
    allocator = Allocator(Targets.read_only().all, _no_function)
    issuer = CertificateIssuer(iot, KmsKeys(lambda _region: aws.client("kms")), run.clock)
    vending = Vending(iot, ledger, allocator, parameter.value, issuer, run.clock)
    return vending_requests.Door(vending, parameter.value, lambda: "lobby.example.com")


def vending_problems(pem: str) -> list[str]:
    """Return what is wrong after the device has got `pem`."""
    certid, reader, found = make.fingerprint_of(pem), LedgerReader(), list[str]()
    rows = [row for row in aws.tables()["device-lobby-ledger"] if row["devstate"]["S"] != State.REVOKED]
    device = reader.get(certid)
    enrolment, [token] = Enrolments().get(PUMPS), EnrolmentTokens.of_enrolment(PUMPS)
    registry = aws.registry()
    expected = {
        "rows": ([row["certid"]["S"] for row in rows], [certid]),
        "state": (device and (device.devstate, device.target), (State.CLAIMED, A)),
        "holder": (reader.name_holder(PUMP), certid),
        "admitted": (enrolment.admitted, 1),
        "uses": (token.uses, 1),
        "active": (_active(), [certid]),
        "with a policy": (_with_policy(registry), [certid]),
        "things": (list(registry["things"]), [PUMP]),
        "counts": (aws.counts(), aws.recounted()),
    }
    found += [f"{what}: got {got}, want {want}" for what, (got, want) in expected.items() if got != want]
    return found + _history_problems(certid)


def claim_lobby() -> None:
    """A lobby with an enrolment of door `claim`."""
    clock = Clock()
    for policy in (POLICY, KEYS_POLICY):
        aws.client("iot").create_policy(policyName=policy, policyDocument="{}")
    at = clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    enrolment = Enrolment(PUMPS, Door.CLAIM, Match(), "user:ann", at, limit=3, repeat=Repeat.REFUSE)
    Enrolments(clock).create(enrolment)


@cache
def claim_pem() -> str:
    return make.pem_of(make.device(make.authority(number=7), "pumps claim", number=60, serial=7000))


def claim_lobby_with_certificate() -> None:
    claim_lobby()
    _handler(Clock()).claims.add(AddClaimCertificate(PUMPS, "user:ann", None, claim_pem()))


def ask_registrar(event: dict[str, Any]) -> Callable[[Run], None]:
    """Return the scenario in which a user's request is sent until it is answered, and then the timer runs."""

    def act(run: Run) -> None:
        run.until_answered("registrar", lambda: registrar.handler(event, None, _handler(run.clock)) or {})
        let_timer_run(run)

    return act


def change_enrolment(event: EnrolmentEvent) -> Callable[[Run], None]:
    """Return the scenario in which an enrolment changes, the API asks the registrar, and then the timer runs."""

    def act(run: Run) -> None:
        Enrolments(run.clock).set_state(PUMPS, event, "user:ann")
        ask_registrar(AlignClaimCertificates(PUMPS).encode())(run)

    return act


def let_timer_run(run: Run) -> None:
    """The timer's runs: one that a fault may interrupt, and the next."""
    run.until_answered("registrar", lambda: _handler(run.clock).run(lambda: False))
    _handler(run.clock).run(lambda: False)


def registrar_problems(active: int) -> list[str]:
    """Return what is wrong: each claim certificate is active exactly if its enrolment can admit, and nothing else is.
    There are to be so many active ones."""
    enrolment, recorded = Enrolments().get(PUMPS), ClaimCertificates().of(PUMPS)
    usable = [each.certid for each in recorded if each.revokedat is None]
    wanted = usable if enrolment.state is EnrolmentState.ACTIVE else []
    unrecorded = set(_with_policy(aws.registry())) - {each.certid for each in recorded}
    expected: dict[str, tuple[object, object]] = {
        "number of active ones": (len(wanted), active),
        "active": (_active(), wanted),
        "recorded as active": ([each.certid for each in recorded if each.activity == "active"], wanted),
        "recorded": (len(recorded), 1),
        "unrecorded with a policy": (unrecorded, set()),
    }
    return [f"{what}: got {got}, want {want}" for what, (got, want) in expected.items() if got != want]


def _handler(clock: Clock) -> registrar.RegistrarHandler:
    iot, reader = aws.client("iot"), LedgerReader()
    claims = ClaimRegistrations(iot, POLICY, KEYS_POLICY, reader, clock)
    unused = UnusedCertificates(REGION, iot, reader, clock)
    acceptance = Acceptance(iot, Ledger(REGION, clock), WAITING_POLICY, clock)
    unfinished = UnfinishedAcceptances(iot, reader, WAITING_POLICY, Pacer(Pace(1000)), clock)
    return registrar.RegistrarHandler(claims, unused, Enrolments(clock), acceptance, unfinished, clock)


def _active() -> list[str]:
    return sorted(certid for certid, status in aws.registry()["certificates"].items() if status == "ACTIVE")


def _with_policy(registry: dict[str, Any]) -> list[str]:
    return sorted({principal.rpartition("/")[2] for principal, _policy in registry["policies"]})


def _history_problems(certid: Fingerprint) -> list[str]:
    reader = LedgerReader()
    device, entries = reader.get(certid), list(reader.history(certid))
    version, head = (device.version, device.head) if device else (None, None)
    broken = first_broken_entry(entries, version=version, head=head)
    return [] if broken is None else [f"the history of {certid} is invalid"]


def _no_function(function: str, _question: object) -> Any:
    raise HookFailed(f"{function} gave no answer")
