"""The GraphQL documents that the command line sends, one module per subject. A test validates them against the API's
schema."""

from dataclasses import dataclass
from typing import Final

MAX_ALIASES: Final = 20
"""Devices per request; the API allows 25 aliases."""


@dataclass(frozen=True)
class Document:
    """One document. It is `repeatable` if sending it twice has the same effect as sending it once. If it is unknown
    whether the API has carried out the first request, only a repeatable document is sent again."""

    text: str
    repeatable: bool = True
