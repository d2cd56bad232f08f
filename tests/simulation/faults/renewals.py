"""The renewal of a certificate under faults: its initial states, what happens, and what must be true of every outcome.

AWS IoT issues another certificate for each attempt, so outcomes are compared after each fingerprint is replaced by its
position in the device's chain of certificates. Orphans, which AWS IoT has issued and no row names, are part of the
registry: the run ends with the job that deletes them. After each call, the device must be able to connect with one of
its certificates, in the lobby and in the target that its row names. Differences that a fault may leave in the history:
the device was asked once more; its target has refused to ask; or a request is not recorded, because the commissioner
stopped after it had sent it, and the device renewed before the repetition.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from moto.iot.models import iot_backends

from commissioner.commissioning import ACTOR as COMMISSIONER
from lobby.domain.device import Entry
from lobby.domain.states import Event
from lobby.ledger.items import entry_of
from lobby.ledger.models import HistoryRow
from lobby.ledger.renewals.renewal_writer import ASKED
from tests import aws
from tests.aws import HOME, LOBBY, REGION
from tests.simulation.faults import api_requests, initial_states
from tests.simulation.faults.devices import A, B, Fleet, SimulatedDevice
from tests.simulation.faults.initial_states import ONE
from tests.simulation.faults.injector import Fault
from tests.simulation.faults.matrix import ADMIN_API, HELLO_ATTRIBUTES, SURVIVED, Cell, ScenarioRunner
from tests.simulation.faults.outcomes import Outcome, outcome_of
from tests.simulation.faults.renewing_device import RenewingDevice
from tests.simulation.faults.scenarios import Scenario

ASKED_AGAIN: Final = "asked again"
DAYS: Final = 3
"""The daily rounds after the renewal was due: the first one asks, a later one repeats what a fault has prevented."""
_TIMES: Final = ("renewedat", "renewby", "renewal")
_ISSUE: Final = "iot.CreateCertificateFromCsr"


def device_of(fleet: Fleet) -> RenewingDevice:
    return device_of_all(fleet.devices)


def device_of_all(devices: Mapping[str, SimulatedDevice]) -> RenewingDevice:
    device = devices[ONE]
    assert isinstance(device, RenewingDevice)
    return device


def in_target(fleet: Fleet) -> None:
    """A device that can renew has arrived in A a month ago."""
    first = initial_states.add_device(fleet)
    fleet.devices[ONE] = RenewingDevice(first.name, first.pem, first.issuer)
    fleet.power_on(ONE)
    fleet.cloud.settle()
    api_requests.claim(fleet, ONE, A)
    fleet.cloud.settle()
    fleet.clock.advance(days=31)


def asked(fleet: Fleet) -> None:
    """It was asked, is in the lobby, and has not sent its request."""
    in_target(fleet)
    device_of(fleet).holds_back = True
    fleet.cloud.timer("reconciler", {}, runs=1)
    fleet.cloud.settle()


def without_its_new_key(fleet: Fleet) -> None:
    """Its new certificate was signed, and it has lost the new key."""
    asked(fleet)
    device = device_of(fleet)
    fleet.cloud.rule("renewer", {"certid": device.presented, "devicename": device.name, "csr": device.csr()})
    device.inbox.clear()
    device.lose_new_key()


def _days(fleet: Fleet) -> None:
    """Let the daily rounds run, and then the job that deletes orphans."""
    for _ in range(DAYS):
        fleet.cloud.settle()
        fleet.cloud.timer("reconciler", {}, runs=2)
        fleet.cloud.settle()
        fleet.clock.advance(days=1)
    fleet.cloud.timer("registrar", {"operation": "run"})
    fleet.cloud.settle()


def renew(fleet: Fleet) -> None:
    _watched(fleet)
    device_of(fleet).holds_back = False
    _days(fleet)


def _while(change: Callable[[Fleet], None]) -> Callable[[Fleet], None]:
    """Return a renewal during which a user changes the device: its request was served, and nothing else yet."""

    def action(fleet: Fleet) -> None:
        _watched(fleet)
        device_of(fleet).holds_back = False
        fleet.act()
        change(fleet)
        _days(fleet)

    return action


DURING: Final = (
    Scenario("move during a renewal", asked, _while(lambda f: api_requests.move(f, ONE, B))),
    Scenario("release during a renewal", asked, _while(lambda f: api_requests.release(f, ONE))),
    Scenario("revocation during a renewal", asked, _while(lambda f: api_requests.revoke(f, ONE)), "REVOKED"),
)
"""The renewer and the user have no late retries here: the renewal could be complete before the user's change."""
SCENARIOS: Final = (
    Scenario("a certificate is due", in_target, renew),
    Scenario("the device requests a certificate", asked, renew),
    Scenario("the device has lost its new key", without_its_new_key, renew),
    *DURING,
)


def _watched(fleet: Fleet) -> None:
    """Date the certificates that AWS IoT issues by the scenario's clock, and require after each call that the device
    can connect."""
    fleet.injector.observers[_ISSUE] = lambda _request: _date(fleet)
    fleet.injector.watch = lambda: _check_reachable(fleet)


def _date(fleet: Fleet) -> None:
    newest = list(iot_backends[LOBBY][REGION].certificates.values())[-1]
    newest.creation_date = newest.last_modified_date = fleet.clock()


def _check_reachable(fleet: Fleet) -> None:
    """Record it if a device that is not revoked has no certificate that works in the lobby, or none in the target that
    its row names and to which it has the route."""
    device = device_of(fleet)
    row = aws.item(device.certid)
    if row is None or row["devstate"]["S"] == "revoked":
        return
    calls = fleet.injector.calls
    last = str(calls[-1]) if calls else "the start"
    if device.accepted_at(HOME) is None:
        device.unreachable.append(f"no certificate works in the lobby after {last}")
    placed = row.get("target", {}).get("S") == str(A) and row["devstate"]["S"] in ("claimed", "commissioned", "arrived")
    if placed and device.route is not None and device.accepted_at(A) is None:
        device.unreachable.append(f"no certificate works in {A} after {last}")


