"""The admin API on moto: tables, signed tokens, and events and responses in API Gateway's format."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from mangum import Mangum
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.iot.models import iot_backends
from moto.s3.models import s3_backends

from admin_api.operations.regions import MultiRegionServices
from admin_api.services import Services
from admin_api.web.app import create_app
from admin_api.web.graphql_http import TEXT_TYPES
from admin_api.web.tokens import TokenVerifier
from lobby.contracts.targets import Comparison, Survey, SurveyFinding
from lobby.deployment import NAMES
from lobby.domain.identity import Identity
from lobby.domain.targets.profile import Profile, Profiles
from lobby.domain.targets.target import PLACEHOLDER_EXTERNAL_ID, profile_policy
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict
from lobby.ledger.campaigns.campaign_register import Campaigns
from lobby.ledger.campaigns.manifests import Manifests
from lobby.ledger.enrolments.enrolment_register import Enrolments
from lobby.ledger.enrolments.serial_lists import SerialLists
from lobby.ledger.histories.anchors import Anchors
from lobby.ledger.histories.history_verification import Histories
from lobby.ledger.models import MODELS
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import Targets
from lobby.names import CampaignName, Fingerprint, Target, ThingName, parse_account, parse_region, parse_target
from tests import direct_dynamodb, fast_moto
from tests.aws import create_tables
from tests.functional.admin_api.registrar_here import CLAIM_POLICIES, LOBBY_POLICY, ask_here
from tests.functional.admin_api.user_pool import CLIENT, ISSUER, REGION, key_of, token
from tests.functional.admin_api.webhooks_on_moto import notices_on_moto, webhooks_on_moto
from tests.history_key import sign_history
from tests.operations import CODE
from tests.user_limits import user_limits

GATEWAY = Profile("gateway", enrolment_attributes=("batch", "site"), enrolment_groups=("lot-7",))
PROFILES = Profiles.of([Profile("default"), Profile("camera"), GATEWAY])
TEMPLATES: dict[str, Any] = {
    "role": {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": "lobby_commissioner_role",
                    "AssumeRolePolicyDocument": {"ExternalId": PLACEHOLDER_EXTERNAL_ID},
                    "Policies": [],
                },
            }
        }
    },
    "region": {
        "Resources": {
            name: {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": name, "PolicyDocument": {}}}
            for name in map(profile_policy, PROFILES.by_name)
        }
    },
}
"""The generic template of a target, shortened."""
HERE = parse_target("111111111111", "eu-west-1")
THERE = parse_target("222222222222", "us-east-1")
NOTARY_BUCKET = NAMES.notary_bucket(parse_account("999999999999"), parse_region(REGION))
SURVEYED = Survey((SurveyFinding("sts:AssumeRole", True, "assumed"),), "a-ats.iot.example")
EXTERNAL_ID = "c0ffee00c0ffee00c0ffee00c0ffee00"


def event_of(
    body: Any,
    *,
    authorization: str | None,
    method: str = "POST",
    path: str = "/graphql",
    query: str = "",
    content_type: str = "application/json",
) -> dict[str, Any]:
    """Return an event in payload format 2.0 (API Gateway developer guide, "Payload format version 2.0")."""
    headers = {"content-type": content_type, "host": "api.example"}
    if authorization is not None:
        headers["authorization"] = authorization
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "api",
            "requestId": "request-1",
            "stage": "$default",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": ""},
        },
        "body": body if isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        assert "errors" not in self.body, self.body
        data: dict[str, Any] = self.body["data"]
        return data

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.body.get("errors", [])]

    @property
    def code(self) -> str:
        (only,) = self.codes
        return str(only)


MANIFESTS = "manifests"  # the bucket


@dataclass
class Lobby:
    """The API and its services: a real ledger, and recorded surveys and comparisons."""

    ledger: Ledger
    targets: Targets
    anchors: Anchors
    surveys: dict[Target, Survey] = field(default_factory=dict)
    surveyed: list[Target] = field(default_factory=list)
    comparisons: dict[tuple[Target, str | None], Comparison | Conflict] = field(default_factory=dict)
    compared: list[tuple[Target, str | None, str | None]] = field(default_factory=list)
    enrolments: Enrolments = field(default_factory=Enrolments)
    serial_lists: SerialLists = field(default_factory=SerialLists)
    removes_left_things: bool = False
    started: list[CampaignName] = field(default_factory=list)
    """The campaigns whose feeder was started."""
    approval_above: int = 1000
    multi_region: MultiRegionServices | None = None
    seconds: Iterator[float] | None = None
    """The successive readings of the clock; the last one repeats. None: the clock does not advance."""
    _now: float = 0.0

    def __post_init__(self) -> None:
        self.campaigns = Campaigns()
        self.manifests = Manifests(_s3, MANIFESTS)
        self.services = Services(
            self.ledger,
            self.targets,
            self.survey,
            parse_account("999999999999"),
            self.multi_region.fence.own if self.multi_region else parse_region(REGION),
            self.clock,
            notices=notices_on_moto(),
            webhooks=webhooks_on_moto(),
            histories=Histories(self.ledger, self.anchors),
            profiles=PROFILES,
            template_source=lambda: TEMPLATES,
            store_template=lambda target, _content: f"https://bucket.s3.amazonaws.com/{target.account}?signed",
            compare=self.compare,
            enrolments=self.enrolments,
            serial_lists=self.serial_lists,
            ask_registrar=ask_here,
            removes_left_things=self.removes_left_things,
            campaigns=self.campaigns,
            manifests=self.manifests,
            start_campaign=lambda campaign: self.started.append(campaign.name),
            approval_above=self.approval_above,
            **user_limits(),
            sign_history=sign_history,
            multi_region=self.multi_region,
        )
        app = create_app(TokenVerifier(ISSUER, CLIENT, key_of), self.services)
        self.lambda_handler = Mangum(app, lifespan="off", text_mime_types=TEXT_TYPES)  # type: ignore[arg-type]  # Mangum wants a Coroutine where ASGI says Awaitable

    def clock(self) -> float:
        self._now = next(self.seconds, self._now) if self.seconds else 0.0
        return self._now

    def survey(self, target: Target) -> Survey:
        self.surveyed.append(target)
        return self.surveys.get(target, SURVEYED)

    def compare(self, target: Target, cursor: str | None, repair_as: str | None) -> Comparison:
        self.compared.append((target, cursor, repair_as))
        if isinstance(page := self.comparisons.get((target, cursor), Comparison(0, (), None)), Conflict):
            raise page
        return page

    def send(self, body: Any, authorization: str | None = None, **how: Any) -> Response:
        response = self.lambda_handler(event_of(body, authorization=authorization, **how), None)  # type: ignore[arg-type]  # the Lambda context is unused
        return Response(response["statusCode"], response["headers"], json.loads(response["body"]))

    def ask(
        self, query: str, variables: dict[str, Any] | None = None, groups: tuple[str, ...] = ("operator",)
    ) -> Response:
        return self.send({"query": query, "variables": variables}, f"Bearer {token(*groups)}")

    def admit(self, number: int, name: str | None = None) -> Fingerprint:
        """Admit a device, which is then in state knocking."""
        certid = fingerprint(number)
        self.ledger.admit(Identity(certid, ThingName(name or f"thing-{number:03}"), "-----PEM-----"), "bouncer")
        return certid

    def require_presence(self, target: Target, *, presence: bool = True) -> None:
        """Require proof of presence for later claims for this target."""
        self.targets.register(target, f"Guarded in {target.region}", (), "setup", presence)

    def proving(self, number: int, target: Target = HERE) -> Fingerprint:
        """Claim a device for a target with presence; the device shows `CODE`."""
        certid = self.waiting(number)
        self.ledger.claim(certid, ClaimRequest(target, presence=True), "user:someone")
        return certid

    def waiting(self, number: int, name: str | None = None, *, shows_code: bool = True) -> Fingerprint:
        """Admit a device and record its hello, so that it waits in the lobby."""
        certid = self.admit(number, name)
        device = self.ledger.get(certid)
        assert device is not None
        self.ledger.hello(device, "1.0", "receptionist", shows_code=shows_code)
        return certid


@contextmanager
def counted() -> Iterator[list[str]]:
    """Record the operation names of the AWS calls made in the context."""
    calls: list[str] = []
    original = BaseClient._make_api_call  # type: ignore[attr-defined]  # PynamoDB and boto3 both call it

    def make_api_call(client: BaseClient, operation: str, params: dict[str, Any]) -> Any:
        calls.append(operation)
        return original(client, operation, params)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", make_api_call)
        yield calls


def at(target: object) -> dict[str, str]:
    """Return a target as GraphQL variables."""
    account, region = str(target).split("/")
    return {"account": account, "region": region}


def fingerprint(number: int) -> Fingerprint:
    return Fingerprint(f"{number:064x}")


@contextmanager
def ledger_on_moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    for name, value in {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # pragma: allowlist secret
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    fast_moto.install()
    direct_dynamodb.install(monkeypatch)
    with mock_aws(config={"iot": {"use_valid_cert": True}}):
        create_tables()
        _s3().create_bucket(Bucket=NOTARY_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        _s3().put_bucket_versioning(Bucket=NOTARY_BUCKET, VersioningConfiguration={"Status": "Enabled"})
        _s3().create_bucket(Bucket=MANIFESTS, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield Ledger(parse_region(REGION), new_code=lambda: CODE)


def fresh_lobby(ledger: Ledger) -> Lobby:
    """Return a lobby with two targets, empty tables otherwise, and no anchors."""
    s3_backends[ACCOUNT_ID]["aws"].buckets[NOTARY_BUCKET].keys.clear()
    for model in MODELS:
        dynamodb_backends[ACCOUNT_ID][REGION].tables[model.Meta.table_name].items.clear()
    iot_backends[ACCOUNT_ID][REGION].reset()
    for policy in (*CLAIM_POLICIES, LOBBY_POLICY):
        iot_backends[ACCOUNT_ID][REGION].create_policy(policy, {})
    targets = Targets(lambda: EXTERNAL_ID)
    targets.register(HERE, "Here", ("default", "camera"), "setup")
    targets.register(THERE, "There", ("default",), "setup")
    return Lobby(ledger, targets, Anchors(_s3, NOTARY_BUCKET))


@cache
def _s3() -> Any:
    return boto3.client("s3", region_name=REGION)
