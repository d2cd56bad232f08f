"""Authorization headers that must be rejected, as one table: the fault, and whether gateway or application rejects it.

The functional tests send every row to the application. The tests of the deployed API send them to the gateway, and to
the Lambda without the gateway. A `Pool` signs like the user pool. An attacker can create all rows that do not use the
pool's key.
"""

import base64
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from jwt.algorithms import RSAAlgorithm

EVIL: Final = "https://evil.example"


@cache
def attacker_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class Pool:
    """A user pool with a known signing key. `kid` is the key id in its JWKS, `client` the lobby's app client."""

    issuer: str
    client: str
    kid: str
    key: Callable[[], rsa.RSAPrivateKey]

    def claims(self, *groups: str, **changed: Any) -> dict[str, Any]:
        """Return the claims of an access token (Cognito developer guide, "Understanding the access token").

        A claim that is changed to None is omitted."""
        now = int(time.time())
        claims = {
            "sub": "8d0a2f5e-0000-4000-8000-000000000001",
            "iss": self.issuer,
            "client_id": self.client,
            "token_use": "access",
            "username": "alice",
            "scope": "aws.cognito.signin.user.admin",
            "auth_time": now,
            "iat": now,
            "exp": now + 3600,
            "jti": "1",
            "origin_jti": "2",
            "version": 2,
        }
        if groups:
            claims["cognito:groups"] = list(groups)
        return {name: value for name, value in (claims | changed).items() if value is not None}

    def admin(self, **changed: Any) -> str:
        """Return a header with an admin's token that has changed claims and a valid signature."""
        return self.signed(json.dumps(self.claims("admin", **changed)))

    def signed(self, body: str, key: rsa.RSAPrivateKey | None = None, **header: Any) -> str:
        """Sign any claims with any header. A header field that is changed to None is omitted."""
        fields = {"alg": "RS256", "typ": "JWT", "kid": self.kid} | header
        head = json.dumps({name: value for name, value in fields.items() if value is not None})
        return self.signed_text(head, body, key)

    def signed_text(self, head: str, body: str, key: rsa.RSAPrivateKey | None = None) -> str:
        signed = f"{_part(head)}.{_part(body)}"
        signature = (key or self.key()).sign(signed.encode(), padding.PKCS1v15(), SHA256())
        return f"Bearer {signed}.{_part(signature)}"

    def unsigned(self, head: str) -> str:
        return f"Bearer {_part(head)}.{_part(json.dumps(self.claims('admin')))}."

    def forged(self, **header: Any) -> str:
        """Sign with the attacker's own key, which the header may refer to."""
        return self.signed(json.dumps(self.claims("admin")), attacker_key(), **header)

    def confused(self, secret: bytes) -> str:
        """Sign with HMAC and a public value as the key (RFC 8725, section 2.1)."""
        head, body = {"alg": "HS256", "kid": self.kid}, self.claims("admin")
        signed = f"{_part(json.dumps(head))}.{_part(json.dumps(body))}"
        return f"Bearer {signed}.{_part(hmac.digest(secret, signed.encode(), 'sha256'))}"

    def with_replaced_claims(self) -> str:
        """Return a viewer's token whose claims are replaced by an admin's."""
        head, _, tail = self.signed(json.dumps(self.claims("viewer"))).split(".")
        return f"{head}.{_part(json.dumps(self.claims('admin')))}.{tail}"

    @property
    def public(self) -> rsa.RSAPublicKey:
        return self.key().public_key()


def _part(content: str | bytes) -> str:
    """Encode as base64url without padding (RFC 7515, appendix C)."""
    body = content.encode() if isinstance(content, str) else content
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