def renewal_outcome(fleet: Fleet) -> Outcome:
    """Return the outcome with the certificates of the device's chain named by their place, and without times."""
    found, chain = outcome_of(fleet), _chain(device_of(fleet).certid)
    named = {name: _named(getattr(found, name), chain) for name in ("rows", "registries", "active", "histories")}
    device = device_of(fleet)
    has = [chain.get(each, each) for each in device.candidates(HOME)]
    rows = {
        certid: {name: value for name, value in row.items() if name not in _TIMES}
        for certid, row in named["rows"].items()
    }
    keys = [row for row in aws.items("device-lobby-certificates") if row["certid"]["S"].startswith("key#")]
    return replace(
        found,
        violations=[*found.violations, *device.unreachable],
        rows=rows,
        registries=_unsorted(named["registries"]),
        active=_unsorted(named["active"]),
        histories={certid: [tuple(line) for line in lines] for certid, lines in _all_lines(chain).items()},
        devices={**found.devices, "has": has, "chain": sorted(chain.values()), "keys": len(keys)},
    )


def _chain(certid: str) -> dict[str, str]:
    """Return the certificates that the device got by renewals that are recorded, by fingerprint: `first`, `renewed 1`
    and so on. Several that renew the same one are distinguished by whether the row still names them."""
    rows = {row["certid"]["S"]: row for row in aws.items("device-lobby-certificates")}
    mine = [name for name, row in rows.items() if row.get("device", {}).get("S") == certid and "renews" in row]
    order = [entry.reason for entry in _entries(certid) if entry.event is Event.RENEW]
    return {name: f"renewed {order.index(name) + 1}" for name in mine}


def _entries(certid: str) -> list[Entry]:
    entries = []
    for item in aws.items("device-lobby-history"):
        row = HistoryRow()
        row.deserialize(item)
        if row.certid == certid:
            entries.append(entry_of(row))
    return sorted(entries, key=lambda entry: entry.seq)


def _all_lines(chain: dict[str, str]) -> dict[str, list[Any]]:
    """Return the histories in their order, with each entry, also that the device was asked."""
    found: dict[str, list[Any]] = {}
    for certid in {row["certid"]["S"] for row in aws.items("device-lobby-history")}:
        found[certid] = [
            (entry.event.value, chain.get(entry.reason or "", entry.reason or ""), entry.target or "", entry.actor)
            for entry in _entries(certid)
        ]
    return found


def _named(value: Any, names: dict[str, str]) -> Any:
    text = json.dumps(value)
    for fingerprint, name in names.items():
        text = text.replace(fingerprint, name)
    return json.loads(text)


def _unsorted(value: Any) -> Any:
    """Sort again what was sorted by fingerprints."""
    if isinstance(value, dict):
        return {name: _unsorted(each) for name, each in value.items()}
    return sorted(value, key=str) if isinstance(value, list) else value


class RenewalRunner(ScenarioRunner):
    """Judges as `ScenarioRunner`, and knows one more result: the device was asked once more."""

    @staticmethod
    def outcome_of(fleet: Fleet) -> Outcome:
        return renewal_outcome(fleet)

    def cell(self, number: int, fault: Fault, paces: Sequence[bool] = (False, True)) -> Cell:
        at_once = self._scenario in DURING and self.calls[number - 1].by in ("renewer", ADMIN_API)
        return super().cell(number, fault, (False,) if at_once else paces)

    def _judge(self, fleet: Fleet) -> tuple[str, list[str]]:
        outcome = renewal_outcome(fleet)
        lost = outcome.differs(self._expected)
        if not lost:
            return SURVIVED, []
        others = outcome.differs(self._expected, ignoring=("rows", "histories"))
        same_rows = _without_hellos(outcome.rows) == _without_hellos(self._expected.rows)
        if not others and same_rows and all(map(self._only_asked_more, outcome.histories, outcome.histories.values())):
            return ASKED_AGAIN, []
        return super()._judge(fleet)

    def _only_asked_more(self, certid: str, lines: Sequence[Any]) -> bool:
        """Return whether this history has only more requests, refusals of the target to ask, other steps of the
        retirement (an entry names the first of the certificates that are retired together), no record of a request that
        the device has followed, and no or another hello: a hello that is processed late finds that the device is
        further."""
        surplus = Counter(lines)
        surplus.subtract(self._expected.histories.get(certid, []))
        changed = {line: count for line, count in surplus.items() if count and not _varies(line)}
        has_renewed = any(line[0] == Event.RENEW for line in lines)
        return all(
            _is_request(line) if count > 0 else has_renewed and _is_record_of_request(line)
            for line, count in changed.items()
        )


def _varies(line: Any) -> bool:
    retirement = line[0] == Event.RETIRE and (len(line[1]) == 64 or line[1].startswith("renewed"))
    return retirement or line[0] == Event.HELLO


def _without_hellos(rows: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {certid: {name: row[name] for name in row.keys() - HELLO_ATTRIBUTES} for certid, row in rows.items()}


def _is_record_of_request(line: Any) -> bool:
    return bool(line[0] == Event.DUE and line[1] == ASKED and line[3] == COMMISSIONER)


def _is_request(line: Any) -> bool:
    refused = line[0] == Event.RETIRE and line[1] and line[3] == COMMISSIONER
    return refused or (line[0] == Event.DUE and line[1] in ("", ASKED))
