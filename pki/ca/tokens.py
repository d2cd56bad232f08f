"""CA keys in a PKCS#11 token, such as a hardware security module: the key signs there and never leaves it.

A key is named by a PKCS#11 URI (RFC 7512) with the token, the object and the module's path:
``pkcs11:token=acme;object=intermediate?module-path=/usr/lib/softhsm/libsofthsm2.so``. The CA's directory contains the
URI in place of the key. The PIN is never stored; it is the passphrase of the commands. Needs the extra `pki-token`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from lobby.errors import InvalidInput
from lobby.names import shown
from pki.ca.keys import KeyType, PrivateKey
from pki.errors import AuthorityError

_URI: Final = re.compile(r"pkcs11:([^?]*)\?([^?]*)")
_FORM: Final = "pkcs11:token=LABEL;object=LABEL?module-path=PATH"
_CURVES: Final = {KeyType.EC_P256: "secp256r1", KeyType.EC_P384: "secp384r1"}


@dataclass(frozen=True)
class TokenKey:
    """The location of a key: module, token and label."""

    token: str
    label: str
    module: Path

    @property
    def uri(self) -> str:
        return (
            f"pkcs11:token={_quoted(self.token)};object={_quoted(self.label)}?module-path={_quoted(str(self.module))}"
        )


def _quoted(text: str) -> str:
    return "".join(character if re.match(r"[\w./-]", character) else f"%{ord(character):02X}" for character in text)


def parse_uri(text: str) -> TokenKey:
    """Return the key that a URI names. Raise `InvalidInput` INVALID_KEY_URI; a PIN in the URI is rejected."""
    match = _URI.fullmatch(text.strip())
    if match is None:
        raise InvalidInput("INVALID_KEY_URI", f"got {shown(text)}, want {_FORM}")
    path, query = (dict(_pairs(part, separator)) for part, separator in zip(match.groups(), ";&", strict=True))
    if set(path) != {"token", "object"} or set(query) != {"module-path"}:
        raise InvalidInput("INVALID_KEY_URI", f"got {', '.join(sorted({*path, *query}))} in the URI, want {_FORM}")
    return TokenKey(path["token"], path["object"], Path(query["module-path"]))


def _pairs(part: str, separator: str) -> list[tuple[str, str]]:
    pairs = (each.partition("=") for each in part.split(separator) if each)
    return [(name, unquote(value)) for name, _, value in pairs]


def open_key(key: TokenKey, pin: bytes | None, create: KeyType | None = None) -> PrivateKey:
    """Return the key in the token; create it with type `create` if the token has none.

    Raise `AuthorityError` NO_TOKEN (module, token or key), BAD_PASSPHRASE (the PIN), or TOKEN_FAILED.
    """
    with _logged_in(key, pin, writes=create is not None) as (pkcs11, session):
        from pki.ca.token_keys import wrap  # noqa: PLC0415  # needs the optional dependency

        return wrap(session, _private_key(pkcs11, session, key, create), key)


def require_token(key: TokenKey, pin: bytes | None) -> None:
    """Raise like `open_key` if the token is not there or rejects the PIN. Create nothing."""
    with _logged_in(key, pin, writes=False):
        pass


@contextmanager
def _logged_in(key: TokenKey, pin: bytes | None, *, writes: bool) -> Iterator[tuple[Any, Any]]:
    """Yield the library and a session. Errors of the token are raised as `AuthorityError`."""
    try:
        import pkcs11  # noqa: PLC0415  # an optional dependency
    except ImportError:
        raise AuthorityError(
            "NO_TOKEN", "got no PKCS#11 support, want it: pip install 'device-lobby[pki-token]'"
        ) from None
    if not key.module.is_file():
        raise AuthorityError("NO_TOKEN", f"got no file {key.module}, want the PKCS#11 module (.so) of the token")
    if pin is None:
        raise AuthorityError("BAD_PASSPHRASE", f"got no PIN for the token {key.token}, want it: --passphrase-file")
    try:
        yield pkcs11, _session(pkcs11, key, pin, writes=writes)
    except pkcs11.exceptions.PKCS11Error as err:
        raise _failure(key, type(err).__name__, str(err)) from None


_PIN_REJECTED: Final = frozenset({"PinIncorrect", "PinLenRange", "PinInvalid"})


def _failure(key: TokenKey, failure: str, text: str) -> AuthorityError:
    """Return the error for an exception of the library, by its name."""
    if failure in _PIN_REJECTED:
        return AuthorityError("BAD_PASSPHRASE", f"got a PIN that the token {key.token} rejects")
    if failure == "PinLocked":
        return AuthorityError(
            "TOKEN_FAILED", f"got a locked PIN of the token {key.token}, want it unlocked by its security officer"
        )
    if failure in {"NoSuchToken", "MultipleTokensReturned"}:
        got = "no token" if failure == "NoSuchToken" else "several tokens"
        return AuthorityError("NO_TOKEN", f"got {got} {shown(key.token)} in {key.module}, want one with this label")
    return AuthorityError("TOKEN_FAILED", f"got {failure} from the token {key.token}: {text}")


def _session(pkcs11: Any, key: TokenKey, pin: bytes, *, writes: bool) -> Any:
    """Log in. A login applies to the whole process, so a second login is rejected but also not needed."""
    token = pkcs11.lib(str(key.module)).get_token(token_label=key.token)
    try:
        return token.open(rw=writes, user_pin=pin.decode(errors="replace"))
    except pkcs11.exceptions.UserAlreadyLoggedIn:
        return token.open(rw=writes)


def _private_key(pkcs11: Any, session: Any, key: TokenKey, create: KeyType | None) -> Any:
    wanted = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY, pkcs11.Attribute.LABEL: key.label}
    found = list(session.get_objects(wanted))
    if not found and create is not None:
        _generate(pkcs11, session, key, create)
        found = list(session.get_objects(wanted))
    if len(found) != 1:
        raise AuthorityError(
            "NO_TOKEN", f"got {len(found)} private keys {shown(key.label)} in the token {key.token}, want one"
        )
    return found[0]


def _generate(pkcs11: Any, session: Any, key: TokenKey, key_type: KeyType) -> None:
    """Create the key pair in the token. The private key cannot be exported."""
    identifier = key.label.encode()
    if key_type in _CURVES:
        from pkcs11.util.ec import encode_named_curve_parameters  # noqa: PLC0415

        parameters = session.create_domain_parameters(
            pkcs11.KeyType.EC,
            {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(_CURVES[key_type])},
            local=True,
        )
        parameters.generate_keypair(store=True, label=key.label, id=identifier)
        return
    bits = int(key_type.removeprefix("rsa-"))
    session.generate_keypair(pkcs11.KeyType.RSA, bits, store=True, label=key.label, id=identifier)
