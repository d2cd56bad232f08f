"""Onboards many devices while the caller kills the service, and checks that nothing is lost.

An operator claims every device and repeats the request until it is answered: a third before they are started, the rest
while they wait. Devices that failed or make no progress are retried by the operator, as in production. An acknowledged
write must persist: no row that was read may be missing later, no version may decrease, no claim may be undone.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import boto3
import httpx
from botocore.exceptions import BotoCoreError, ClientError

from infra.local.api import ApiRefused
from infra.local.demo import CLAIM, HISTORY
from lobby.domain.states import State
from lobby.ledger.models import LedgerRow
from lobby.names import Fingerprint, Target
from tests.e2e.deployment import RETRY

UNAVAILABLE: Final = (httpx.HTTPError, BotoCoreError, ClientError)
"""Errors of requests to a service that is down or starting."""
_TABLE: Final = LedgerRow.Meta.table_name
_POLL: Final = 0.5
_UNANSWERED: Final = ("INTERNAL", "500", "502", "503", "504")


@dataclass
class Row:
    """State and version of a device's ledger row."""

    state: str
    version: int


@dataclass
class KillRun:
    """`ask` sends GraphQL as an operator. `session` belongs to the lobby's account. `timeout`: seconds that
    `until_arrived` may take. `stuck_after`: seconds without progress after which the operator retries a device."""

    certids: Sequence[Fingerprint]
    target: Target
    ask: Callable[..., Any]
    session: boto3.Session
    timeout: float = 900
    stuck_after: float = 20
    claimed: set[str] = field(default_factory=set)
    retried: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    _rows: dict[str, Row] = field(default_factory=dict)
    _changed_at: dict[str, float] = field(default_factory=dict)

    def claim_a_third(self) -> None:
        """Claim the first third of the devices."""
        for certid in self.certids[: len(self.certids) // 3]:
            while not self._claim(certid):
                time.sleep(_POLL)

    def until_arrived(self, count: int) -> None:
        """Claim, retry and check rows until `count` devices have arrived. Raise `TimeoutError` with the states."""
        deadline = time.monotonic() + self.timeout
        while self.states()["arrived"] < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{count} have not arrived within {self.timeout:.0f} s: {self.states()}")
            self.check_rows()
            self._claim_waiting()
            self._retry_stuck()
            time.sleep(_POLL)

    def states(self) -> Counter[str]:
        """Return the number of devices by state."""
        return Counter(row.state for row in self._rows.values())

    def check_rows(self) -> None:
        """Read the rows. Record in `lost` those that are missing or have a lower version than before."""
        try:
            rows = self._read_rows()
        except UNAVAILABLE:
            return
        for certid, before in self._rows.items():
            now = rows.get(certid)
            if now is None or now.version < before.version:
                self.lost.append(f"{certid} was {before}, is {now}")
        for certid, row in rows.items():
            if row != self._rows.get(certid):
                self._changed_at[certid] = time.monotonic()
        self._rows = rows

    def _read_rows(self) -> dict[str, Row]:
        wanted = set(self.certids)
        client: Any = self.session.client("dynamodb")
        pages = client.get_paginator("scan").paginate(
            TableName=_TABLE, ProjectionExpression="certid, devstate, version", ConsistentRead=True
        )
        return {
            item["certid"]["S"]: Row(item["devstate"]["S"], int(item["version"]["N"]))
            for page in pages
            for item in page["Items"]
            if item["certid"]["S"] in wanted
        }

    def _claim(self, certid: str) -> bool:
        """Claim the device. Return whether the request was answered."""
        try:
            self.ask(CLAIM, id=certid, account=self.target.account, region=self.target.region)
        except UNAVAILABLE:
            return False
        except ApiRefused as refused:
            if refused.code not in _UNANSWERED:
                raise
            return False
        self.claimed.add(certid)
        return True

    def _claim_waiting(self) -> None:
        """Claim up to ten waiting devices: about the number that an operator can claim between two polls."""
        waiting = [c for c, row in self._rows.items() if row.state in ("knocking", "inlobby") and c not in self.claimed]
        for certid in waiting[:10]:
            if not self._claim(certid):
                return

    def _retry_stuck(self) -> None:
        """Retry devices that failed, or have made no progress between claim and arrival."""
        now = time.monotonic()
        for certid, row in self._rows.items():
            stuck = now - self._changed_at[certid] > self.stuck_after
            if row.state == State.FAILED or (stuck and row.state in (State.CLAIMED, State.COMMISSIONED)):
                try:
                    self.ask(RETRY, id=certid)
                except (*UNAVAILABLE, ApiRefused):
                    return
                self._changed_at[certid] = now
                self.retried[row.state] += 1

    def invalid_histories(self) -> list[str]:
        """Return the devices whose history is invalid, or does not contain exactly one admission and one claim."""
        lines = []
        for certid in self.certids:
            device = self.ask(HISTORY, id=certid)["device"]
            events = Counter(entry["event"] for entry in device["history"])
            if not device["historyIntact"] or [events[each] for each in ("admit", "claim")] != [1, 1]:
                lines.append(f"{certid}: {dict(events)}, intact: {device['historyIntact']}")
        return lines

    def inactive_certificates(self, clients: Callable[[Target], Any], lobby: Target) -> list[str]:
        """Return the certificates that are not ACTIVE in the lobby or in the target."""
        lines = []
        for where in (lobby, self.target):
            iot = clients(where)
            for certid in self.certids:
                status = iot.describe_certificate(certificateId=certid)["certificateDescription"]["status"]
                lines += [f"{certid} is {status} in {where}"] if status != "ACTIVE" else []
        return lines
