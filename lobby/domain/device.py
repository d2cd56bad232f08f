"""A device as the ledger records it, and one entry of its history: frozen values without a database.

The entries of a history form a hash chain: each contains the hash of the previous one, so that a changed, missing or
reordered entry is detected (`history_audit`). `transitions` decides what an event changes.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from enum import IntEnum, StrEnum

from lobby.domain.claims.claim_defaults import ClaimDefaults
from lobby.domain.connections.clones import Suspicion
from lobby.domain.enrolments.thing_settings import ThingSettings
from lobby.domain.shadows.shadow_choices import Shadows
from lobby.domain.standby.standby import Standby
from lobby.domain.states import PLACED_STATES, Event, State
from lobby.domain.transfers.transfer import Transfer
from lobby.names import CampaignName, EnrolmentName, Fingerprint, PresenceCode, Region, Target, ThingName, TokenId
from lobby.wire import DEFAULT_CONFIG, Config, PresenceChallenge, RenewalRequest, Route, StandbyEndpoint

DEFAULT_PROFILE = "default"
GENESIS = "0" * 64
"""The previous hash of a device's first entry."""


class PresenceProof(StrEnum):
    """Whether presence was proven, for a claim that requires proof of presence. Other claims have none."""

    WANTED = "wanted"
    GIVEN = "given"


class Priority(IntEnum):
    """The order of a lane. A user waits for a single claim, so it comes before those of lists and campaigns."""

    SINGLE = 1
    BULK = 2


