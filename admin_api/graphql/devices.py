"""Devices as the API shows them.

`Device` is v0.1's, name for name and type for type, and more. A list is answered from an index that carries
only what lists show; what it does not carry is refused there with NOT_IN_LISTS, as filling it in would cost a
read for every line. Of certificates the facts are shown, never the PEM.
"""

import strawberry
from strawberry.scalars import JSON

from admin_api.chain import Chain, chain_of
from admin_api.graphql.certificates import CertificateFacts, facts_of
from admin_api.graphql.context import Context, Info, computed
from admin_api.graphql.limits import Share
from admin_api.graphql.targets import Target
from admin_api.roles import Caller
from lobby.domain import device as ledger
from lobby.domain.presence import MAX_WRONG_CODES
from lobby.domain.states import Event, State, allowed_events
from lobby.errors import InvalidInput
from lobby.wire import encode_label, short_form

MAX_HISTORY = 1000
_ACTIONS = {
    Event.CLAIM: "claimDevice",
    Event.CONFIRM: "confirmPresence",
    Event.MOVE: "moveDevice",
    Event.RELEASE: "releaseDevice",
    Event.RETRY: "retryDevice",
    Event.REVOKE: "revokeDevice",
}
_CONFIRM = _ACTIONS[Event.CONFIRM]


@strawberry.type(description="One line of a device's history.")
class HistoryEntry:
    seq: int
    at: str
    actor: str
    event: str
    before: str | None = strawberry.field(description="The state it left; null for one that was not there.")
    after: str | None = strawberry.field(description="The state it entered; null where its row is gone.")
    generation: int
    reason: str | None
    target: str | None
    prior: str = strawberry.field(description="The hash of the entry before, or zeros.")
    hash: str = strawberry.field(description="SHA-256 of this entry, `prior` included.")


@strawberry.type(description="A device. Times are ISO 8601, UTC. Fields marked * are refused in lists: NOT_IN_LISTS.")
class Device:
    row: strawberry.Private[ledger.Device]
    whole: strawberry.Private[bool]
    chain: strawberry.Private[Chain | None] = None

    certid: strawberry.ID = strawberry.field(description="The certificate's SHA-256 fingerprint, 64 hex digits.")
    devicename: str | None = strawberry.field(description="The thing name, once the device was seen.")
    devstate: str | None
    targetaccount: str | None
    targetregion: str | None
    entered_at: str = strawberry.field(description="When the present state was entered.")
    reason: str | None = strawberry.field(description="Why it failed or was refused: a stable code.")
    profile: str
    generation: int = strawberry.field(description="Counts the claims.")
    claimed_by: str | None
    claimed_at: str | None
    first_seen: str | None
    lobby_region: str | None
    previous_targets: list[Target] = strawberry.field(description="Left, but not cleared there yet.")
    allowed_actions: list[str] = strawberry.field(description="Operations that its state and your role allow now.")

    @computed("The first 12 digits of the fingerprint, as printed on the label.")
    def short_form(self) -> str:
        return short_form(self.row.certid)

    @computed("The text of the device's QR label.")
    def label_code(self) -> str:
        return encode_label(self.row.certid)

    @computed("* What to do about `reason`.")
    def message(self) -> str | None:
        return self._whole("message").message

    @computed("* Text or object that the device gets with its route; null for those who may not claim for its target.")
    def config(self, info: Info) -> JSON | None:
        row = self._whole("config")
        may_know = row.target is None or info.context.caller.may_claim_for(row.target)
        return JSON(row.config) if may_know else None

    @computed("* The IoT endpoint it is sent to, once commissioned.")
    def endpoint(self) -> str | None:
        return self._whole("endpoint").iotep

    @computed("* The last hello while waiting, to the minute.")
    def last_seen(self) -> str | None:
        return self._whole("lastSeen").lastseen

    @computed("* What the device says its client is.")
    def client_version(self) -> str | None:
        return self._whole("clientVersion").clientversion

    @computed("* Whether its last hello said that it can show a code; null before it said any.")
    def shows_code(self) -> bool | None:
        return self._whole("showsCode").shows_code

    @computed("* While it is proving, how many codes may still be tried; else null.")
    def tries_left(self) -> int | None:
        row = self._whole("triesLeft")
        return MAX_WRONG_CODES - row.failed_codes if row.devstate is State.PROVING else None

    @computed("* What its certificate says; null where none was kept, or none that can be read.")
    def certificate(self) -> CertificateFacts | None:
        return facts_of(self._whole("certificate"))

    @computed("* Everything that befell it, oldest first; at most the last 1000 entries.")
    def history(self, info: Info, last: int = 100) -> list[HistoryEntry] | None:
        if not 1 <= last <= MAX_HISTORY:
            raise InvalidInput("INVALID_COUNT", f"got {last}, want 1 to {MAX_HISTORY}")
        info.context.allowance.take(Share.ENTRIES, last)
        return [_history_entry(entry) for entry in self._chain("history", info.context).entries[-last:]]

    @computed("* Whether no entry of the history was altered, removed or put elsewhere.")
    def history_intact(self, info: Info) -> bool | None:
        return self._chain("historyIntact", info.context).intact

    def _whole(self, field: str) -> ledger.Device:
        if not self.whole:
            raise InvalidInput(
                "NOT_IN_LISTS", f"got {field} of a device in a list, want it asked of one: device(certid)"
            )
        return self.row

    def _chain(self, field: str, context: Context) -> Chain:
        if self.chain is None:
            self.chain = chain_of(context.services.ledger, self._whole(field))
        return self.chain


