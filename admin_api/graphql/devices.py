"""The `Device` type.

It has v0.1's fields with the same names and types, and further fields. Lists are read from an index that has only some
attributes. In a list, a field that needs another attribute raises NOT_IN_LISTS, because it would cost one read per
item. Only the last hello and the renewal are read for all devices of a page together, because users work through lists
by them. The type has facts of the certificate, never the PEM.
"""

from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from admin_api.graphql.arguments import described
from admin_api.graphql.certificate_facts import CertificateFacts, certificate_facts
from admin_api.graphql.clones import Suspicion, suspicion_of
from admin_api.graphql.connections import ConnectionProblem, Statuses, problem_from
from admin_api.graphql.context import Context, Info, computed
from admin_api.graphql.device_standby import DeviceStandby, standby_of
from admin_api.graphql.histories import DeviceHistory, HistoryEntry, history_entry_from, read_history
from admin_api.graphql.limits import Resource
from admin_api.graphql.renewals import DeviceRenewal, renewal_of
from admin_api.graphql.targets import Target
from admin_api.graphql.transfers import DeviceTransfer, transfer_of
from admin_api.graphql.value_lists import REASON_LIST, STATES
from admin_api.roles import Caller
from lobby.domain import device as ledger
from lobby.domain.connections.clones import CLONE_SUSPECTED
from lobby.domain.connections.connectivity import Online
from lobby.domain.presence import MAX_WRONG_CODES
from lobby.domain.states import PLACED_STATES, Event, State, allowed_events
from lobby.errors import InvalidInput
from lobby.ledger.clock import timestamp
from lobby.text.label import encode_label, short_form

MAX_HISTORY = 1000
_ACTIONS = {
    Event.CLAIM: "claimDevice",
    Event.CONFIRM: "confirmPresence",
    Event.MOVE: "moveDevice",
    Event.CONFIGURE: "configureDevice",
    Event.RELEASE: "releaseDevice",
    Event.RETRY: "retryDevice",
    Event.DUE: "renewDevice",
    Event.DISMISS: "dismissSuspicion",
    Event.QUARANTINE: "quarantineDevice",
    Event.LIFT: "liftQuarantine",
    Event.REVOKE: "revokeDevice",
}
_CONFIRM, _RENEW = _ACTIONS[Event.CONFIRM], _ACTIONS[Event.DUE]


