"""A test user pool: an RSA key, its public key as a JWKS, and access tokens in Cognito's format."""

import json
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.forged_tokens import Pool

REGION = "eu-west-1"
POOL = f"{REGION}_AbCdEf123"
CLIENT = "1example23456789"
ISSUER = f"https://cognito-idp.{REGION}.amazonaws.com/{POOL}"


@cache
def signing_key(name: str) -> rsa.RSAPrivateKey:
    """Return the key with this name; it is generated once."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


USER_POOL = Pool(ISSUER, CLIENT, "pool-key", lambda: signing_key("pool-key"))


def public_jwk(name: str = "pool-key") -> dict[str, Any]:
    jwk: dict[str, Any] = RSAAlgorithm.to_jwk(signing_key(name).public_key(), as_dict=True)
    return jwk | {"kid": name, "alg": "RS256", "use": "sig"}


def token(*groups: str, signed_by: str = "pool-key", kid: str | None = "pool-key", **changed: Any) -> str:
    """Return a token without `Bearer`. A claim that is changed to None is omitted."""
    body = json.dumps(USER_POOL.claims(*groups, **changed))
    return USER_POOL.signed(body, signing_key(signed_by), kid=kid).removeprefix("Bearer ")


def key_of(kid: str) -> jwt.PyJWK:
    """Return the pool's key, or raise like `PyJWKClient`."""
    if kid != "pool-key":
        raise jwt.exceptions.PyJWKClientError(f'Unable to find a signing key that matches: "{kid}"')
    return jwt.PyJWK(public_jwk())
