"""The parts of the CDK app's context that follow from single options of the command line, or from the account."""

from pathlib import Path
from typing import Any, Final

import typer
from botocore.exceptions import ClientError

from infra.cloud.account import Caller
from infra.cloud.domain_certificate import require_usable
from infra.errors import BadContext
from infra.stack_names import DOMAIN_CONFIGURATION
from infra.teardown.stacks import Stack
from lobby.names import shown
from lobby.settings import REMOVE

_IOT_LOGGING: Final = "AWS::IoT::Logging"


def endpoint_context(identity: Caller, domain: str | None, certificate: str | None) -> dict[str, str]:
    """Return the account's data-plane endpoint, and the domain in front of it. Raise `BadContext` for a certificate
    that AWS IoT cannot use, for example of another account or Region, and for a change of the deployed domain."""
    if certificate and certificate.split(":")[3:5] != [identity.region, identity.account]:
        want = f"one of account {identity.account} in {identity.region}"
        raise BadContext("BAD_CONTEXT", f"domainCertificate: got {shown(certificate)}, want {want}")
    iot = identity.session.client("iot")
    found = iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
    if domain:
        exists = _require_same_domain(iot, domain, certificate)
        if certificate:
            _check_certificate(identity.session.client("acm"), certificate, domain, deployed=exists)
        typer.echo(f"The DNS record of {domain} must be a CNAME to {found}.")
    given = {"domain": domain, "domainCertificate": certificate}
    return {"dataEndpoint": found} | {name: value for name, value in given.items() if value}


def _check_certificate(acm: Any, certificate: str, domain: str, *, deployed: bool) -> None:
    """Raise `BadContext` if AWS IoT cannot use the certificate for a new domain. CloudFormation leaves a deployed
    domain as it is, so the problem is only reported: it must not prevent an update of the lobby."""
    try:
        require_usable(acm, certificate, domain)
    except BadContext as problem:
        if not deployed:
            raise
        typer.echo(f"Devices may refuse {domain}, which stays as deployed: {problem}")


def _require_same_domain(iot: Any, domain: str, certificate: str | None) -> bool:
    """Return whether the domain configuration exists. AWS IoT can change neither its domain nor its certificate, and
    CloudFormation does not replace a resource that has a name: raise `BadContext` for a change."""
    try:
        found = iot.describe_domain_configuration(domainConfigurationName=DOMAIN_CONFIGURATION)
    except iot.exceptions.ResourceNotFoundException:
        return False
    deployed = [
        found.get("domainName"),
        *(each["serverCertificateArn"] for each in found.get("serverCertificates", ())),
    ]
    if deployed != [domain, certificate]:
        want = f"{' with '.join(map(str, deployed))} as deployed; to change it, deploy without --domain first"
        raise BadContext("BAD_CONTEXT", f"domain: got {domain} with {certificate}, want {want}")
    return True


def iot_logs_context(identity: Caller, stack: Stack) -> dict[str, str]:
    """Return that AWS IoT's logs stay as they are, if the account has enabled them in this Region and not with `stack`.
    CloudFormation's `AWS::IoT::Logging` fails if they are enabled, even without a role, and disables them when it is
    deleted."""
    if stack.resources(_IOT_LOGGING):
        return {}
    iot = identity.session.client("iot")
    try:
        found = iot.get_v2_logging_options()
    except iot.exceptions.NotConfiguredException:
        return {}
    except ClientError as error:
        typer.echo(f"It is not checked whether AWS IoT's logs are enabled: {error}")
        return {}
    role, level = found.get("roleArn"), found.get("defaultLogLevel")
    if found.get("disableAllLogs", role is None):
        return {}
    typer.echo(
        f"AWS IoT's logs in {identity.region} are enabled by this account (role {role}, level {level}) and"
        " stay as they are. They should contain errors (any level except DISABLED)."
    )
    return {"iotLogs": "false"}


def left_things_context(remove: bool) -> dict[str, str]:
    return {"leftThings": REMOVE} if remove else {}


def registry_events_context(enabled: bool) -> dict[str, str]:
    return {"registryEvents": "true"} if enabled else {}


def profiles_context(directory: Path | None) -> dict[str, str]:
    return {"profiles": str(directory)} if directory else {}


def signing_keys_context(keys: list[str] | None) -> dict[str, str]:
    return {"signingKeys": ",".join(keys)} if keys else {}


def retention_context(logs: int, anchors: int, archive: int | None) -> dict[str, str]:
    """Return the retention periods, in days."""
    days = {"logRetentionDays": str(logs), "anchorDays": str(anchors)}
    return days | ({"archiveDays": str(archive)} if archive else {})


def limits_context(registrations: int, approval_above: int) -> dict[str, str]:
    return {"registrationRate": str(registrations), "campaignApprovalAbove": str(approval_above)}
