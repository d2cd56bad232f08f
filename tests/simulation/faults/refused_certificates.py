"""Certificates that the lobby refuses, by the reason code in the device's row."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from tests import aws
from tests import certificates as make
from tests.simulation.faults import api_requests
from tests.simulation.faults.devices import Fleet
from tests.simulation.faults.initial_states import ONE, TWO, add_device, revoked_unconnected, waiting
from tests.simulation.faults.setup import CA, REVOKED, InitialState

_HOUR: Final = timedelta(hours=1)
_UNKNOWN_CA: Final = make.authority(number=1)


def _named(*names: str) -> x509.Name:
    return make.subject(*((NameOID.COMMON_NAME, name) for name in names))


_CERTIFICATES: Final[dict[str, Callable[[], x509.Certificate]]] = {
    "EXPIRED": lambda: make.device(CA, end=make.NOW - _HOUR),
    "NOT_YET_VALID": lambda: make.device(CA, begin=make.NOW + _HOUR),
    "UNTRUSTED_CHAIN": lambda: make.device(_UNKNOWN_CA),
    "WEAK_KEY": lambda: make.device(CA, kind="rsa-1024"),
    "NOT_A_DEVICE": lambda: make.authority("Sub CA", parent=CA, number=3).certificate,
    "NAME_INVALID": lambda: make.device(CA, "a/b"),
    "NAME_MISSING": lambda: make.device(CA, name=make.subject((NameOID.ORGANIZATIONAL_UNIT_NAME, "CN=victim"))),
    "NAME_DOUBLED": lambda: make.device(CA, name=_named("victim", "me")),
    "REVOKED_BY_ISSUER": lambda: make.device(CA, serial=REVOKED),
}


def _with_certificate(code: str, fleet: Fleet) -> None:
    add_device(fleet, pem=make.pem_of(_CERTIFICATES[code]()))


def _with_a_stale_list(fleet: Fleet) -> None:
    add_device(fleet)
    fleet.clock.advance(days=8)


def _with_an_inactive_ca(fleet: Fleet) -> None:
    add_device(fleet)
    aws.client("iot").update_ca_certificate(certificateId=fleet.ca_id, newStatus="INACTIVE")


def _of_no_registered_ca(fleet: Fleet) -> None:
    add_device(fleet, issuer=_UNKNOWN_CA.pem)


def _with_the_name_of_another(fleet: Fleet) -> None:
    """TWO's certificate has the name of ONE, which waits in the lobby."""
    waiting(fleet)
    add_device(fleet, TWO, make.pem_of(make.device(CA, ONE, number=2)))


def refused_until_the_name_was_free(fleet: Fleet) -> None:
    """TWO connected with the name of ONE, which was revoked later."""
    _with_the_name_of_another(fleet)
    fleet.cloud.settle()
    fleet.power_on(TWO)
    fleet.cloud.settle()
    api_requests.revoke(fleet, ONE)


REFUSED: Final[dict[str, tuple[InitialState, str]]] = {
    **{code: (partial(_with_certificate, code), ONE) for code in _CERTIFICATES},
    "CRL_STALE": (_with_a_stale_list, ONE),
    "CA_INACTIVE": (_with_an_inactive_ca, ONE),
    "CA_UNKNOWN": (_of_no_registered_ca, ONE),
    "NAME_TAKEN": (_with_the_name_of_another, TWO),
    "REVOKED": (revoked_unconnected, ONE),
}
"""By reason code: the initial state, and the device that connects."""
