"""The runbooks in docs/operate.md, docs/archive.md and docs/regions.md: their commands, as written, and a stand-in for
the AWS CLI."""

import re
import shlex
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.session import Session

PAGE: Final = Path(__file__).parents[1] / "docs" / "operate.md"
PHONE: Final = "Runbook: a technician's phone is stolen"
ARCHIVE_PAGE: Final = PAGE.with_name("archive.md")
ARCHIVE: Final = "Runbook: events were not archived"
REGIONS_PAGE: Final = PAGE.with_name("regions.md")
HOME_DOWN: Final = "Runbook: the home Region is down"
DOOR_DOWN: Final = "Runbook: a door Region of two is down"
ADD_REGION: Final = "Runbook: add a Region"
REMOVE_REGION: Final = "Runbook: remove a Region"
REMOVE_LOBBY: Final = "Runbook: remove a lobby with several Regions"
AUTHORITY: Final = "Runbook: a manufacturer's CA is compromised"


def commands_of(runbook: str, page: Path = PAGE) -> list[str]:
    """Return the commands of a runbook, in order."""
    section = re.split(r"^## ", page.read_text(), flags=re.MULTILINE)
    [text] = [each for each in section if each.startswith(f"{runbook}\n")]
    return re.findall(r"^ *\$ (.+)$", text, flags=re.MULTILINE)


def aws_call(command: str) -> tuple[str, str, dict[str, str]]:
    """Return service, operation and parameters of an `aws` command, by AWS's own model. Raise `ValueError` for an
    operation or option that does not exist."""
    program, service, operation, *options = shlex.split(command)
    model = Session().get_service_model(service)
    name = operation.title().replace("-", "")
    if program != "aws" or name not in model.operation_names:
        raise ValueError(f"got {command}, want an operation of {service}")
    shape = model.operation_model(name).input_shape
    members = shape.members if shape else {}
    by_option = {"--" + re.sub(r"(?<!^)(?=[A-Z])", "-", member).lower(): member for member in members}
    wrong = set(options[::2]) - by_option.keys()
    if wrong:
        raise ValueError(f"got the options {sorted(wrong)}, want those of {name}")
    return service, name, {by_option[key]: value for key, value in zip(options[::2], options[1::2], strict=True)}


def run_aws(command: str, session: boto3.Session) -> dict[str, Any]:
    """Carry out an `aws` command."""
    create: Any = session.client
    service, name, parameters = aws_call(command)
    method = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    answer: dict[str, Any] = getattr(create(service), method)(**parameters)
    return answer
