"""Every Authorization header that must let nobody in, as one table: what is wrong with it, and who finds out.

The tests of the application put the rows to it alone, those of the deployed API to the gateway alone and to the Lambda
behind it alone. A `Pool` signs as the user pool does; rows that need no key of its are what an attacker can make.
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
def attackers_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class Pool:
    """A user pool whose signing key is known: `kid` is the key's id in its JWKS, `client` the lobby's app client."""

    issuer: str
    client: str
    kid: str
    key: Callable[[], rsa.RSAPrivateKey]

    def claims(self, *groups: str, **changed: Any) -> dict[str, Any]:
        """Cognito developer guide, "Understanding the access token". A claim changed to None is left out."""
        now = int(time.time())
        made = {
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
            made["cognito:groups"] = list(groups)
        return {name: value for name, value in (made | changed).items() if value is not None}

    def admin(self, **changed: Any) -> str:
        """A header with an admin's token, its claims changed, under a signature that holds."""
        return self.signed(json.dumps(self.claims("admin", **changed)))

    def signed(self, body: str, key: rsa.RSAPrivateKey | None = None, **header: Any) -> str:
        """Claims of any form under a header of any form. A header changed to None is left out."""
        fields = {"alg": "RS256", "typ": "JWT", "kid": self.kid} | header
        head = json.dumps({name: value for name, value in fields.items() if value is not None})
        return self.signed_text(head, body, key)

    def signed_text(self, head: str, body: str, key: rsa.RSAPrivateKey | None = None) -> str:
        said = f"{_part(head)}.{_part(body)}"
        signature = (key or self.key()).sign(said.encode(), padding.PKCS1v15(), SHA256())
        return f"Bearer {said}.{_part(signature)}"

    def unsigned(self, head: str) -> str:
        return f"Bearer {_part(head)}.{_part(json.dumps(self.claims('admin')))}."

    def forged(self, **header: Any) -> str:
        """By the attacker's own key, which the header may point at."""
        return self.signed(json.dumps(self.claims("admin")), attackers_key(), **header)

    def confused(self, secret: bytes) -> str:
        """RFC 8725, section 2.1: HMAC keyed with what everybody may know."""
        head, body = {"alg": "HS256", "kid": self.kid}, self.claims("admin")
        said = f"{_part(json.dumps(head))}.{_part(json.dumps(body))}"
        return f"Bearer {said}.{_part(hmac.digest(secret, said.encode(), 'sha256'))}"

    def with_others_claims(self) -> str:
        """A viewer's token that holds, with an admin's claims in the place of its own."""
        head, _, tail = self.signed(json.dumps(self.claims("viewer"))).split(".")
        return f"{head}.{_part(json.dumps(self.claims('admin')))}.{tail}"

    @property
    def public(self) -> rsa.RSAPublicKey:
        return self.key().public_key()


def _part(content: str | bytes) -> str:
    """Base64url as JWS has it (RFC 7515, appendix C)."""
    body = content.encode() if isinstance(content, str) else content
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


