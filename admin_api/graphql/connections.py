"""Connections of devices in the API: the online status, also in lists, and the problems of connections.

When a list needs the first status, it reads the status of all its devices with one call. The index of a list lacks last
hellos and renewals, so the list reads these from the rows of all its devices in the same way. A status of null means
unknown. A client must not show it as offline.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Final

import strawberry

from admin_api.graphql.context import Context
from admin_api.graphql.limits import Resource
from lobby.chunks import chunks
from lobby.domain.connections.connection_problem import ConnectionProblem as Problem
from lobby.domain.connections.connectivity import Connectivity, Online, online_of
from lobby.domain.device import Device
from lobby.errors import InvalidInput
from lobby.ledger.batch_reader import READ_SIZE, read_rows
from lobby.ledger.clock import pause, timestamp
from lobby.ledger.connections.device_connections import Connections
from lobby.names import Fingerprint

MAX_PROBLEMS: Final = 100


class Statuses:
    """The online status of some devices, and their rows, each read together at the first use."""

    def __init__(self, connections: Connections, certids: Sequence[Fingerprint]) -> None:
        self._connections, self._certids = connections, certids
        self._read: dict[Fingerprint, Connectivity] | None = None
        self._rows: dict[Fingerprint, Device] | None = None

    def of(self, device: Device) -> Online:
        if self._read is None:
            self._read = self._connections.statuses(self._certids)
        return online_of(device, self._read.get(device.certid))

    def row(self, certid: Fingerprint, time_is_up: Callable[[], bool]) -> Device | None:
        """Return the device's row. It has the values that the indexes lack, because they change while a device waits or
        exist for few devices. It costs half a read unit for each device of the list."""
        if self._rows is None:
            pages = chunks(self._certids, READ_SIZE)
            rows = [read_rows(page, pause, time_is_up, consistent=False) for page in pages]
            self._rows = {key: row for page in rows for key, row in page.items() if row}
        return self._rows.get(certid)


@strawberry.enum(description="The kinds of connection problems.")
class ProblemCode(Enum):
    CONNECT_DENIED = strawberry.enum_value("CONNECT_DENIED", description="AWS IoT refused the client id.")
    DUPLICATE_CLIENTID = strawberry.enum_value("DUPLICATE_CLIENTID", description="Two clients use one identity.")


@strawberry.type(
    description="A problem of a device's connections. A record counts problems with at most an hour between them, and"
    " is deleted a week after the last."
)
class ConnectionProblem:
    certid: strawberry.ID = strawberry.field(description="The fingerprint of the device.")
    code: ProblemCode = strawberry.field(description="The kind of problem.")
    message: str = strawberry.field(description="A description of the problem, with advice.")
    client_id: str = strawberry.field(description="The client id of the last connection, as the client sent it.")
    place: str = strawberry.field(description="`lobby`, or the target as account/Region.")
    count: int = strawberry.field(description="The number of occurrences since `firstAt`.")
    first_at: str = strawberry.field(description="When the problem occurred first.")
    last_at: str = strawberry.field(description="When the problem occurred last.")


def problem_from(problem: Problem) -> ConnectionProblem:
    return ConnectionProblem(
        certid=strawberry.ID(problem.certid),
        code=ProblemCode(problem.code),
        message=problem.message,
        client_id=problem.clientid,
        place=problem.place,
        count=problem.count,
        first_at=_time(problem.first_at),
        last_at=_time(problem.last_at),
    )


def recent_problems(context: Context, first: int) -> list[ConnectionProblem]:
    """Return the latest connection problems. Raise `InvalidInput` INVALID_COUNT."""
    if not 1 <= first <= MAX_PROBLEMS:
        raise InvalidInput("INVALID_COUNT", f"got {first}, want 1 to {MAX_PROBLEMS}")
    context.quota.consume(Resource.LISTED, first)
    return [problem_from(problem) for problem in context.services.connections.recent_problems(first)]


def _time(at: int) -> str:
    return timestamp(datetime.fromtimestamp(at / 1000, UTC))
