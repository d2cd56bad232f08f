"""The check of the ACM certificate for a custom domain, before anything is deployed.

AWS IoT creates a domain configuration only with an issued certificate of its Region, and devices accept it only if it
names the domain. CloudFormation would find this out minutes later, and roll the stack back.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import typer
from botocore.exceptions import ClientError

from infra.errors import BadContext

_ISSUED: Final = "ISSUED"


def require_usable(acm: Any, certificate: str, domain: str) -> None:
    """Raise `BadContext` if the certificate does not exist, is not issued, or does not name the domain. If ACM does not
    allow the caller to read it, report that it is not checked."""
    try:
        found = acm.describe_certificate(CertificateArn=certificate)["Certificate"]
    except acm.exceptions.ResourceNotFoundException:
        raise _bad(f"{certificate}, which does not exist") from None
    except ClientError as error:
        typer.echo(f"It is not checked whether the certificate of {domain} is issued: {error}")
        return
    problem = certificate_problem(found, domain)
    if problem is not None:
        raise _bad(f"{certificate}, which {problem}")


def certificate_problem(certificate: Mapping[str, Any], domain: str) -> str | None:
    """Return why AWS IoT cannot use a certificate (ACM API reference, CertificateDetail) for the domain."""
    status = certificate.get("Status")
    if status != _ISSUED:
        return f"is {status}; want one that is {_ISSUED}"
    names = sorted({certificate.get("DomainName", ""), *certificate.get("SubjectAlternativeNames", ())})
    if not names_domain(names, domain):
        return f"is for {', '.join(filter(None, names))}; want one for {domain}"
    return None


def names_domain(names: Iterable[str], domain: str) -> bool:
    """Return whether one of the names is the domain. A wildcard stands for its first label (RFC 9525, section 6.3)."""
    first, _, rest = domain.lower().partition(".")
    return any(name.lower() in (f"{first}.{rest}", f"*.{rest}") for name in names)


def _bad(what: str) -> BadContext:
    return BadContext("BAD_CONTEXT", f"domainCertificate: got {what}")
