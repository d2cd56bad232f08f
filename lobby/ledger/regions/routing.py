"""Selects the Region of each call to DynamoDB, in a lobby with several Regions. Each process has one kind of access.

    HOME       reads the own replica and writes it, only while this Region is home
    DOOR       reads and writes the tables of the home Region, never a replica
    RECEPTION  reads the own replica, and writes to the home Region

In a lobby with one Region, `route` returns None and changes nothing. Otherwise it gives every table a client that
checks the lease before each write (`home_fence`) and sends the call to the right Region.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from functools import partial
from threading import Lock
from typing import Any, Final

from aws_lambda_powertools import Logger
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException
from pynamodb.models import Model

from lobby.domain.regions.home import Terms
from lobby.errors import NotHome
from lobby.ledger.connection import aws_session, connection_of
from lobby.ledger.dynamodb_errors import code_of
from lobby.ledger.regions.home_fence import Fence
from lobby.ledger.regions.home_votes import Votes
from lobby.ledger.table_calls import Calls
from lobby.names import Region, parse_region
from lobby.settings import lease_seconds, lobby_regions

_READS: Final = frozenset({"BatchGetItem", "DescribeTable", "GetItem", "Query", "Scan", "TransactGetItems"})
_CONFIG: Final = Config(
    connect_timeout=Calls.connect_timeout_seconds,
    read_timeout=Calls.read_timeout_seconds,
    retries={"mode": "standard", "total_max_attempts": 1 + Calls.max_retry_attempts},
    max_pool_connections=40,
    parameter_validation=False,  # the same as PynamoDB's clients
)
_AWAY: Final = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 2}))
"""Short, because a device waits, and its message is repeated or stays in a queue."""
_REFUSALS: Final = (
    *("AccessDeniedException", "ConditionalCheckFailedException", "TransactionCanceledException"),
    "ValidationException",
)
"""Error codes that only a working Region returns."""
logger = Logger(service="routing")
_AT_HOME: Final[ContextVar[bool | None]] = ContextVar("at_home", default=None)
"""Where the reads of this thread go now: to the home (True), to the own replica (False), or as the access says
(None)."""


class Access(Enum):
    """How a process uses the tables."""

    HOME = "home"
    DOOR = "door"
    RECEPTION = "reception"


class RoutedClient:
    """A client of DynamoDB that sends each call to a Region. `clients` returns the client of one."""

    def __init__(self, fence: Fence, access: Access, clients: Callable[[Region], Any]) -> None:
        self._fence, self._access, self._clients = fence, access, clients
        self._by_region: dict[Region, Any] = {}
        self._lock = Lock()

    def __getattr__(self, name: str) -> Any:
        """Return an attribute that is the same in all Regions, such as the exceptions."""
        return getattr(self._client(self._fence.own), name)

    def _make_api_call(self, operation: str, arguments: dict[str, Any]) -> Any:
        """Make a call. PynamoDB uses no other method for calls."""
        return self._client(self._region(operation))._make_api_call(operation, arguments)

    def batch_get_item(self, **arguments: Any) -> Any:
        return self._make_api_call("BatchGetItem", arguments)

    def _region(self, operation: str) -> Region:
        if operation not in _READS:
            return self._fence.require(here=self._access is Access.HOME).home
        at_home = _AT_HOME.get()
        if (self._access is Access.DOOR) if at_home is None else (at_home and self._access is not Access.HOME):
            return self._fence.home()
        return self._fence.own

    def _client(self, region: Region) -> Any:
        with self._lock:  # botocore's creation of clients is not thread-safe
            if region not in self._by_region:
                self._by_region[region] = self._clients(region)
            return self._by_region[region]


class _Process:
    """The state that `route` has installed in this process."""

    fence: Fence | None = None


def route(access: Access) -> Fence | None:
    """Prepare this process for the lobby's Regions, once. Return None for a lobby with one Region."""
    if _Process.fence is None and lobby_regions(os.environ):
        own, terms = parse_region(os.environ["AWS_REGION"]), Terms(1000 * lease_seconds(os.environ))
        install(Fence(own, Votes(), terms=terms), access)
    return _Process.fence


def install(fence: Fence, access: Access, clients: Callable[[Region], Any] | None = None) -> None:
    """Give every table a client with this access."""
    routed: Any = RoutedClient(fence, access, clients or partial(_new_client, fence.own))
    for model in _models():
        connection_of(model)._client = routed
    _Process.fence = fence


def uninstall() -> None:
    """Use PynamoDB's own clients again."""
    for model in _models():
        connection_of(model)._client = None
    _Process.fence = None


def epoch() -> int | None:
    """Return the epoch of this process's writes; None in a lobby with one Region. Raise `NotHome`."""
    fence = _Process.fence
    return fence.require(here=False).epoch if fence else None


def epoch_began() -> int | None:
    """Return the time since which the home Region is home, in ms since 1970; None for the first home, or in a lobby
    with one Region."""
    fence = _Process.fence
    vote = fence.require(here=False) if fence else None
    return vote.since if vote and vote.epoch > 1 else None


def is_away() -> bool:
    """Return whether another Region is home. Raise `NotHome` NO_HOME."""
    fence = _Process.fence
    return fence is not None and fence.home() != fence.own


@contextmanager
def at_home(*, optional: bool = False) -> Iterator[None]:
    """Read from the home Region in this block, with access RECEPTION. `optional`: in a lobby with several Regions, end
    the block without an error if no Region may write, or the home does not answer."""
    before = _AT_HOME.set(True)
    try:
        yield
    except Exception as error:
        if not optional or not is_unavailable(error):
            raise
        logger.warning("not recorded: no home", extra={"why": str(error)[:200]})
    finally:
        _AT_HOME.reset(before)


@contextmanager
def in_own_replica() -> Iterator[None]:
    """Read from the replica of the own Region in this block, with any access."""
    before = _AT_HOME.set(False)
    try:
        yield
    finally:
        _AT_HOME.reset(before)


def is_unavailable(error: Exception) -> bool:
    """Return whether an error means, in a lobby with several Regions, that no Region may write, or that the home does
    not answer."""
    if _Process.fence is None:
        return False
    if isinstance(error, PynamoDBException):
        return code_of(error) not in _REFUSALS
    return isinstance(error, NotHome | BotoCoreError)


def _models() -> Iterator[type[Model]]:
    """Yield all tables whose modules this process has imported."""
    pending: list[type[Model]] = list(Model.__subclasses__())
    while pending:
        model = pending.pop()
        pending += model.__subclasses__()
        if hasattr(model, "Meta") and getattr(model.Meta, "table_name", None):
            yield model


def _new_client(own: Region, region: Region) -> Any:
    return aws_session().create_client("dynamodb", region, config=_CONFIG if region == own else _AWAY)
