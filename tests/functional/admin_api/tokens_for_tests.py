"""A user pool of our own: an RSA key, its public half as a JWKS, and access tokens as Cognito makes them."""

import time
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

REGION = "eu-west-1"
POOL = f"{REGION}_AbCdEf123"
CLIENT = "1example23456789"
ISSUER = f"https://cognito-idp.{REGION}.amazonaws.com/{POOL}"


@cache
def signing_key(name: str = "pool-key") -> rsa.RSAPrivateKey:
    """Made once for each name."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_jwk(name: str = "pool-key") -> dict[str, Any]:
    jwk: dict[str, Any] = RSAAlgorithm.to_jwk(signing_key(name).public_key(), as_dict=True)
    return jwk | {"kid": name, "alg": "RS256", "use": "sig"}


def claims(*groups: str, **changed: Any) -> dict[str, Any]:
    """Cognito developer guide, "Understanding the access token". A claim changed to None is left out."""
    now = int(time.time())
    made = {
        "sub": "8d0a2f5e-0000-4000-8000-000000000001", "iss": ISSUER, "client_id": CLIENT, "token_use": "access",
        "username": "alice", "scope": "aws.cognito.signin.user.admin", "auth_time": now, "iat": now, "exp": now + 3600,
        "jti": "1", "origin_jti": "2", "version": 2,
    }  # fmt: skip
    if groups:
        made["cognito:groups"] = list(groups)
    return {name: value for name, value in (made | changed).items() if value is not None}


def token(*groups: str, signed_by: str = "pool-key", kid: str | None = "pool-key", **changed: Any) -> str:
    headers = {"kid": kid} if kid is not None else {}
    return jwt.encode(claims(*groups, **changed), signing_key(signed_by), algorithm="RS256", headers=headers)


def key_of(kid: str) -> jwt.PyJWK:
    """The pool's key, as `PyJWKClient` would find it."""
    if kid != "pool-key":
        raise jwt.exceptions.PyJWKClientError(f'Unable to find a signing key that matches: "{kid}"')
    return jwt.PyJWK(public_jwk())