@strawberry.type(
    description="A device. Times are ISO 8601, UTC. Fields marked with * are not available in lists: NOT_IN_LISTS."
)
class Device:
    row: strawberry.Private[ledger.Device]
    in_list: strawberry.Private[bool]
    statuses: strawberry.Private[Statuses | None] = None
    loaded_history: strawberry.Private[DeviceHistory | None] = None

    id: strawberry.ID = strawberry.field(description="Identifies the device in caches: the same as `certid`.")
    certid: strawberry.ID = strawberry.field(description="The SHA-256 fingerprint of the certificate, 64 hex digits.")
    devicename: str | None = strawberry.field(description="The thing name; null before the device's first connection.")
    expected_name: str | None = strawberry.field(
        description="The thing name that the claim expects, until the device connects; after that only if the device"
        " has another name, and not in lists."
    )
    devstate: str | None = strawberry.field(description=f"The state. {STATES}")
    targetaccount: str | None = strawberry.field(
        description="The AWS account of the target that the device is claimed for; null without a claim."
    )
    targetregion: str | None = strawberry.field(
        description="The AWS Region of the target that the device is claimed for; null without a claim."
    )
    entered_at: str = strawberry.field(description="When the device entered its current state.")
    reason: str | None = strawberry.field(
        description=f"Why the device failed, is refused or cannot continue; null if there is no problem. {REASON_LIST}"
        " A TARGET_ code of another state than failed concerns a target that the device has left. A later version can"
        " add codes."
    )
    profile: str = strawberry.field(description="The profile of the claim, or the default one.")
    generation: int = strawberry.field(
        description="Increases with each claim, move, change of configuration, release, revocation and retry."
    )
    claimed_by: str | None = strawberry.field(description="Who claimed the device; null without a claim.")
    claimed_at: str | None = strawberry.field(description="When the device was claimed; null without a claim.")
    first_seen: str | None = strawberry.field(description="When the device first connected to the lobby; null before.")
    lobby_region: str | None = strawberry.field(
        description="The AWS Region of the lobby that the device connected to; null before."
    )
    previous_targets: list[Target] = strawberry.field(
        description="Targets that the device has left and where its certificate is still to be deactivated."
    )
    allowed_actions: list[str] = strawberry.field(
        description=f"The operations that its state and your role permit. Values: {', '.join(_ACTIONS.values())}."
    )

    @computed("The first 12 digits of the fingerprint, as printed on the label.")
    def short_form(self) -> str:
        return short_form(self.row.certid)

    @computed(
        "When the device will probably be commissioned or cleared: an estimate from its place in its target's lane."
        " Null if it waits for no work, or while the lane is closed."
    )
    def expected_at(self, info: Info) -> str | None:
        forecast = info.context.forecasts.of(self.row)
        return timestamp(forecast.expected_at) if forecast and forecast.expected_at else None

    @computed("The cause of the device's wait in its lane, as text; null if it does not wait.")
    def waits_for(self, info: Info) -> str | None:
        forecast = info.context.forecasts.of(self.row)
        return forecast.waits_for if forecast else None

    @computed("The text of the device's QR code.")
    def label_code(self) -> str:
        return encode_label(self.row.certid)

    @computed("* How to correct `reason`.")
    def message(self) -> str | None:
        row = self._row_for("message")
        suspicion = row.suspicion if row.is_suspected else None
        return row.message or (suspicion.advice if suspicion else None)

    @computed("* The evidence that its certificate is in use twice; null if there is none.")
    def suspicion(self, info: Info) -> Suspicion | None:
        row = self._row_for("suspicion")
        return suspicion_of(row, with_addresses=info.context.caller.may("dismissSuspicion"))

    @computed("* Its transfer to or from another lobby; null if there is none.")
    def transfer(self) -> DeviceTransfer | None:
        return transfer_of(self._row_for("transfer"))

    @computed("* The enrolment that has admitted the device; null if none matched it.")
    def enrolment(self) -> str | None:
        return self._row_for("enrolment").enrolment

    @computed("* The enrolment token by which the device got its certificate; null if it joined in another way.")
    def token(self) -> str | None:
        return self._row_for("token").token

    @computed("The renewal of its certificate; null if none is due.")
    def renewal(self, info: Info) -> DeviceRenewal | None:
        row = self._whole_row(info.context, "renewal")
        return renewal_of(row) if row else None

    @computed("* The product model, as its enrolment states it; null if it states none.")
    def model(self) -> str | None:
        return self._row_for("model").model

    @computed("* The campaign that changed its claim last; null if something else did.")
    def campaign(self) -> str | None:
        return self._row_for("campaign").campaign

    @computed("* Its second target, if its target has a standby or it was evacuated; null otherwise.")
    def standby(self) -> DeviceStandby | None:
        return standby_of(self._row_for("standby"))

    @computed(
        "* The configuration that the device gets with its route: text or an object. Null for users who may not claim"
        " for its target."
    )
    def config(self, info: Info) -> JSON | None:
        row = self._row_for("config")
        permitted = row.target is None or info.context.caller.may_claim_for(row.target)
        return JSON(row.config) if permitted else None

    @computed("* The IoT endpoint that the device is sent to; null before it is commissioned.")
    def endpoint(self) -> str | None:
        return self._row_for("endpoint").iotep

    @computed(
        "Whether the device is connected to the lobby. Null if that is unknown: before its first connection, and while"
        " it may be in a target."
    )
    def online(self, info: Info) -> bool | None:
        return self._online(info.context).online

    @computed("Since when the device has been connected or not; null if that is unknown. Accurate to two minutes.")
    def online_since(self, info: Info) -> str | None:
        return self._online(info.context).since

    @computed("* Recent problems of its connections, the latest first.")
    def connection_problems(self, info: Info) -> list[ConnectionProblem] | None:
        certid = self._row_for("connectionProblems").certid
        return [problem_from(each) for each in info.context.services.connections.problems_of(certid)]

    @computed("When the device sent its last hello while it was waiting, to half an hour.")
    def last_seen(self, info: Info) -> str | None:
        row = self._whole_row(info.context, "lastSeen")
        return row.lastseen if row else None

    @computed("* The client version that the device reports.")
    def client_version(self) -> str | None:
        return self._row_for("clientVersion").clientversion

    @computed("* Whether the device can show a presence code, according to its last hello; null before the first.")
    def shows_code(self) -> bool | None:
        return self._row_for("showsCode").shows_code

    @computed("* The number of attempts left to enter the presence code; null unless the device is in state proving.")
    def tries_left(self) -> int | None:
        row = self._row_for("triesLeft")
        return MAX_WRONG_CODES - row.failed_codes if row.devstate is State.PROVING else None

    @computed("* The content of its certificate; null if the ledger has none or it cannot be parsed.")
    def certificate(self, info: Info) -> CertificateFacts | None:
        row = self._row_for("certificate")
        return certificate_facts(row.current, info.context.services.ledger.certificate(row))

    @computed("* The last entries of its history, oldest first, at most 1000.")
    def history(
        self, info: Info, last: Annotated[int, described("The number of entries, 1 to 1000.")] = 100
    ) -> list[HistoryEntry] | None:
        if not 1 <= last <= MAX_HISTORY:
            raise InvalidInput("INVALID_COUNT", f"got {last}, want 1 to {MAX_HISTORY}")
        info.context.quota.consume(Resource.ENTRIES, last)
        return [history_entry_from(entry) for entry in self._history("history", info.context).entries[-last:]]

    @computed("* Whether all entries of the history are present, in order and unaltered. Does not check the anchors.")
    def history_intact(self, info: Info) -> bool | None:
        return self._history("historyIntact", info.context).intact

    def _online(self, context: Context) -> Online:
        if self.statuses is None:
            self.statuses = Statuses(context.services.connections, [self.row.certid])
        return self.statuses.of(self.row)

    def _row_for(self, field: str) -> ledger.Device:
        if self.in_list:
            raise InvalidInput("NOT_IN_LISTS", f"got {field} of a device in a list, want it from device(certid)")
        return self.row

    def _whole_row(self, context: Context, field: str) -> ledger.Device | None:
        """Return the row with all attributes, or None if it was deleted. A list reads the rows of all its devices
        together."""
        if self.in_list and self.statuses is not None:
            return self.statuses.row(self.row.certid, context.quota.time_is_up)
        return self._row_for(field)

    def _history(self, field: str, context: Context) -> DeviceHistory:
        if self.loaded_history is None:
            self.loaded_history = read_history(context.services.ledger, self._row_for(field))
        return self.loaded_history


