"""The endpoint that devices connect to, and the data-plane endpoint that the lobby's Lambdas publish to.

Every account has its own endpoint in each Region. A custom domain is a domain configuration of AWS IoT with a
certificate in ACM. Its DNS record points to the account's endpoint. Devices that know the domain keep working if the
lobby moves to another account or Region.
"""

from typing import Final

from aws_cdk import CfnOutput
from aws_cdk import aws_iot as iot
from constructs import Construct

from infra import stack_names
from infra.settings import Settings

_SECURITY_POLICY: Final = "IoTSecurityPolicy_TLS13_1_2_2022_10"
"""TLS 1.3, and 1.2 for older devices; the default of AWS IoT (developer guide, "Security policies")."""


def environment(settings: Settings) -> dict[str, str]:
    """Return the setting of the Lambdas that publish to devices."""
    return {"IOT_DATA_ENDPOINT": settings.data_endpoint} if settings.data_endpoint else {}


def for_devices(settings: Settings) -> dict[str, str]:
    """Return the setting of the Lambda that shows users the endpoint for devices, and names it to other lobbies. The
    value has no port, because all device endpoints use the same one."""
    local = (settings.device_endpoint or "").partition(":")[0]
    host = settings.domain or settings.data_endpoint or local
    return {"DEVICE_ENDPOINT": host} if host else {}


def make_endpoint(scope: Construct, settings: Settings) -> None:
    """Create the domain configuration if there is a domain, and the output `LobbyEndpoint` if the endpoint is known."""
    if settings.domain and settings.domain_certificate:
        iot.CfnDomainConfiguration(
            scope,
            "Domain",
            domain_configuration_name=stack_names.DOMAIN_CONFIGURATION,
            domain_name=settings.domain,
            server_certificate_arns=[settings.domain_certificate],
            service_type="DATA",
            tls_config=iot.CfnDomainConfiguration.TlsConfigProperty(security_policy=_SECURITY_POLICY),
        )
    endpoint = settings.domain or settings.data_endpoint
    if endpoint:
        CfnOutput(scope, "LobbyEndpoint", value=endpoint)
