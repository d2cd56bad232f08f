"""The ledger: every transition of a device as one conditional transaction with its history entry.

A method reads the row (or takes the one its caller holds), asks `decisions` what the event makes of it, and
writes only if the row is still the one it saw. Whoever loses a race decides again on the row that won;
nothing is ever written half, and an event that changes nothing writes nothing. Refuses what `states` does not
list, with a `Conflict`.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pynamodb.exceptions import DoesNotExist, UpdateError

from lobby.domain import presence, transitions
from lobby.domain.device import Device, Entry, PresenceProof
from lobby.domain.history_audit import Unreadable
from lobby.domain.states import Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, LobbyError, NotFound
from lobby.ledger.bulk import ManyClaims
from lobby.ledger.connection import connection_of
from lobby.ledger.counts import any_shard
from lobby.ledger.dynamodb_errors import code_of
from lobby.ledger.models import HistoryRow, LedgerRow, NameRow, device_of, entry_of, entry_of_item
from lobby.ledger.transaction import TransactionConflict, Writer, change_of, changes
from lobby.names import Fingerprint, PresenceCode, Region, Target, ThingName

if TYPE_CHECKING:
    from lobby.domain.identity import Identity

HEARTBEAT_INTERVAL: Final = timedelta(minutes=1)
_TRIES: Final = 8
_UNREAD: Final = object()
_WAITING: Final = (State.INLOBBY, State.PROVING, State.FAILED)

Decision = Callable[[Device | None, str], Device | None]
KnownDecision = Callable[[Device, str], Device | None]


def now() -> datetime:
    return datetime.now(UTC)


def pause(attempt: int) -> None:
    """A short jittered wait while somebody else's transaction on the same row ends."""
    time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311  # spreads retries; nothing secret