@strawberry.type(description="The result of releasing a device.")
class ReleasedDevice:
    certid: strawberry.ID = strawberry.field(description="The fingerprint of the device.")
    forgotten: bool = strawberry.field(
        description="Whether the row was deleted, because the device never connected. Its history remains."
    )
    device: Device | None = strawberry.field(description="The device in the lobby; null if it is forgotten.")


def device_from(
    row: ledger.Device, caller: Caller, *, in_list: bool = False, statuses: Statuses | None = None
) -> Device:
    """Return the device as `caller` may see it. `in_list`: the row comes from an index without all attributes.
    `statuses`: the online statuses of all devices of the list."""
    return Device(
        row=row,
        in_list=in_list,
        statuses=statuses,
        id=strawberry.ID(row.certid),
        certid=strawberry.ID(row.certid),
        devicename=row.devicename,
        expected_name=row.expected_name,
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
        previous_targets=[Target(account=each.account, region=each.region) for each in row.targets_to_clear],
        allowed_actions=allowed_actions(row, caller),
    )


def allowed_actions(row: ledger.Device, caller: Caller) -> list[str]:
    """Return the operations that the device's state and the caller's role permit."""
    suspected = row.is_suspected or row.reason == CLONE_SUSPECTED  # a list has the reason only
    unfinished, claimed = row.has_work_left, row.target is not None
    events = allowed_events(row.devstate, unfinished=unfinished, claimed=claimed, suspected=suspected)
    names = [_ACTIONS[event] for event in events]
    if row.devstate in PLACED_STATES and row.can_renew and row.pending is None:
        names.append(_RENEW)
    return [name for name in names if caller.may(name) and (name != _CONFIRM or _may_confirm(row, caller))]


def _may_confirm(row: ledger.Device, caller: Caller) -> bool:
    return row.target is not None and caller.may_claim_for(row.target)
