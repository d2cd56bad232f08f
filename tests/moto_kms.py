"""Corrections of moto's KMS: it ignores that a message is a digest, and signs with disabled keys."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from cryptography.hazmat.primitives.hashes import SHA256
from moto.core.exceptions import JsonRESTError
from moto.kms.responses import KmsResponse


def correct(patched: pytest.MonkeyPatch) -> None:
    """Correct moto while `patched` lasts."""
    sign, public_key = KmsResponse.sign, KmsResponse.get_public_key

    def sign_digest(response: KmsResponse) -> str:
        key = _enabled_key(response)
        if response._get_param("MessageType") != "DIGEST" or key.key_usage != "SIGN_VERIFY":
            return sign(response)
        digest, private = response._get_param("Message"), key.private_key.private_key
        algorithm = response._get_param("SigningAlgorithm")
        if algorithm == "ECDSA_SHA_256":
            signature = private.sign(digest, ec.ECDSA(utils.Prehashed(SHA256())))
        elif algorithm == "RSASSA_PKCS1_V1_5_SHA_256":
            signature = private.sign(digest, padding.PKCS1v15(), utils.Prehashed(SHA256()))
        else:
            raise AssertionError(f"got {algorithm}, want one that this correction knows")
        signed = {"Signature": base64.b64encode(signature).decode(), "SigningAlgorithm": algorithm}
        return json.dumps({"KeyId": key.arn} | signed)

    def public_of_enabled(response: KmsResponse) -> str:
        _enabled_key(response)
        return public_key(response)

    patched.setattr(KmsResponse, "sign", sign_digest)
    patched.setattr(KmsResponse, "get_public_key", public_of_enabled)


def _enabled_key(response: KmsResponse) -> Any:
    """Return the key. Raise as KMS for a disabled one (API reference, "Sign": DisabledException)."""
    name = response._get_param("KeyId")
    response._validate_key_id(name)
    key = response.kms_backend.describe_key(name)
    if not key.enabled:
        raise JsonRESTError("DisabledException", f"{key.arn} is disabled.")
    return key
