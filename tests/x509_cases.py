"""Generates device and CA certificates, to compare `identity.verify` with `openssl verify`.

A case is a valid pair with a few deviations: extensions and their criticality, string types, the encoding of times,
signature algorithms, keys, serial numbers, and variations of the DER. `tests.x509_writer` writes the certificates.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from hypothesis import strategies as st

from tests.x509_values import CA_KEYS, ENCODINGS, HASHES, ISSUERS, KEYS, SERIALS, TEXT_TAGS, TIMES

Choice = tuple[str, bool]
"""The name of an extension, and whether it is critical."""
_BASIC: Final = ("none", "leaf", "leaf, FALSE written", "leaf with path length", "CA")
_USAGE: Final = ("none", "sign", "sign, encipher", "agree", "encipher", "no usage", "sign, certs")
_USES: Final = ("none", "client", "server", "client, server", "any use", "any use, client")
_MORE: Final = (
    *(
        "unknown",
        "SAN",
        "SAN email",
        "SAN ediPartyName",
        "SAN not ASCII",
        "SAN damaged",
        "IAN",
        "policies",
        "TLS feature",
    ),
    *(
        "distribution point",
        "OCSP no check",
        "netscape client",
        "netscape server",
        "authority info",
        "policy constraints",
    ),
)
_CA_BASIC: Final = ("none", "CA", "CA, path length 0", "leaf")
_CA_USAGE: Final = ("none", "certs", "certs, lists", "sign, certs", "sign")
_CA_MORE: Final = (*_MORE, "inhibit any policy", "permits example", "permits other", "excludes sensor-1")


@dataclass(frozen=True)
class Part:
    """One certificate: `extensions` are names of `EXTENSIONS` with their criticality; the others are names above."""

    extensions: tuple[Choice, ...]
    key: str = "SECP256R1"
    text: str = "utf8"
    begin: str = "utc"
    end: str = "utc"
    serial: str = "usual"
    encoding: str = "der"


DEVICE: Final = Part((("leaf", True), ("sign", True), ("client", False)))
AUTHORITY: Final = Part((("CA", True), ("certs, lists", True)))


@dataclass(frozen=True)
class Case:
    """A device's certificate and its CA. `issuer`: how the device's certificate writes the CA's name."""

    device: Part = DEVICE
    ca: Part = AUTHORITY
    algorithm: str = "sha256"
    issuer: str = "same"


def _slot(names: tuple[str, ...], usual: Choice) -> st.SearchStrategy[Choice]:
    """Draw an extension, in half of the cases the usual one."""
    return st.one_of(st.just(usual), st.tuples(st.sampled_from(names), st.booleans()))


def _parts(usual: Part, slots: list[tuple[str, ...]], keys: tuple[str, ...]) -> st.SearchStrategy[Part]:
    """Draw a part in which at most two fields differ from the usual ones."""
    defaults = (*usual.extensions, *[("none", False)] * (len(slots) - len(usual.extensions)))
    fields: dict[str, st.SearchStrategy[Any]] = {
        "extensions": st.tuples(*map(_slot, slots, defaults)),
        "key": st.sampled_from(keys),
        "text": st.sampled_from(list(TEXT_TAGS)),
        "begin": st.sampled_from(TIMES),
        "end": st.sampled_from(TIMES),
        "serial": st.sampled_from(list(SERIALS)),
        "encoding": st.sampled_from(ENCODINGS),
    }
    chosen = st.lists(st.sampled_from(["extensions"] * 6 + list(fields)), max_size=2)
    return chosen.flatmap(lambda names: st.fixed_dictionaries({name: fields[name] for name in names})).map(
        lambda changes: replace(usual, **changes)
    )


_DEVICES = _parts(DEVICE, [_BASIC, _USAGE, _USES, _MORE], KEYS)
_AUTHORITIES = _parts(AUTHORITY, [_CA_BASIC, _CA_USAGE, _USES, _CA_MORE], CA_KEYS)
cases: Final = st.one_of(
    st.builds(Case, device=_DEVICES),
    st.builds(Case, ca=_AUTHORITIES),
    st.builds(
        Case,
        device=_DEVICES,
        ca=_AUTHORITIES,
        algorithm=st.one_of(st.just("sha256"), st.sampled_from(HASHES)),
        issuer=st.one_of(st.just("same"), st.sampled_from(ISSUERS)),
    ),
    st.builds(Case, algorithm=st.sampled_from(HASHES), issuer=st.sampled_from(ISSUERS)),
)
