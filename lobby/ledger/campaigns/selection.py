"""The filter of a campaign: the filter of lists, and further attributes that no index has.

The list gives the candidates; each row is then read consistently and checked. A campaign selects devices by their state
at its creation, so a device that changes its state while they are collected is not selected twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from lobby.domain.device import Device
from lobby.domain.states import PLACED_STATES, State
from lobby.ledger.lists.device_filter import Filter
from lobby.ledger.lists.filter_match import matches
from lobby.names import EnrolmentName, RenewalStatus, Target, parse_target_key

_ATTRIBUTES: Final = ("enrolment", "model", "profile", "clientversion")
"""The attributes of a row that a selection compares exactly."""
_TEXTS: Final = ("name_prefix", "fingerprint_prefix", "reason", "entered_before")


@dataclass(frozen=True)
class Selection:
    """All given conditions apply."""

    filter: Filter = field(default_factory=Filter)
    enrolment: EnrolmentName | None = None
    model: str | None = None
    profile: str | None = None
    clientversion: str | None = None
    home: Target | None = None
    """The target from which a device was evacuated."""
    share: float | None = None
    """The share of the devices that are prepared in a standby, 0 to 1. The same share always selects the same
    devices."""

    def matches(self, device: Device) -> bool:
        """Return whether a row that was read consistently is selected."""
        wanted = {name: getattr(self, name) for name in _ATTRIBUTES}
        same = all(getattr(device, name) == value for name, value in wanted.items() if value is not None)
        home = device.standby.target if device.standby and device.standby.home else None
        return same and self.home in (None, home) and self._is_in_share(device) and matches(self.filter, device)

    def _is_in_share(self, device: Device) -> bool:
        if self.share is None:
            return True
        is_ready = device.standby is not None and device.standby.is_prepared and device.devstate in PLACED_STATES
        return is_ready and int(device.certid[:8], 16) < self.share * 16**8

    def before(self, at: str) -> "Selection":
        """Return the selection, limited to devices that entered their state before a time."""
        bound = min(at, self.filter.entered_before or at)
        return replace(self, filter=replace(self.filter, entered_before=bound))

    def fields(self) -> dict[str, str]:
        """Return the given conditions as texts."""
        values = {name: getattr(self.filter, name) for name in _TEXTS} | {
            name: getattr(self, name) for name in _ATTRIBUTES
        }
        values["state"] = self.filter.state.value if self.filter.state else None
        values["renewal"] = self.filter.renewal.value if self.filter.renewal else None
        values |= {"target": str(self.filter.target) if self.filter.target else None}
        values |= {"home": str(self.home) if self.home else None}
        values |= {"share": f"{self.share:g}" if self.share is not None else None}
        return {name: value for name, value in values.items() if value is not None}


def selection_of(fields: Mapping[str, str]) -> Selection:
    """Return the selection of `fields`."""
    target = fields.get("target")
    filter_ = Filter(
        State(fields["state"]) if "state" in fields else None,
        parse_target_key(target) if target else None,
        **{name: fields.get(name) for name in _TEXTS},
        renewal=RenewalStatus(fields["renewal"]) if "renewal" in fields else None,
    )
    enrolment = fields.get("enrolment")
    return Selection(
        filter_,
        EnrolmentName(enrolment) if enrolment else None,
        fields.get("model"),
        fields.get("profile"),
        fields.get("clientversion"),
        parse_target_key(fields["home"]) if "home" in fields else None,
        float(fields["share"]) if "share" in fields else None,
    )
