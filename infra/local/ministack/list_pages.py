"""Returns things, certificates and the targets of a policy in pages.

Difference from AWS: ListThings (`maxResults`, `nextToken`), ListCertificates and ListTargetsForPolicy (`pageSize`,
`marker`) return at most 250 elements, certificates in the order of their creation (API reference). MiniStack returns
all elements at once. AWS documents no order for things and targets; here they are sorted. A token names the last
element of its page, so that the next page is complete even if elements are deleted in between. The default page size is
250.

Unnecessary when: MiniStack reads these parameters.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

_IOT: Final = "ministack.services.iot"
THINGS: Final = PatchPoint(_IOT, "_list_things", ("qp",))
CERTIFICATES: Final = PatchPoint(_IOT, "_list_certificates", ("qp",))
TARGETS: Final = PatchPoint(_IOT, "_list_targets_for_policy", ("path", "qp"))
RESPOND: Final = PatchPoint("ministack.core.responses", "json_response")
ERROR: Final = PatchPoint("ministack.core.responses", "error_response_json")
_MARKED: Final = ("pageSize", "marker", "nextMarker")
Query = Mapping[str, str]
PATCH_POINTS: Final = (THINGS, CERTIFICATES, TARGETS, RESPOND, ERROR)
LARGEST_PAGE: Final = 250
_SUCCESS: Final = 200
Key = list[Any]
"""The position of an element in its list: numbers and texts that JSON can contain."""


def page_of(
    elements: Iterable[Any], key: Callable[[Any], Key], size: str | None, token: str | None, *, descending: bool = False
) -> tuple[list[Any], str | None]:
    """Return a page and the token of the next one. Raise `ValueError` for a size or token that AWS rejects."""
    count = LARGEST_PAGE if size is None else int(size)
    if not 1 <= count <= LARGEST_PAGE:
        raise ValueError(f"got a page size of {count}, want 1 to {LARGEST_PAGE}")
    ordered = sorted(elements, key=key, reverse=descending)
    if token is not None:
        last = _decode(token)
        ordered = [each for each in ordered if (key(each) < last if descending else key(each) > last)]
    page = ordered[:count]
    return page, _encode(key(page[-1])) if len(ordered) > count else None


def _encode(key: Key) -> str:
    return base64.b64encode(json.dumps(key).encode()).decode()


def _decode(token: str) -> Key:
    try:
        key = json.loads(base64.b64decode(token, validate=True))
    except ValueError:
        key = None
    if isinstance(key, list):
        return key
    raise ValueError("got a token that no response contained, want one that did")


def apply() -> None:
    """Divide the responses of the three lists into pages."""
    THINGS.wrap(_things)
    CERTIFICATES.wrap(_certificates)
    TARGETS.wrap(_targets)


def _things(original: Callable[[Query], Any]) -> Callable[[Query], Any]:
    def list_things(qp: Query) -> Any:
        parameters = ("maxResults", "nextToken", "nextToken")
        return _paged(original(qp), "things", lambda thing: [thing["thingName"]], qp, parameters)

    return list_things


def _certificates(original: Callable[[Query], Any]) -> Callable[[Query], Any]:
    def list_certificates(qp: Query) -> Any:
        newest_first = qp.get("isAscendingOrder") != "true"
        return _paged(original(qp), "certificates", _by_creation, qp, _MARKED, descending=newest_first)

    return list_certificates


def _targets(original: Callable[[str, Query], Any]) -> Callable[[str, Query], Any]:
    def list_targets(path: str, qp: Query) -> Any:
        return _paged(original(path, qp), "targets", lambda arn: [arn], qp, _MARKED)

    return list_targets


def _by_creation(certificate: Mapping[str, Any]) -> Key:
    return [certificate.get("creationDate") or 0.0, certificate["certificateId"]]


def _paged(
    response: Any,
    name: str,
    key: Callable[[Any], Key],
    query: Query,
    parameters: tuple[str, str, str],
    *,
    descending: bool = False,
) -> Any:
    size, token, following = parameters
    if response[0] != _SUCCESS:
        return response
    try:
        elements = json.loads(response[2])[name]
        page, rest = page_of(elements, key, query.get(size), query.get(token), descending=descending)
    except (ValueError, TypeError) as error:
        return ERROR.resolve()("InvalidRequestException", str(error), 400)
    return RESPOND.resolve()({name: page} | ({following: rest} if rest else {}))
