"""Files with a checksum: the body as JSON, its format, and the SHA-256 of the body.

A file that was torn by a power cut, or edited, is detected. It rejects other formats, and what is not JSON.
"""

import hashlib
import json
from typing import Any, Final

from lobby import strict_json

_FORMAT: Final = 1


def checksum(body: object) -> str:
    """Return the SHA-256 of the canonical JSON, as hex."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def sealed(name: str, body: object) -> bytes:
    """Return a file with this body, its format and its checksum."""
    return json.dumps({"format": _FORMAT, "sha256": checksum(body), name: body}, indent=1).encode()


def unsealed(name: str, content: bytes) -> Any:
    """Return the body of a file. Raise `ValueError` if it is torn or edited."""
    try:
        outer = strict_json.loads(content)
        header, body = (outer["format"], outer["sha256"]), outer[name]
        matches = header == (_FORMAT, checksum(body))
    except (ValueError, RecursionError, KeyError, TypeError):
        raise ValueError(f"got no JSON object with format, sha256 and {name}: torn?") from None
    if not matches:
        raise ValueError("the checksum does not match: torn or edited?")
    return body
