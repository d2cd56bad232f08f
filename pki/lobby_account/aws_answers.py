"""Rejects answers that do not come from AWS, before they are parsed.

A captive portal, a proxy or another server may answer in place of AWS, with a page, other JSON, or redirects. botocore
then returns an empty result, or fails with an error of its parser. Every client that `require_aws_answers` was applied
to raises `RegistrationError` NOT_AWS instead.
"""

from collections.abc import Mapping
from typing import Any, Final

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from lobby import strict_json
from lobby.names import shown
from pki.errors import RegistrationError

WANT: Final = "want AWS: check the network, the proxy of the environment and --endpoint-url"
_PAGES: Final = frozenset({"text/html", "application/xhtml+xml", "text/plain"})


def require_aws_answers(client: Any) -> Any:
    """Return the client, which then checks its answers."""
    client.meta.events.register("before-parse", _check)
    return client


def answered(answer: Mapping[str, Any], field: str) -> Any:
    """Return a field that AWS always sends. Raise `RegistrationError` NOT_AWS if it is missing."""
    if answer.get(field) is None:
        raise not_aws(f"an answer without {field}")
    return answer[field]


def not_aws(what: str) -> RegistrationError:
    return RegistrationError("NOT_AWS", f"got {what}, {WANT}")


def _check(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    status, headers = response_dict["status_code"], response_dict["headers"]
    if status < 300 and operation_model.has_streaming_output:
        return  # an object, of any content type
    kind = str(headers.get("content-type", "")).split(";")[0].strip().lower()
    got = f"HTTP {status} with {shown(kind) if kind else 'no content type'} from {operation_model.name}"
    if kind in _PAGES or 300 <= status < 400:
        raise not_aws(got)
    body = response_dict["body"]
    if isinstance(body, bytes) and body:
        json = "json" in operation_model.metadata.get("protocol", "")
        if not (_is_object(body) if json else _is_document(body, operation_model, status)):
            raise not_aws(got)


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(strict_json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


def _is_document(body: bytes, operation_model: Any, status: int) -> bool:
    """Return whether the body is XML, and, if the operation's result has a name, whether the XML has this name."""
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        return False
    wrapper = (operation_model.output_shape.serialization if operation_model.output_shape else {}).get("resultWrapper")
    return status >= 300 or wrapper is None or any(each.tag.endswith(wrapper) for each in root)