@dataclass(frozen=True)
class Device:
    """One row of the ledger. Times are ISO 8601 UTC with milliseconds.

    `version` counts the history's entries and guards every write. `generation` increases with each claim, move,
    release, revocation and retry, and guards the commissioner's writes. `head` is the hash of the last entry.
    `targets_to_clear` are targets that the device has left and that are not cleared yet. `needs_commissioner` is set
    while the commissioner has work to do; `turn` is then the stored key of the row in its lane (`lanes`). `priority` is
    the claim's priority. `counted` is the key of the bucket that counts this row, so that a transition leaves it (None:
    the row is older than the counts). `devicecert` is the certificate in PEM, if the row of an earlier version contains
    it or it was read with the row; `certified` states that the certificate is in its own table. `code` is the presence
    code while the device is `proving`; only the device gets it. `failed_codes` counts the wrong codes of this claim.
    `shows_code` states whether the device can show a code, as reported in its last hello (None: no hello yet, or the
    row is older). `fallbacks` counts how often the device has fallen back to the lobby in short succession.

    `enrolment` is the enrolment that admitted and counted the device, if any, and `model` is the enrolment's model.
    `token` is the enrolment token for which the certificate was issued, if any; only the same token can replace the
    certificate. `expected_name` is the name that the claim expects. It is removed once the device has proven this name,
    and stays if the device has another name. `thing_settings` is what the enrolment sets on the device's thing in
    targets; `claim_defaults` has the enrolment's values for claims that leave them open. `campaign` is the campaign
    that made the last change of the generation.

    `certid` is the fingerprint of the first certificate, which the label shows, and identifies the device permanently.
    `certificate` is the fingerprint of the certificate in use, once the device has renewed its first one at
    `renewed_at`; `expires` is the last day of the certificate in use. While the device is due to renew, `renew_by` is
    set. `pending` is the new certificate until it is proven, and `retiring` are the certificates to be retired
    (`renewal_transitions`). `devicecert` is the certificate in use and `pending_pem` the new one, in PEM. `can_renew`
    states whether the client can renew, as reported in its last hello (None: no hello yet, or the row is older).

    `standby` is the other place of a device whose target has a standby (`standby`, `standby_transitions`). `shadows` is
    the remaining work of a move on the device's shadows (`shadows`, `shadow_transitions`).

    `suspicion`: why two devices may use the certificate (`clones`). `reactivate`: a quarantine was lifted, and the
    certificate must still be activated in the lobby (`quarantine`).

    `transfer`: the offer of the device to another lobby, or the offer by which it came to this one (`transfer`)."""

    certid: Fingerprint
    devstate: State
    enteredat: str
    version: int = 0
    head: str = GENESIS
    generation: int = 0
    devicename: ThingName | None = None
    devicecert: str | None = field(default=None, compare=False, repr=False)
    certified: bool = False
    reason: str | None = None
    message: str | None = None
    target: Target | None = None
    profile: str = DEFAULT_PROFILE
    config: Config = DEFAULT_CONFIG
    iotep: str | None = None
    targets_to_clear: tuple[Target, ...] = ()
    needs_commissioner: bool = False
    turn: str | None = None
    priority: Priority = Priority.SINGLE
    claimedby: str | None = None
    claimedat: str | None = None
    firstseen: str | None = None
    lastseen: str | None = None
    lobbyregion: Region | None = None
    clientversion: str | None = None
    counted: str | None = None
    presence_proof: PresenceProof | None = None
    code: PresenceCode | None = field(default=None, repr=False)
    failed_codes: int = 0
    shows_code: bool | None = None
    fallbacks: int = 0
    enrolment: EnrolmentName | None = None
    model: str | None = None
    token: TokenId | None = None
    expected_name: ThingName | None = None
    campaign: CampaignName | None = None
    certificate: Fingerprint | None = None
    expires: str | None = None
    renewed_at: str | None = None
    renew_by: str | None = None
    can_renew: bool | None = None
    pending: Fingerprint | None = None
    pending_expires: str | None = None
    pending_pem: str | None = field(default=None, compare=False, repr=False)
    retiring: tuple[Fingerprint, ...] = ()
    standby: Standby | None = None
    thing_settings: ThingSettings | None = None
    claim_defaults: ClaimDefaults | None = None
    suspicion: Suspicion | None = None
    reactivate: bool = False
    shadows: Shadows | None = None
    transfer: Transfer | None = None

    @property
    def is_suspected(self) -> bool:
        """Return whether two devices may use the certificate, and no user has dismissed that."""
        return self.suspicion is not None and self.suspicion.dismissed is None

    @property
    def has_work_left(self) -> bool:
        """Return whether a target must still be cleared, or the certificate activated in the lobby again."""
        return bool(self.targets_to_clear) or self.reactivate

    @property
    def current(self) -> Fingerprint:
        """Return the certificate in use: the first one, `certid`, until the device has renewed it."""
        return self.certificate or self.certid

    @property
    def known_certificates(self) -> tuple[Fingerprint, ...]:
        """Return the certificates by which a lobby may know the device: its first one here, and the one in use, which
        is the first one in a lobby that the device has gone to or come from."""
        return (self.certid, self.current)

    @property
    def awaited(self) -> Fingerprint:
        """Return the certificate whose connection is the device's next arrival."""
        return self.pending or self.current

    @property
    def certificates(self) -> tuple[Fingerprint, ...]:
        """Return the certificates that the device may use: the one in use, and the new one during a renewal."""
        return tuple(filter(None, (self.current, self.pending)))

    @property
    def works_in_standby(self) -> bool:
        """Return whether the lane of the device's other place has work there."""
        return self.devstate in PLACED_STATES and self.standby is not None and self.standby.wanted

    @property
    def announces_standby(self) -> bool:
        """Return whether the target's lane has to announce the standby to the device, which is in the target."""
        unaware = self.standby is not None and self.standby.is_usable and self.standby.device_unaware
        return unaware and self.devstate is State.ARRIVED

    def pems(self) -> dict[Fingerprint, str]:
        """Return `certificates` in PEM, if they were read with the row."""
        pems = (self.devicecert, self.pending_pem)
        return {each: pem for each, pem in zip(self.certificates, pems, strict=False) if pem is not None}

    @property
    def all_certificates(self) -> tuple[Fingerprint, ...]:
        """Return the certificates that may be active in the lobby or a target, including those to be retired."""
        return tuple(dict.fromkeys((*self.certificates, *self.retiring)))

    @property
    def has_certificate(self) -> bool:
        """Return whether the device was admitted."""
        return self.certified or self.devicecert is not None

    def route(self) -> Route | None:
        """Return the route of the device, with its standby if it is ACTIVE there; None while it has to wait."""
        if self.devstate not in PLACED_STATES or self.iotep is None:
            return None
        named = self.standby.iotep if self.standby is not None and self.standby.is_named else None
        return _route(self.iotep, self.config, self.generation, named)

    def standby_route(self) -> Route | None:
        """Return the route to the standby, with the generation of the evacuation; None if the device cannot use it."""
        standby = self.standby
        if self.devstate not in PLACED_STATES or standby is None or not standby.is_usable:
            return None
        return _route(str(standby.iotep), self.config, self.generation + 1)

    def renewal_request(self) -> RenewalRequest | None:
        """Return the request to renew the certificate, or None if the device is not due or its client cannot renew."""
        if self.renew_by is None or not self.can_renew:
            return None
        return RenewalRequest(self.renew_by, self.generation)

    def presence_challenge(self) -> PresenceChallenge | None:
        """Return the code for the device to show, or None if it has none or cannot show one."""
        if self.devstate is not State.PROVING or self.code is None or not self.shows_code:
            return None
        return PresenceChallenge(self.code, self.generation)


def _route(endpoint: str, config: Config, generation: int, standby: str | None = None) -> Route:
    host, port = _host_and_port(endpoint)
    return Route(host, config, port, generation, StandbyEndpoint(*_host_and_port(standby)) if standby else None)


def _host_and_port(endpoint: str) -> tuple[str, int | None]:
    host, _, port = endpoint.partition(":")
    return host, int(port) if port else None


@dataclass(frozen=True)
class Entry:
    """One entry of a device's history: time, actor, event, state before and after, and reason."""

    certid: Fingerprint
    seq: int
    at: str
    actor: str
    event: Event
    before: State | None
    after: State | None
    generation: int
    reason: str | None
    target: str | None
    prior: str
    hash: str = ""

    def with_hash(self) -> "Entry":
        """Return the entry with its hash: SHA-256 over its other fields as canonical JSON."""
        body = {key: value for key, value in asdict(self).items() if key != "hash"}
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return replace(self, hash=hashlib.sha256(text.encode()).hexdigest())