def _pem(key: rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _modulus(key: rsa.RSAPublicKey) -> bytes:
    return key.public_numbers().n.to_bytes(key.key_size // 8)


def _attackers_jwk(pool: Pool) -> dict[str, Any]:
    jwk: dict[str, Any] = RSAAlgorithm.to_jwk(attackers_key().public_key(), as_dict=True)
    return jwk | {"kid": pool.kid, "alg": "RS256", "use": "sig"}


def _doubled(pool: Pool, name: str, first: object) -> str:
    """A name twice: which one counts is each parser's own choice."""
    body = json.dumps(pool.claims("admin"))
    return pool.signed(f"{{{json.dumps(name)}: {json.dumps(first)}, {body[1:]}")


@dataclass(frozen=True)
class Forged:
    """`header` is the Authorization header, None for none. `gateway`: whether the gateway refuses it already; what it
    passes on is the application's own to refuse, with `status`."""

    header: Callable[[Pool], str | None]
    gateway: bool = True
    status: int = 401


def _claim(**changed: Any) -> Forged:
    return Forged(lambda pool: pool.admin(**changed))


def _passed_on(**changed: Any) -> Forged:
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
    "none given": Forged(lambda _: None),
    "empty": Forged(lambda _: ""),
    "no token": Forged(lambda _: "Bearer"),
    "another scheme": Forged(lambda _: "Basic dXNlcjpwYXNz"),
    "two tokens": Forged(lambda pool: f"{pool.admin()} {pool.admin().split()[1]}"),
    "not a token": Forged(lambda _: "Bearer a.b.c"),
    "huge": Forged(lambda _: "Bearer " + "a" * 17_000),
    "a header that is nested too deeply": Forged(lambda pool: pool.signed_text("[" * 6000, "{}")),
    "a header that is a list": Forged(lambda pool: pool.signed_text("[]", "{}")),
    "a body that is a list": Forged(lambda pool: pool.signed("[]")),
    "expired": _claim(exp=1_700_000_000),
    "good from tomorrow on": _claim(nbf=4_000_000_000),
    "issued tomorrow": _claim(iat=4_000_000_000, exp=4_000_003_600),
    "without expiry": _passed_on(exp=None),
    "another pool": _claim(iss="https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other"),
    "another issuer": _claim(iss=EVIL),
    "an issuer that begins like ours": Forged(lambda pool: pool.admin(iss=f"{pool.issuer}.evil.example")),
    "issuer as a list": Forged(lambda pool: pool.admin(iss=[pool.issuer])),
    "without issuer": _claim(iss=None),
    "another client": _claim(client_id="other"),
    "several clients": Forged(lambda pool: pool.admin(client_id=[pool.client])),
    "without client": _claim(client_id=None),
    "client as audience": Forged(lambda pool: pool.admin(client_id=None, aud=pool.client), gateway=False),
    "an id token": Forged(lambda pool: pool.admin(token_use="id", client_id=None, aud=pool.client), gateway=False),
    "an id token with a client": _passed_on(token_use="id"),
    "a refresh token": _passed_on(token_use="refresh"),
    "no use": _passed_on(token_use=None),
    "no subject": _passed_on(sub=None),
    "a subject that is no text": _passed_on(sub=["alice"]),
    "a use that is said twice": Forged(lambda pool: _doubled(pool, "token_use", "id"), gateway=False),
    "a client that is said twice": Forged(lambda pool: _doubled(pool, "client_id", "other"), gateway=False),
    "groups that are said twice": Forged(lambda pool: _doubled(pool, "cognito:groups", ["viewer"]), gateway=False),
    "groups that are no list": _passed_on(**{"cognito:groups": "admin"}),
    "groups that are an object": _passed_on(**{"cognito:groups": {"admin": True}}),
    "a username that is no text": _passed_on(username=["root"]),
    "a username of several lines": _passed_on(username="alice\nuser:root"),
    "a username of half a character": _passed_on(username="\ud800"),
    "a username that is too long": _passed_on(username="a" * 129),
    "an unknown key": Forged(lambda pool: pool.forged(kid="evil")),
    "another key under the pool's id": Forged(lambda pool: pool.forged()),
    "a key that the token brings along": Forged(lambda pool: pool.forged(jwk=_attackers_jwk(pool))),
    "a key that the token points to": Forged(lambda pool: pool.forged(jku=f"{EVIL}/jwks.json", x5u=f"{EVIL}/x.pem")),
    "no key id": Forged(lambda pool: pool.signed(json.dumps(pool.claims("admin")), kid=None)),
    "a key id that is a list": Forged(lambda pool: pool.signed(json.dumps(pool.claims("admin")), kid=[pool.kid])),
    **{f"a key id of {kid[:24]!r}": _of_key(kid) for kid in _KEY_IDS},
    "alg none": Forged(lambda pool: pool.unsigned(json.dumps({"alg": "none", "typ": "JWT", "kid": pool.kid}))),
    "alg None": Forged(lambda pool: pool.unsigned(json.dumps({"alg": "nOnE", "typ": "JWT", "kid": pool.kid}))),
    "alg missing": Forged(lambda pool: pool.unsigned(json.dumps({"typ": "JWT", "kid": pool.kid}))),
    "alg none, but it has a signature": Forged(
        lambda pool: pool.signed(json.dumps(pool.claims("admin")), alg="none"), gateway=False
    ),
    "alg said twice": Forged(
        lambda pool: pool.signed_text(
            f'{{"alg": "none", "alg": "RS256", "kid": "{pool.kid}"}}', json.dumps(pool.claims("admin"))
        ),
        gateway=False,
    ),
    "HS256 with the public key as the secret": Forged(lambda pool: pool.confused(_pem(pool.public))),
    "HS256 with the modulus as the secret": Forged(lambda pool: pool.confused(_modulus(pool.public))),
    "HS256 with nothing as the secret": Forged(lambda pool: pool.confused(b"")),
    "other claims under a good signature": Forged(lambda pool: pool.with_others_claims()),
    "no signature": Forged(lambda pool: pool.admin().rpartition(".")[0] + "."),
    "an extension that must be understood": Forged(
        lambda pool: pool.signed(json.dumps(pool.claims("admin")), crit=["exp"]), gateway=False
    ),
    "no group": _groups(),
    "a group that is no role": _groups("engineers"),
    "a target's group only": _groups("target:200000000002/eu-west-1"),
    "a role in capitals": _groups("Admin"),
    "a role with a space": _groups("admin "),
    "all roles in one": _groups("viewer,technician,operator,admin"),
}
"""By what is wrong."""
