"""Certificates that may not come in, by the reason that their rows shall give, each in its box."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from tests import aws
from tests import certificates as make
from tests.simulation.faults import presses
from tests.simulation.faults.beginnings import ONE, TWO, banned_in_its_box, box, waiting
from tests.simulation.faults.field import Field
from tests.simulation.faults.ground import CA, REVOKED, Beginning

_HOUR: Final = timedelta(hours=1)
_STRANGER: Final = make.authority(number=1)


def _named(*names: str) -> x509.Name:
    return make.subject(*((NameOID.COMMON_NAME, name) for name in names))


_CERTIFICATES: Final[dict[str, Callable[[], x509.Certificate]]] = {
    "EXPIRED": lambda: make.device(CA, end=make.NOW - _HOUR),
    "NOT_YET_VALID": lambda: make.device(CA, begin=make.NOW + _HOUR),
    "UNTRUSTED_CHAIN": lambda: make.device(_STRANGER),
    "WEAK_KEY": lambda: make.device(CA, kind="rsa-1024"),
    "NOT_A_DEVICE": lambda: make.authority("Sub CA", parent=CA, number=3).certificate,
    "NAME_INVALID": lambda: make.device(CA, "a/b"),
    "NAME_MISSING": lambda: make.device(CA, name=make.subject((NameOID.ORGANIZATIONAL_UNIT_NAME, "CN=victim"))),
    "NAME_DOUBLED": lambda: make.device(CA, name=_named("victim", "me")),
    "REVOKED_BY_ISSUER": lambda: make.device(CA, serial=REVOKED),
}


def _with_certificate(code: str, field: Field) -> None:
    box(field, pem=make.pem_of(_CERTIFICATES[code]()))


def _when_the_list_is_stale(field: Field) -> None:
    box(field)
    field.clock.advance(days=8)


def _when_the_ca_is_out_of_use(field: Field) -> None:
    box(field)
    aws.client("iot").update_ca_certificate(certificateId=field.ca_id, newStatus="INACTIVE")


def _of_no_registered_ca(field: Field) -> None:
    box(field, issuer=_STRANGER.pem)


def _with_the_name_of_another(field: Field) -> None:
    """TWO's certificate says that it is ONE, who waits in the lobby."""
    waiting(field)
    box(field, TWO, make.pem_of(make.device(CA, ONE, number=2)))


def turned_away_until_the_name_was_free(field: Field) -> None:
    """TWO came as ONE, who was banned later."""
    _with_the_name_of_another(field)
    field.cloud.settle()
    field.power_on(TWO)
    field.cloud.settle()
    presses.revoke(field, ONE)


REFUSED: Final[dict[str, tuple[Beginning, str]]] = {
    **{code: (partial(_with_certificate, code), ONE) for code in _CERTIFICATES},
    "CRL_STALE": (_when_the_list_is_stale, ONE),
    "CA_INACTIVE": (_when_the_ca_is_out_of_use, ONE),
    "CA_UNKNOWN": (_of_no_registered_ca, ONE),
    "NAME_TAKEN": (_with_the_name_of_another, TWO),
    "REVOKED": (banned_in_its_box, ONE),
}
"""The beginning, and which device knocks."""
