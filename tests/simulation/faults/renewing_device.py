"""A simulated device that renews its certificate as the reference client does (`device/machine/renewal.py`).

It keeps both certificates until it has connected to its target with the new one; prefers the new one in the lobby and,
from its generation on, in the target; and presents the other one if it is refused. It sends the same request again
until it has the certificate, and returns to its target after some requests without an answer.
"""

from dataclasses import dataclass, field
from typing import Final

from lobby.domain.identity import load_certificate
from lobby.domain.trust.signing_request import public_key_of
from lobby.names import Fingerprint, Target
from lobby.wire import NewCertificate, RenewalRequest, Reset, Route, parse_message
from tests import certificates as make
from tests.aws import HOME
from tests.simulation.faults.devices import ENDPOINTS, SimulatedDevice

_REQUESTS: Final = 3
"""Requests during one visit of the lobby."""
_FIRST_KEY: Final = 60


@dataclass
class RenewingDevice(SimulatedDevice):
    """`used` is the certificate in use, `new` the one that it has stored next to it, both in PEM."""

    renews: bool = True
    used: str = ""
    new: str | None = None
    new_from: int = 0
    """The generation of the route from which `new` works in the target."""
    visits: bool = False
    """It is in the lobby for a renewal, and goes back to its target afterwards."""
    asked: bool = False
    requests: int = 0
    keys: int = 0
    """How many new keys it has lost."""
    holds_back: bool = False
    """It does not send its request yet."""
    held: Route | None = None
    stored: list[Fingerprint] = field(default_factory=list)
    """All new certificates that it has stored."""
    unreachable: list[str] = field(default_factory=list)
    """When it could connect with none of its certificates."""

    def __post_init__(self) -> None:
        self.used = self.used or self.pem

    def candidates(self, where: Target) -> tuple[Fingerprint, ...]:
        used = make.fingerprint_of(self.used)
        if self.new is None:
            return (used,)
        new = make.fingerprint_of(self.new)
        prefers = where == HOME or (self.route is not None and (self.route.generation or 0) >= self.new_from)
        return (new, used) if prefers else (used, new)

    def connect(self, where: Target) -> bool:
        preferred, connected = self.candidates(where)[0], super().connect(where)
        if not connected or where == HOME or self.new is None:
            return connected
        new = make.fingerprint_of(self.new)
        if self.session == new:
            self.used, self.new = self.new, None
        elif preferred == new:  # refused by a target that accepts the old one: the client finally discards it
            self.new = None
            self.lose_new_key()
        return connected

    def request(self) -> str | None:
        if not self.asked or self.connected_to != HOME or self.holds_back or self.requests >= _REQUESTS:
            return None
        self.requests += 1
        return self.csr()

    def csr(self) -> str:
        return make.signing_request(self.name, _FIRST_KEY + self.keys)

    def lose_new_key(self) -> None:
        """A power cut before the new certificate was stored, in which the new key was lost."""
        self.keys += 1
        self.requests = 0

    def next_target(self) -> Target | None:
        inbox, self.inbox = self.inbox, []
        target = None
        for where, payload in inbox:
            message = parse_message(payload)
            if isinstance(message, Reset):
                self.route, self.held, target = None, None, HOME if where != HOME else None
            elif isinstance(message, Route):
                target = self._follow(message, where) or target
            elif isinstance(message, RenewalRequest):
                target = self._on_request(where) or target
            elif isinstance(message, NewCertificate) and where == HOME and self.asked:
                target = self._store(message) or target
        return target or self._after_visit()

    def _on_request(self, where: Target) -> Target | None:
        if where == HOME and self.new is not None:
            return None
        self.visits, self.asked, self.requests = True, self.new is None, 0
        return HOME if where != HOME else None

    def _follow(self, route: Route, where: Target) -> Target | None:
        if where == HOME and (self.asked or self._is_early(route)):
            self.held = route
            return None
        if route == self.route and where != HOME:
            return None
        self.route, self.visits = route, False
        return ENDPOINTS[route.iotep]

    def _is_early(self, route: Route) -> bool:
        return self.new is not None and (route.generation or 0) < self.new_from

    def _store(self, message: NewCertificate) -> Target | None:
        if public_key_of(load_certificate(message.pem)) != self._new_key():
            return None
        self.new, self.new_from, self.asked = message.pem, message.generation, False
        self.stored.append(make.fingerprint_of(message.pem))
        held, self.held = self.held, None
        return self._follow(held, HOME) if held else None

    def _new_key(self) -> bytes:
        return public_key_of(make.load_request(self.csr()))

    def _after_visit(self) -> Target | None:
        """Leave the lobby if nothing else is to happen: the answer or the new route did not come in time."""
        waits = self.holds_back or (self.asked and self.requests < _REQUESTS)
        if self.connected_to != HOME or waits or not self.visits:
            return None
        self.visits, self.asked, held, self.held = False, False, self.held, None
        self.route = held or self.route
        return ENDPOINTS[self.route.iotep] if self.route else None
