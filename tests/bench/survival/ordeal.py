"""Onboards many devices while the service is killed in the middle of it, and says what became of each.

People claim every device until they are answered: a third before it is powered, the rest as it waits. The service is
killed when so many have arrived; who then shows a reason, or stands still, is retried by an operator, as in the field.
What was answered once must be there afterwards: no row that was seen is gone, no history shorter, no claim undone.
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

DOWN: Final = (httpx.HTTPError, BotoCoreError, ClientError)
"""What those who ask hear of a service that is down, or just coming."""
_TABLE: Final = LedgerRow.Meta.table_name
_LOOK: Final = 0.5
_UNANSWERED: Final = ("INTERNAL", "500", "502", "503", "504")


@dataclass
class Row:
    """What a device's row says of it."""

    state: str
    version: int


@dataclass
class Ordeal:
    """`ask` is GraphQL as an operator, whoever is signed in at the moment; `session` of the lobby's account.
    `stands_still`: seconds after which an operator takes a device that has come no further for stuck."""

    certids: Sequence[Fingerprint]
    target: Target
    ask: Callable[..., Any]
    session: boto3.Session
    patience: float = 900
    stands_still: float = 20
    claimed: set[str] = field(default_factory=set)
    retried: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    _seen: dict[str, Row] = field(default_factory=dict)
    _moved_at: dict[str, float] = field(default_factory=dict)

    def claim_boxed(self) -> None:
        """A third of them."""
        for certid in self.certids[: len(self.certids) // 3]:
            while not self._claim(certid):
                time.sleep(_LOOK)

    def until(self, arrived: int) -> None:
        """People claim and look until so many have arrived. Raises `TimeoutError` with who has not."""
        deadline = time.monotonic() + self.patience
        while self.count()["arrived"] < arrived:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{arrived} have not arrived within {self.patience:.0f} s: {self.count()}")
            self.look()
            self._claim_some()
            self._help_some()
            time.sleep(_LOOK)

    def count(self) -> Counter[str]:
        return Counter(row.state for row in self._seen.values())

    def look(self) -> None:
        """The rows as they are, and whether any that was seen is gone, or knows less than it did."""
        try:
            rows = self._rows()
        except DOWN:
            return
        for certid, before in self._seen.items():
            now = rows.get(certid)
            if now is None or now.version < before.version:
                self.lost.append(f"{certid} was {before}, and is {now}")
        for certid, row in rows.items():
            if row != self._seen.get(certid):
                self._moved_at[certid] = time.monotonic()
        self._seen = rows

    def _rows(self) -> dict[str, Row]:
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
        """Whether there was an answer."""
        try:
            self.ask(CLAIM, id=certid, account=self.target.account, region=self.target.region)
        except DOWN:
            return False
        except ApiRefused as refused:
            if refused.code not in _UNANSWERED:
                raise
            return False
        self.claimed.add(certid)
        return True

    def _claim_some(self) -> None:
        """Those that wait; as many as a person can in the time between two looks."""
        waiting = [c for c, row in self._seen.items() if row.state in ("knocking", "inlobby") and c not in self.claimed]
        for certid in waiting[:10]:
            if not self._claim(certid):
                return

    def _help_some(self) -> None:
        """An operator retries what shows a reason, or stands still between its claim and its arrival."""
        now = time.monotonic()
        for certid, row in self._seen.items():
            still = now - self._moved_at[certid] > self.stands_still
            if row.state == State.FAILED or (still and row.state in (State.CLAIMED, State.COMMISSIONED)):
                try:
                    self.ask(RETRY, id=certid)
                except (*DOWN, ApiRefused):
                    return
                self._moved_at[certid] = now
                self.retried[row.state] += 1

    def broken(self) -> list[str]:
        """Devices whose history is not whole, or does not tell of their claim and their arrival once."""
        found = []
        for certid in self.certids:
            device = self.ask(HISTORY, id=certid)["device"]
            events = Counter(entry["event"] for entry in device["history"])
            if not device["historyIntact"] or [events[each] for each in ("admit", "claim")] != [1, 1]:
                found.append(f"{certid}: {dict(events)}, intact: {device['historyIntact']}")
        return found

    def not_active(self, clients: Callable[[Target], Any], lobby: Target) -> list[str]:
        """Devices whose certificate is not ACTIVE in the lobby and in the target."""
        found = []
        for where in (lobby, self.target):
            iot = clients(where)
            for certid in self.certids:
                status = iot.describe_certificate(certificateId=certid)["certificateDescription"]["status"]
                found += [f"{certid} is {status} in {where}"] if status != "ACTIVE" else []
        return found
