"""The vending door on moto: an enrolment with a token, the authorizer and the Lambda behind it."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from lobby.aws.kms_signer import KmsKeys
from lobby.aws.parameters import Parameter
from lobby.domain.device import Device
from lobby.domain.doors.vending_settings import parse_settings
from lobby.domain.enrolments.enrolment import Door, Match
from lobby.domain.enrolments.enrolment_token import Credentials, EnrolmentToken, digest_of, new_credentials
from lobby.domain.name_patterns import parse_name_pattern
from lobby.doors import vending_authorizer, vending_requests
from lobby.doors.allocating import Allocator
from lobby.doors.issuing import CertificateIssuer
from lobby.doors.vending import Vending
from lobby.doors.vending_authorizer import Authorizer
from lobby.ledger.clock import timestamp
from lobby.ledger.enrolments.enrolment_tokens import EnrolmentTokens
from lobby.ledger.enrolments.token_failures import TokenFailures
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import Targets
from lobby.names import EnrolmentName, ThingName
from tests import aws
from tests import certificates as make
from tests.aws import REGION, Calls, Clock
from tests.functional.lobby.enrolled_lobby import PUMPS, Lobby

PARAMETER: Final = "/device-lobby/vending"
ROOTS: Final = tuple(make.authority(f"Root {number}", number=90 + number).pem for number in (1, 2))
SOURCE: Final = "192.0.2.7"
PUMP_NAMES: Final = Match(name_pattern=parse_name_pattern("pump-*"))


def settings_of(**more: Any) -> str:
    return json.dumps(
        {
            "AWS_ROOT_CA": {"PREFERRED": ROOTS[0], "BACKUP": ROOTS[1]},
            "POLICIES": {"default": {"name": aws.WAITING_POLICY}},
            "ATTRIBUTES": {"default": [{"name": "version"}]},
        }
        | more
    )


@dataclass
class Answer:
    """A response of the API."""

    status: int
    body: dict[str, Any] = field(repr=False)

    @property
    def code(self) -> str | None:
        return self.body.get("code")

    @property
    def pem(self) -> str:
        assert self.status == 200, self.body
        return str(self.body["certificateData"]["pem"])


class VendingLobby(Lobby):
    """A lobby with an enrolment of door `token`, for things with the names pump-…"""

    def __init__(self, calls: Calls, clock: Clock, ledger: Ledger) -> None:
        super().__init__(calls, clock, ledger)
        self.ssm, self.tokens = aws.client("ssm"), EnrolmentTokens(clock)
        self.configure(settings_of())
        self.new_lambdas()

    def new_lambdas(self) -> None:
        """Start the Lambdas again: their caches are empty."""
        ledger = Ledger(REGION, self.clock, pause=lambda _attempt: None)
        parameter = Parameter(lambda: self.ssm, PARAMETER, parse_settings, self.clock)
        allocator = Allocator(Targets.read_only().all, self.invoke)
        issuer = CertificateIssuer(self.iot, KmsKeys(lambda _region: aws.client("kms")), self.clock)
        vending = Vending(self.iot, ledger, allocator, parameter.value, issuer, self.clock)
        self.door = vending_requests.Door(vending, parameter.value, lambda: "lobby.example.com:9883")
        self.authorizer = Authorizer(TokenFailures(self.clock), self.clock)

    def configure(self, value: str) -> None:
        with self.calls.uncounted():
            self.ssm.put_parameter(Name=PARAMETER, Value=value, Type="String", Overwrite=True)

    def enrol_pumps(self, name: str = PUMPS, **more: Any) -> None:
        self.enrol(name, PUMP_NAMES, door=Door.TOKEN, **more)

    def token(self, enrolment: str = PUMPS, uses: int = 1, name: str | None = None, days: float = 7) -> Credentials:
        """Create a token."""
        credentials = new_credentials(EnrolmentName(enrolment), _counting)
        token = EnrolmentToken(
            credentials.id,
            digest_of(credentials.secret),
            "user:ann",
            self.now(),
            timestamp(self.clock() + timedelta(days=days)),
            uses,
            ThingName(name) if name else None,
        )
        with self.calls.uncounted():
            self.tokens.create(token)
        return credentials

    def authorize(self, header: str | None, source: str = SOURCE) -> bool:
        event = {
            "headers": {} if header is None else {"authorization": header},
            "requestContext": {"http": {"method": "POST", "sourceIp": source}},
        }
        answer = vending_authorizer.handler(event, None, self.authorizer)
        return bool(answer["isAuthorized"])

    def post(self, credentials: Credentials, body: Any, **more: Any) -> Answer:
        """Send a request, as API Gateway does."""
        if not self.authorize(f"{credentials.id} {credentials.secret}"):
            return Answer(403, {"message": "Forbidden"})
        return self.send(credentials, body, **more)

    def send(
        self, credentials: Credentials, body: Any, *, method: str = "POST", content_type: str = "application/json"
    ) -> Answer:
        """Deliver a request whose token was verified."""
        event = {
            "headers": {"content-type": content_type, "authorization": f"{credentials.id} {credentials.secret}"},
            "requestContext": {
                "http": {"method": method, "sourceIp": SOURCE},
                "authorizer": {"lambda": {"token": credentials.id}},
            },
            "body": body if isinstance(body, str) else json.dumps(body),
            "isBase64Encoded": False,
        }
        response = vending_requests.handler(event, None, self.door)
        return Answer(response["statusCode"], json.loads(response["body"]))

    def register(self, credentials: Credentials, name: str = "pump-1", key: int | None = 0) -> Answer:
        """Request a certificate, with a CSR of the key with this number."""
        body = {"thingName": name, "version": "1.0"}
        return self.post(credentials, body | ({"csr": make.signing_request(name, key)} if key is not None else {}))

    def vended(self, pem: str) -> Device:
        device = self.ledger.get(make.fingerprint_of(pem))
        assert device is not None
        return device

    def connected(self, pem: str) -> None:
        """Record the device's first hello."""
        with self.calls.uncounted():
            self.ledger.hello(self.vended(pem), "1.0", "service:receptionist")

    def uses(self, credentials: Credentials) -> tuple[int, int]:
        """Return the uses of a token, and the certificates that it has issued."""
        with self.calls.uncounted():
            [found] = [each for each in self.tokens.of_enrolment(PUMPS) if each.id == credentials.id]
        return found.uses, found.issued

    def refusals(self) -> dict[str, int]:
        with self.calls.uncounted():
            return dict(self.enrolments.refusals().get(PUMPS, {}))


_count = iter(range(10**9))


def _counting(size: int) -> bytes:
    number: int = next(_count) * 0x9E3779B97F4A7C15F39CC0605CEDC834 % 256**size
    return number.to_bytes(size)
