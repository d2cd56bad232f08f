"""Modules that a Lambda must not import before its first event, because they make its cold start longer."""

import os
import subprocess
import sys

import pytest

BOTO3 = ("boto3", "s3transfer")
CRYPTOGRAPHY = ("cryptography",)
NOT_IMPORTED = {
    "lobby.receptionist": (*BOTO3, *CRYPTOGRAPHY),
    "lobby.arrivals": BOTO3,
    "lobby.notary": (*BOTO3, *CRYPTOGRAPHY),
    "lobby.publisher": (*BOTO3, *CRYPTOGRAPHY),
    "lobby.webhooks.courier": (*BOTO3, *CRYPTOGRAPHY),
    "commissioner.lambdas.bell": (*BOTO3, *CRYPTOGRAPHY),
    "commissioner.lambdas.lane": (*BOTO3, *CRYPTOGRAPHY),
    "commissioner.lambdas.surveyor": (*BOTO3, *CRYPTOGRAPHY),
    "lobby.doors.registration_queue": BOTO3,
    "lobby.doors.provisioning": BOTO3,
    "lobby.doors.registrar": BOTO3,
    "admin_api.handler": (*BOTO3, "lobby.domain.identity"),
    "admin_api.pages_handler": (*BOTO3, *CRYPTOGRAPHY, "botocore", "pynamodb", "strawberry", "graphql", "jwt"),
}


@pytest.mark.slow
@pytest.mark.parametrize("handler", NOT_IMPORTED)
def test_a_handler_does_not_import_modules_it_does_not_need(handler: str) -> None:
    unwanted = NOT_IMPORTED[handler]
    script = f"import sys, {handler}; print(*[name for name in {unwanted!r} if name in sys.modules])"
    process = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "AWS_REGION": "eu-west-1"},
    )
    assert process.stdout.split() == []