def _pem(key: rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _modulus(key: rsa.RSAPublicKey) -> bytes:
    return key.public_numbers().n.to_bytes(key.key_size // 8)


def _attacker_jwk(pool: Pool) -> dict[str, Any]:
    jwk: dict[str, Any] = RSAAlgorithm.to_jwk(attacker_key().public_key(), as_dict=True)
    return jwk | {"kid": pool.kid, "alg": "RS256", "use": "sig"}


def _duplicated(pool: Pool, name: str, first: object) -> str:
    """Return a token with a duplicate name, which parsers resolve differently."""
    body = json.dumps(pool.claims("admin"))
    return pool.signed(f"{{{json.dumps(name)}: {json.dumps(first)}, {body[1:]}")


@dataclass(frozen=True)
class Forged:
    """`header` returns the Authorization header, or None for none. `gateway`: whether the gateway rejects it. The
    application rejects it with `status`."""

    header: Callable[[Pool], str | None]
    gateway: bool = True
    status: int = 401


def _claim(**changed: Any) -> Forged:
    return Forged(lambda pool: pool.admin(**changed))


def _application_only(**changed: Any) -> Forged:
    return Forged(lambda pool: pool.admin(**changed), gateway=False)


def _of_key(kid: str) -> Forged:
    return Forged(lambda pool: pool.forged(kid=kid))


def _groups(*groups: str) -> Forged:
    return Forged(lambda pool: pool.signed(json.dumps(pool.claims(*groups))), gateway=False, status=403)


_KEY_IDS: Final = (
    "evil",
    "../../../../etc/passwd",
    "/dev/null",
    f"{EVIL}/jwks.json",
    "' OR '1'='1",
    "",
    "kid\x00",
    "a" * 5000,
)

FORGED: Final[dict[str, Forged]] = {
    "no header": Forged(lambda _: None),
    "empty": Forged(lambda _: ""),
    "no token": Forged(lambda _: "Bearer"),
    "another scheme": Forged(lambda _: "Basic dXNlcjpwYXNz"),
    "two tokens": Forged(lambda pool: f"{pool.admin()} {pool.admin().split()[1]}"),
    "not a token": Forged(lambda _: "Bearer a.b.c"),
    "huge": Forged(lambda _: "Bearer " + "a" * 17_000),
    "deeply nested header": Forged(lambda pool: pool.signed_text("[" * 6000, "{}")),
    "header as a list": Forged(lambda pool: pool.signed_text("[]", "{}")),
    "claims as a list": Forged(lambda pool: pool.signed("[]")),
    "expired": _claim(exp=1_700_000_000),
    "not yet valid": _claim(nbf=4_000_000_000),
    "issued in the future": _claim(iat=4_000_000_000, exp=4_000_003_600),
    "without expiry": _application_only(exp=None),
    "another pool": _claim(iss="https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other"),
    "another issuer": _claim(iss=EVIL),
    "issuer with a suffix": Forged(lambda pool: pool.admin(iss=f"{pool.issuer}.evil.example")),
    "issuer as a list": Forged(lambda pool: pool.admin(iss=[pool.issuer])),
    "without issuer": _claim(iss=None),
    "another client": _claim(client_id="other"),
    "several clients": Forged(lambda pool: pool.admin(client_id=[pool.client])),
    "without client": _claim(client_id=None),
    "client as audience": Forged(lambda pool: pool.admin(client_id=None, aud=pool.client), gateway=False),
    "an id token": Forged(lambda pool: pool.admin(token_use="id", client_id=None, aud=pool.client), gateway=False),
    "an id token with a client": _application_only(token_use="id"),
    "a refresh token": _application_only(token_use="refresh"),
    "no token_use": _application_only(token_use=None),
    "no subject": _application_only(sub=None),
    "subject as a list": _application_only(sub=["alice"]),
    "duplicate token_use": Forged(lambda pool: _duplicated(pool, "token_use", "id"), gateway=False),
    "duplicate client_id": Forged(lambda pool: _duplicated(pool, "client_id", "other"), gateway=False),
    "duplicate groups": Forged(lambda pool: _duplicated(pool, "cognito:groups", ["viewer"]), gateway=False),
    "groups as text": _application_only(**{"cognito:groups": "admin"}),
    "groups as an object": _application_only(**{"cognito:groups": {"admin": True}}),
    "username as a list": _application_only(username=["root"]),
    "username with a line break": _application_only(username="alice\nuser:root"),
    "username with a lone surrogate": _application_only(username="\ud800"),
    "too long username": _application_only(username="a" * 129),
    "unknown key": Forged(lambda pool: pool.forged(kid="evil")),
    "another key with the pool's key id": Forged(lambda pool: pool.forged()),
    "key in the token (jwk)": Forged(lambda pool: pool.forged(jwk=_attacker_jwk(pool))),
    "key URL in the token (jku, x5u)": Forged(lambda pool: pool.forged(jku=f"{EVIL}/jwks.json", x5u=f"{EVIL}/x.pem")),
    "no key id": Forged(lambda pool: pool.signed(json.dumps(pool.claims("admin")), kid=None)),
    "key id as a list": Forged(lambda pool: pool.signed(json.dumps(pool.claims("admin")), kid=[pool.kid])),
    **{f"a key id of {kid[:24]!r}": _of_key(kid) for kid in _KEY_IDS},
    "alg none": Forged(lambda pool: pool.unsigned(json.dumps({"alg": "none", "typ": "JWT", "kid": pool.kid}))),
    "alg None": Forged(lambda pool: pool.unsigned(json.dumps({"alg": "nOnE", "typ": "JWT", "kid": pool.kid}))),
    "alg missing": Forged(lambda pool: pool.unsigned(json.dumps({"typ": "JWT", "kid": pool.kid}))),
    "alg none with a signature": Forged(
        lambda pool: pool.signed(json.dumps(pool.claims("admin")), alg="none"), gateway=False
    ),
    "duplicate alg": Forged(
        lambda pool: pool.signed_text(
            f'{{"alg": "none", "alg": "RS256", "kid": "{pool.kid}"}}', json.dumps(pool.claims("admin"))
        ),
        gateway=False,
    ),
    "HS256 with the public key as the secret": Forged(lambda pool: pool.confused(_pem(pool.public))),
    "HS256 with the modulus as the secret": Forged(lambda pool: pool.confused(_modulus(pool.public))),
    "HS256 with an empty secret": Forged(lambda pool: pool.confused(b"")),
    "replaced claims": Forged(lambda pool: pool.with_replaced_claims()),
    "no signature": Forged(lambda pool: pool.admin().rpartition(".")[0] + "."),
    "critical extension (crit)": Forged(
        lambda pool: pool.signed(json.dumps(pool.claims("admin")), crit=["exp"]), gateway=False
    ),
    "no group": _groups(),
    "group that is not a role": _groups("engineers"),
    "only a target's group": _groups("target:200000000002/eu-west-1"),
    "role in upper case": _groups("Admin"),
    "role with a space": _groups("admin "),
    "all roles in one group": _groups("viewer,technician,operator,admin"),
}
"""By fault."""
