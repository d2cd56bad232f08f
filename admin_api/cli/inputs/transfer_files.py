"""The files of `lobbyctl transfers`: one or more signed documents, as one JSON object or a list of them.

An offer has at most 25 devices, so one file can contain several. The documents are passed on unchanged; the lobby
verifies them. It rejects files of more than 10 MB, and files that contain neither an object nor a list of objects.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from admin_api.cli.errors import usage_error
from admin_api.cli.inputs.input_files import read_content
from lobby import strict_json
from lobby.errors import InvalidInput

MAX_BYTES: Final = 10_000_000


def read_documents(file: Path) -> list[str]:
    """Return the documents of a file as text. Raise `InvalidInput` INVALID_DOCUMENT or UNREADABLE_FILE."""
    content = read_content(file)
    try:
        found = strict_json.loads(content) if len(content) <= MAX_BYTES else None
    except strict_json.RepeatedName as error:
        raise InvalidInput("INVALID_DOCUMENT", f"{error}: {file}") from None
    except ValueError:
        found = None
    documents = found if isinstance(found, list) else [found]
    if not documents or not all(isinstance(each, dict) for each in documents):
        want = f"want one JSON document or a list of them, of at most {MAX_BYTES} bytes"
        raise InvalidInput("INVALID_DOCUMENT", f"got {file}, {want}")
    return [json.dumps(each) for each in documents]


def require_new(file: Path) -> None:
    """Raise `InvalidInput` FILE_EXISTS before the command changes anything, because it could not write the file
    afterwards."""
    if file.exists():
        raise usage_error(f"got {file}, which exists, want a new file", "FILE_EXISTS")


def write_documents(file: Path, documents: Sequence[str]) -> None:
    """Write a new file. Raise `InvalidInput` FILE_EXISTS or UNREADABLE_FILE."""
    parsed = [strict_json.loads(each) for each in documents]
    text = json.dumps(parsed[0] if len(parsed) == 1 else parsed, indent=1) + "\n"
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise usage_error(f"got {file}, which exists, want a new file", "FILE_EXISTS") from error
    except OSError as error:
        raise usage_error(f"cannot write {file} ({error.strerror})", "UNREADABLE_FILE") from error


def key_of(document: str) -> str:
    """Return the fingerprint of the key with which the lobby has signed its own document."""
    body: Any = strict_json.loads(document)
    return f"SHA256:{hashlib.sha256(base64.b64decode(body['signature']['key'])).hexdigest()}"