def timestamp(moment: datetime) -> str:
    """ISO 8601 UTC with milliseconds: sorts as text in the order of time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Ledger:
    """The record of every device. `region` is where this lobby runs; `clock` gives the time; `shard` spreads the
    counts over their parts; `new_code` gives an unguessable code for a device to show."""

    def __init__(
        self,
        region: Region,
        clock: Callable[[], datetime] = now,
        pause: Callable[[int], None] = pause,
        shard: Callable[[], int] = any_shard,
        new_code: Callable[[], PresenceCode] = presence.new_code,
    ) -> None:
        self._region = region
        self._clock = clock
        self._pause = pause
        self._new_code = new_code
        # The table's own: a connection of the ledger's would cost every cold start another client.
        self._writer = Writer(connection_of(), shard, pause)

    def get(self, certid: Fingerprint) -> Device | None:
        """The device as it is now (a consistent read)."""
        try:
            return device_of(LedgerRow.get(certid, consistent_read=True))
        except DoesNotExist:
            return None

    def history(self, certid: Fingerprint) -> list[Entry]:
        """Everything that befell a device, oldest first. Raises `ValueError` for an item that is no entry."""
        return [entry_of(row) for row in HistoryRow.query(certid, consistent_read=True)]

    def entries(self, certid: Fingerprint) -> list[Entry | Unreadable]:
        """The same, as it stands in the table: to be verified."""
        pages: Iterator[Any] = HistoryRow.query(certid, consistent_read=True).page_iter
        return [entry_of_item(item) for page in pages for item in page["Items"]]

    def admit(self, identity: "Identity", actor: str) -> Device:
        """A verified certificate is let in. Tried first as one never seen, which most are: no read is spent on
        it. Raises `Conflict`: NAME_TAKEN where another certificate holds its name, REVOKED where it is banned."""
        return self._kept(
            self._transition(
                identity.certid,
                Event.ADMIT,
                lambda d, at: transitions.admit(d, identity, self._region, at),
                actor,
                known=None,
                name=identity.name,
            )
        )

    def refuse(self, certid: Fingerprint, name: ThingName | None, code: str, message: str, actor: str) -> Device:
        """A certificate is turned away; the row says why."""

        def decide(device: Device | None, at: str) -> Device:
            return transitions.refuse(device, certid, name, self._region, code, message, at)

        return self._kept(self._transition(certid, Event.REFUSE, decide, actor, known=None, why=code))

    def hello(self, device: Device, clientversion: str | None, actor: str, shows: bool | None = None) -> Device:
        """The first hello of an admitted device. `shows`: it says that it can show a code, or that it cannot."""
        return self._from(device, Event.HELLO, lambda d, at: transitions.hello(d, at, clientversion, shows), actor)

    def record_heartbeat(self, device: Device, clientversion: str | None, shows: bool | None = None) -> bool:
        """Notes that a waiting device is still there, and says whether it did: at most once a minute, or when it says
        anew whether it shows codes, and never while a change of its claim is under way, so that no hello wakes the
        commissioner."""
        moment = self._clock()
        if device.devstate not in _WAITING or device.needs_commissioner:
            return False
        news = shows is not None and shows is not device.shows_code
        if device.lastseen is not None and device.lastseen > timestamp(moment - HEARTBEAT_INTERVAL) and not news:
            return False
        heard = replace(device, lastseen=timestamp(moment), clientversion=clientversion or device.clientversion)
        after = presence.shown_by(heard, bool(shows)) if news else heard
        try:
            LedgerRow(device.certid).update(
                actions=changes(device, after), condition=LedgerRow.version == device.version
            )
        except UpdateError as error:
            if code_of(error) in ("ConditionalCheckFailedException", "TransactionConflictException"):
                return False
            raise
        return True

    def claim(self, certid: Fingerprint, request: ClaimRequest, actor: str, known: Any = _UNREAD) -> Device:
        """Before the device was ever seen, or while it waits. Raises `Conflict` ALREADY_CLAIMED. `known` is the row, or
        that there is none, for who has read it already."""

        def decide(device: Device | None, at: str) -> Device:
            return transitions.claim(device, certid, request, actor, at)

        return self._kept(self._transition(certid, Event.CLAIM, decide, actor, known=known))

    def claim_many(
        self, certids: Sequence[Fingerprint], request: ClaimRequest, actor: str, deadline: Callable[[], bool]
    ) -> list[Device | LobbyError]:
        """Claims each, and says what became of each, in that order: a device, or why not. What is left when
        `deadline` says that time is up is a `Conflict` NOT_TRIED."""
        many = ManyClaims(
            request,
            actor,
            self._writer,
            lambda certid: self.claim(certid, request, actor),
            self._moment,
            self._pause,
            deadline,
            self._new_code,
        )
        return many.outcomes(certids)

    def confirm(self, device: Device, code: PresenceCode, actor: str) -> Device:
        """The claim of a device that shows this code is in force; so is one that was confirmed before. Each wrong code
        is written down before it is answered, those that are tried at the same moment too. Raises `Conflict`:
        WRONG_CODE, PRESENCE_FAILED for the last, which drops the claim, CHANGED_MEANWHILE where another claim came."""
        if device.presence_proof is PresenceProof.GIVEN:
            return device
        right, generation = presence.is_right(device, code), device.generation
        if right:
            return self._from(device, Event.CONFIRM, lambda d, at: presence.confirm(d, generation, at), actor)
        raise presence.wrong(
            self._from(
                device, Event.MISMATCH, lambda d, at: presence.mismatch(d, generation, at), actor, why=presence.WRONG
            )
        )

    def move(self, certid: Fingerprint, request: ClaimRequest, actor: str) -> Device:
        return self._kept(self._seen(certid, Event.MOVE, lambda d, at: transitions.move(d, request, actor, at), actor))

    def release(self, certid: Fingerprint, actor: str) -> Device | None:
        """None where the device was only expected: its row is gone, its history stays, and says so to who asks
        again."""
        try:
            return self._seen(certid, Event.RELEASE, transitions.release, actor)
        except NotFound:
            last = self._last_entry(certid)
            if last is None or last.event is not Event.RELEASE:
                raise
            return None

    def retry(self, certid: Fingerprint, actor: str, seen: Device | None = None) -> Device:
        """With `seen`, only where that claim and state still stand: `Conflict` CHANGED_MEANWHILE."""

        def decide(device: Device, at: str) -> Device:
            if seen and (device.generation, device.devstate) != (seen.generation, seen.devstate):
                raise Conflict("CHANGED_MEANWHILE", f"got {certid} in {device.devstate}, want it as it was looked at")
            return transitions.retry(device, at)

        return self._kept(self._seen(certid, Event.RETRY, decide, actor))

    def revoke(self, certid: Fingerprint, why: str, actor: str) -> Device:
        """Final, and possible for a certificate that was never seen."""
        return self._kept(
            self._transition(certid, Event.REVOKE, lambda d, at: transitions.revoke(d, certid, why, at), actor, why=why)
        )

    def commission(self, device: Device, iotep: str, actor: str) -> Device:
        """The commissioner's success, for the claim it worked on and no other: `Conflict` CHANGED_MEANWHILE."""
        return self._from(
            device, Event.COMMISSION, lambda d, at: transitions.commission(d, device.generation, iotep, at), actor
        )

    def fail(self, device: Device, code: str, message: str, actor: str) -> Device:
        """The commissioner's failure, likewise only for its own claim."""
        return self._from(
            device, Event.FAIL, lambda d, at: transitions.fail(d, device.generation, code, message, at), actor, why=code
        )

    def retire(
        self, device: Device, cleared: Target | None, actor: str, code: str | None = None, message: str | None = None
    ) -> Device:
        """A target that was left is cleared; with a code: could not be, and why. Ends the turn of this claim only:
        the device that comes back may be of a newer one."""
        return self._from(
            device,
            Event.RETIRE,
            lambda d, _at: transitions.retire(d, device.generation, cleared, code, message),
            actor,
            why=code,
            about=cleared,
        )

    def arrive(self, device: Device, actor: str) -> Device:
        return self._from(device, Event.ARRIVE, transitions.arrive, actor)

    def wake(self, certid: Fingerprint, actor: str) -> Device:
        """Has the commissioner look again at a row that it has not served. Raises `Conflict` NOT_ALLOWED where it
        has."""
        decide = _on_known(certid, lambda d, _at: transitions.wake(d))
        return self._kept(self._transition(certid, Event.WAKE, decide, actor, always=True))

    def deactivate(self, device: Device, target: Target, actor: str) -> Device:
        """Puts on record, before it is done, that the certificate is put out of use in a target where it has no
        business. Raises `Conflict` CHANGED_MEANWHILE where it has by now."""
        return self._from(
            device, Event.DEACTIVATE, lambda d, _at: transitions.deactivate(d, target), actor, about=target, always=True
        )

    def _from(self, device: Device, event: Event, decide: KnownDecision, actor: str, **more: Any) -> Device:
        change = _on_known(device.certid, decide)
        return self._kept(self._transition(device.certid, event, change, actor, known=device, **more))

    def _seen(self, certid: Fingerprint, event: Event, decide: KnownDecision, actor: str) -> Device | None:
        return self._transition(certid, event, _on_known(certid, decide), actor)

    @staticmethod
    def _kept(device: Device | None) -> Device:
        if device is None:
            raise AssertionError("this event never removes the row")
        return device

    def _transition(
        self,
        certid: Fingerprint,
        event: Event,
        decide: Decision,
        actor: str,
        *,
        known: Any = _UNREAD,
        why: str | None = None,
        about: Target | None = None,
        name: ThingName | None = None,
        always: bool = False,
    ) -> Device | None:
        """`always`: also what leaves the row as it is gets its entry."""
        before: Device | None = self.get(certid) if known is _UNREAD else known
        last: Entry | None = None
        holder: Fingerprint | None = None
        for attempt in range(_TRIES):
            at = self._moment()
            after = presence.asked(decide(before, at), self._new_code)
            if after == before and not always:
                return after
            change = change_of(certid, event, before, after, actor=actor, at=at, why=why, about=about, last=last)
            try:
                self._writer.write([replace(change, name=name, holder=holder)])
            except TransactionConflict as lost:
                if lost.busy:
                    self._pause(attempt)
                before = self.get(certid)
                last = None if before else self._last_entry(certid)
                holder = self._replaceable_holder(name, certid) if name else None
            else:
                return change.after
        raise Conflict("CHANGED_MEANWHILE", f"got {event} for a device that keeps changing, want it at rest: try again")

    def _moment(self) -> str:
        return timestamp(self._clock())

    def latest(self, certid: Fingerprint, count: int) -> list[Entry]:
        """The last `count` entries of a device's history, newest first."""
        newest = HistoryRow.query(certid, consistent_read=True, scan_index_forward=False, limit=count)
        return [entry_of(row) for row in newest]

    def _last_entry(self, certid: Fingerprint) -> Entry | None:
        return next(iter(self.latest(certid, 1)), None)

    def _replaceable_holder(self, name: ThingName, certid: Fingerprint) -> Fingerprint | None:
        """Who holds the name, if it may pass on: a revoked certificate keeps no name from its successor."""
        try:
            holder = Fingerprint(NameRow.get(name, consistent_read=True).certid)
        except DoesNotExist:
            return None
        if holder == certid:
            return None
        device = self.get(holder)
        if device is None or device.devstate is State.REVOKED:
            return holder
        raise Conflict("NAME_TAKEN", f"got the name {name!r}, held by certificate {holder}; want one that is free")


def _on_known(certid: Fingerprint, decide: KnownDecision) -> Decision:
    def on_known(device: Device | None, at: str) -> Device | None:
        if device is None:
            raise NotFound("UNKNOWN_DEVICE", f"got {certid}, want the fingerprint of a device in the ledger")
        return decide(device, at)

    return on_known