@strawberry.type(description="v0.1's page of devices.")
class PaginatedDevices:
    devices: list[Device]
    next_token: str | None


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None = strawberry.field(description="Give it as `after` for the next page.")


@strawberry.type(description="A page of devices. With a filter it may be short, or empty, and still have a next one.")
class DevicePage:
    nodes: list[Device]
    page_info: PageInfo


@strawberry.type(description="What became of a released device.")
class ReleasedDevice:
    certid: strawberry.ID
    forgotten: bool = strawberry.field(description="True: it was never seen, so its row is gone; its history stays.")
    device: Device | None = strawberry.field(description="The device, back in the lobby; null where it is forgotten.")


def shown_device(row: ledger.Device, caller: Caller, *, whole: bool = True) -> Device:
    """`whole`: the row was read itself, not an index that carries a part of it."""
    return Device(
        row=row,
        whole=whole,
        certid=strawberry.ID(row.certid),
        devicename=row.devicename,
        devstate=row.devstate.value,
        targetaccount=row.target.account if row.target else None,
        targetregion=row.target.region if row.target else None,
        entered_at=row.enteredat,
        reason=row.reason,
        profile=row.profile,
        generation=row.generation,
        claimed_by=row.claimedby,
        claimed_at=row.claimedat,
        first_seen=row.firstseen,
        lobby_region=row.lobbyregion,
        previous_targets=[Target(account=left.account, region=left.region) for left in row.targets_to_clear],
        allowed_actions=allowed_actions(row, caller),
    )


def allowed_actions(row: ledger.Device, caller: Caller) -> list[str]:
    """The operations that the device's state allows, and the caller's role."""
    events = allowed_events(row.devstate, unfinished=bool(row.targets_to_clear), claimed=row.target is not None)
    names = (_ACTIONS[event] for event in events)
    return [name for name in names if caller.may(name) and (name != _CONFIRM or _may_confirm(row, caller))]


def _may_confirm(row: ledger.Device, caller: Caller) -> bool:
    return row.target is not None and caller.may_claim_for(row.target)


def _value(state: State | None) -> str | None:
    return state.value if state else None


def _history_entry(entry: ledger.Entry) -> HistoryEntry:
    return HistoryEntry(
        seq=entry.seq,
        at=entry.at,
        actor=entry.actor,
        event=entry.event.value,
        before=_value(entry.before),
        after=_value(entry.after),
        generation=entry.generation,
        reason=entry.reason,
        target=entry.target,
        prior=entry.prior,
        hash=entry.hash,
    )
