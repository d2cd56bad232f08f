"""Lambda: processes the messages of the lanes' queues. Only this function registers devices in target accounts.

Each invocation gets one message (the mappings' batch size is 1), and SQS has one message of a lane in flight at a time.
`lanes.messages` decides what to do with a message.
"""

import os
import uuid
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from commissioner.commissioning import Commissioner
from commissioner.lanes.lease import LeaseGuard, ReadGuard
from commissioner.lanes.messages import WorkerEnvironment, handle
from commissioner.lanes.serving import Result, Server
from commissioner.lanes.worker import THREADS
from commissioner.shadow_work import ShadowWork
from commissioner.target_gateway.gateway import TargetGateway
from commissioner.target_gateway.session_policies import commissioning_policy, shadow_reading_policy
from commissioner.target_gateway.sessions import Sessions
from commissioner.token_messages import TokenMessages, Verdict
from lobby.aws.clients import LobbyClients, at_init, client
from lobby.aws.region_clients import RegionClients
from lobby.contracts.lane_tokens import Token, fresh_token_message
from lobby.domain.lanes.lane import Lane, target_of
from lobby.domain.lanes.lane_pace import DEFAULT_RATE
from lobby.errors import NotFound
from lobby.home_guard import at_home_only, nothing_failed
from lobby.ledger.clock import now
from lobby.ledger.connection import connect
from lobby.ledger.lanes.lane_register import Lanes
from lobby.ledger.redrive import unreadable_row
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from lobby.names import Fingerprint
from lobby.profiles import bundled_profiles
from lobby.settings import REMOVE, CommissionerSettings, read_settings

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

logger = Logger(service="commissioner")


@dataclass(frozen=True)
class Queues:
    """`sqs` is the client; `tokens` and `express` are the URLs of the lanes' queues."""

    sqs: "SQSClient"
    tokens: str
    express: str

    def hide(self, token: Token, receipt: str, seconds: int) -> None:
        url = self.express if token.is_express else self.tokens
        self.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=seconds)

    def hand_over(self, lane: Lane, unique: str) -> None:
        self.sqs.send_message(QueueUrl=self.tokens, **fresh_token_message(lane, unique))


class MessageHandler(TokenMessages[Token]):
    """Handles the messages of an invocation."""

    def __init__(self, environment: WorkerEnvironment, queues: Queues) -> None:
        super().__init__(logger)
        self._environment, self._queues = environment, queues

    def decode(self, body: str) -> Token:
        return Token.decode(body)

    def handle(self, token: Token, hide: Callable[[int], None]) -> Verdict:
        return handle(token, self._environment, hide)

    def hide(self, token: Token, receipt: str, seconds: int) -> None:
        self._queues.hide(token, receipt, seconds)

    def hand_over(self, token: Token, unique: str) -> None:
        self._queues.hand_over(token.lane, unique)

    def fields_of(self, token: Token) -> dict[str, Any]:
        return {"lane": token.lane, "express": token.is_express}


def wait_for_any(futures: "list[Future[Result]]", seconds: float) -> None:
    """Wait until a future is done, for at most this many seconds."""
    if futures:
        wait(futures, timeout=seconds, return_when=FIRST_COMPLETED)
    else:
        pause(seconds)


def pause(seconds: float) -> None:
    """Wait for the next slot of the pace, which is less than a second away."""
    wait([Future()], timeout=seconds)


def rate_reader(targets: RecentTargets) -> Callable[[Lane], float]:
    def rate_of(lane: Lane) -> float:
        target = target_of(lane)
        if target is None:
            return DEFAULT_RATE
        try:
            return targets.get(target).rate
        except NotFound:  # its devices fail with a reason, without a call
            return DEFAULT_RATE

    return rate_of


@at_init
def _handler() -> MessageHandler:
    settings = read_settings(CommissionerSettings, os.environ)
    connect()
    clients, ledger, guard = LobbyClients(), Ledger(settings.region), LeaseGuard(now)
    targets = RecentTargets(Targets.read_only())
    removes = settings.left_things == REMOVE
    sessions = Sessions(client("sts"), policy=lambda target: commissioning_policy(target, removal=removes), guard=guard)
    gateway = TargetGateway(targets, sessions, bundled_profiles(), settings.lobby, removes_left=removes)
    reading = Sessions(client("sts"), policy=shadow_reading_policy, guard=ReadGuard(guard))
    shadows = ShadowWork(gateway, TargetGateway(targets, reading, bundled_profiles(), settings.lobby))
    regions = RegionClients.of(settings.region, os.environ)
    commissioner = Commissioner(ledger, gateway, clients.iot, clients.iot_data, regions, shadows)
    sqs = client("sqs")

    def send_to_queue(certid: Fingerprint, reason: str) -> None:
        sqs.send_message(QueueUrl=settings.uncommissioned_queue, MessageBody=unreadable_row(certid, reason))

    environment = WorkerEnvironment(
        ledger,
        Lanes(),
        Server(commissioner, ledger, send_to_queue),
        guard,
        rate_reader(targets),
        lambda: ThreadPoolExecutor(THREADS),
        wait_for_any,
        now,
        lambda: uuid.uuid4().hex,
    )
    return MessageHandler(environment, Queues(sqs, settings.lanes_queue, settings.express_queue))


@at_home_only(nothing_failed)
def handler(event: dict[str, Any], _context: Any, messages: MessageHandler | None = None) -> dict[str, Any]:
    return (messages or _handler()).process(event)
