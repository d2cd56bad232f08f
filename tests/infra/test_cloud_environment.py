"""Unusual AWS_* variables and AWS files: `./deploy.sh aws` reports them in one line, without a traceback."""

import pytest
from typer.testing import CliRunner

from infra.cloud import __main__ as commands

UNUSABLE = {
    "attempts that are no number": ({"AWS_MAX_ATTEMPTS": "abc"}, "invalid literal"),
    "an unknown retry mode": ({"AWS_RETRY_MODE": "bogus"}, "bogus"),
    "unknown defaults": ({"AWS_DEFAULTS_MODE": "bogus"}, "bogus"),
    "an endpoint that is no URL": ({"AWS_ENDPOINT_URL": "not a url"}, "not a url"),
    "a timeout that is no number": ({"AWS_METADATA_SERVICE_TIMEOUT": "x"}, "invalid literal"),
    "a token file that does not exist": (
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "/missing", "AWS_ROLE_ARN": "arn:aws:iam::1:role/x", "AWS_ACCESS_KEY_ID": ""},
        "No such file",
    ),
    "credentials that are no text": ({"AWS_SHARED_CREDENTIALS_FILE": "/bin/ls", "AWS_ACCESS_KEY_ID": ""}, "/bin/ls"),
    "a profile that does not exist": ({"AWS_PROFILE": "missing"}, "missing"),
    "a Region with a space": ({"AWS_REGION": "eu west"}, "eu west"),
    "a proxy that is no URL": ({"HTTP_PROXY": "foo bar", "http_proxy": "foo bar"}, "foo bar"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_cannot_be_used_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variables, message = UNUSABLE[name]
    usual = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}  # pragma: allowlist secret
    usual |= {"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    usual |= {"AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "", "no_proxy": ""}
    for variable, value in (usual | variables).items():
        monkeypatch.setenv(variable, value)
    done = CliRunner().invoke(commands.app, ["aws", "--yes"])
    assert (done.exit_code, type(done.exception)) == (1, SystemExit), done.exception
    assert done.stderr.startswith("error: NO_CREDENTIALS: got no usable credentials (")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
