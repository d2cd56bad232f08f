"""The arguments that several operations share, each with its description in the schema.

An operation declares `certid: Certid` instead of repeating the type and the text. An argument of only one operation is
declared with `described` where it is used. A test rejects an argument without a description.
"""

from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON


def described(text: str) -> Any:
    """Return the annotation that gives an argument its description."""
    return strawberry.argument(description=text)


Certid = Annotated[
    strawberry.ID, described("The device: its fingerprint in hex (any case, with colons or spaces), or its label code.")
]
V01Certid = Annotated[strawberry.ID | None, described("The device: its fingerprint or label code. Required.")]
Certids = Annotated[list[strawberry.ID], described("The devices, as fingerprints or label codes; at most 1,000.")]
Account = Annotated[str, described("The AWS account of the target: 12 digits.")]
Region = Annotated[str, described("The AWS Region of the target, such as eu-west-1.")]
Profile = Annotated[
    str | None,
    described(
        "The profile, one of the target's. Omitted: a move keeps the device's; a claim takes that of the device's"
        " enrolment, or else `default`, or else the first of the target's."
    ),
]
Config = Annotated[
    JSON | None,
    described(
        "The configuration that the device gets with its route: text or an object, at most 8 KiB of JSON. Omitted: the"
        " device's configuration in a move; in a claim that of the device's enrolment, or else `\"default\"`."
    ),
]
First = Annotated[int, described("The number of items on the page, at least 1; the operation states the maximum.")]
After = Annotated[str | None, described("The cursor of the previous page; omitted for the first page.")]
V01Count = Annotated[int | None, described("The number of devices on the page, at most 100. 0 or omitted: 20.")]
V01Token = Annotated[str | None, described("The `nextToken` of the previous page; omitted for the first page.")]
