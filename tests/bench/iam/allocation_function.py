"""An operator's function that chooses the target of devices, deployed by the jobs in the lobby's account."""

import io
import zipfile
from typing import Any, Final

from lobby.domain.enrolments.allocation import HOOK_PREFIX
from tests.bench.iam.fixture import JobFixture

_NAME: Final = f"{HOOK_PREFIX}jobs"
_CODE: Final = "def handler(event, context):\n    return {{'account': '{account}', 'region': '{region}'}}\n"


def allocation(fixture: JobFixture) -> dict[str, str]:
    """Return the allocation of an enrolment by the function, which chooses the second target."""
    functions: Any = fixture.deployed.client(fixture.deployed.lobby, "lambda")
    try:
        functions.get_function(FunctionName=_NAME)
    except functions.exceptions.ResourceNotFoundException:
        _deploy(fixture, functions)
    return {"function": _NAME}


def _deploy(fixture: JobFixture, functions: Any) -> None:
    content, second = io.BytesIO(), fixture.second
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("index.py", _CODE.format(account=second.account, region=second.region))
    role = fixture.deployed.client(fixture.deployed.lobby, "iam").create_role(
        RoleName=_NAME.replace("device-lobby", "jobs"), AssumeRolePolicyDocument="{}"
    )["Role"]["Arn"]
    functions.create_function(
        FunctionName=_NAME,
        Role=role,
        Runtime="python3.13",
        Handler="index.handler",
        Code={"ZipFile": content.getvalue()},
    )
