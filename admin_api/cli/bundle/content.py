"""The content of a bundle: the device client with all its libraries, for a machine that has only Python.

    NAME-client/client.py          starts the client
    NAME-client/settings.json      lobby, template, and the names of the next three files
    NAME-client/claim.cert.pem, claim.key.pem, root-cas.pem
    NAME-client/lib/               the client, and its libraries in pure Python, copied from this installation
    NAME-client/licenses/, README.txt

Only their owner can read the files of the claim certificate. The bundle has no native libraries, because the platform
of the device is not known.
"""

import importlib.metadata
import importlib.util
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final

from admin_api.cli.bundle.texts import README, START
from lobby import __version__
from lobby.errors import LobbyError

LIBRARIES: Final = ("paho-mqtt", "ecdsa", "six")
"""The packages that `device.portable` imports."""
_LOBBY_MODULES: Final = (
    "__init__",
    "errors",
    "names",
    "strict_json",
    "text/__init__",
    "text/keyboard_layouts",
    "text/label",
    "text/notations",
    "wire",
)
"""The modules of `lobby` that the client imports."""
_PRIVATE, _PLAIN, _PROGRAM = 0o600, 0o644, 0o755


@dataclass(frozen=True)
class Bundle:
    """The parts of a bundle. `endpoint` and `port` are the lobby's; certificates and the key are PEM."""

    enrolment: str
    endpoint: str
    port: int
    template: str
    certificate: str
    expires: str
    key: str = field(repr=False)
    root_cas: str


def packed(bundle: Bundle, at: datetime) -> bytes:
    """Return the bundle as a zip file. Raise `LobbyError` NOT_INSTALLED if a library is not installed on this
    machine."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content, mode in _entries(bundle):
            entry = zipfile.ZipInfo(f"{bundle.enrolment}-client/{path}", at.timetuple()[:6])
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return out.getvalue()


def _entries(bundle: Bundle) -> Iterator[tuple[str, str | bytes, int]]:
    settings = {
        "lobby": bundle.endpoint,
        "port": bundle.port,
        "ca": "root-cas.pem",
        "claim_cert": "claim.cert.pem",
        "claim_key": "claim.key.pem",
        "template": bundle.template,
        "portable": True,
    }
    values = {"enrolment": bundle.enrolment, "expires": bundle.expires, "version": __version__}
    yield "README.txt", README.format(lobby=f"{bundle.endpoint}:{bundle.port}", **values), _PLAIN
    yield "client.py", START, _PROGRAM
    yield "settings.json", json.dumps(settings, indent=2) + "\n", _PLAIN
    yield "claim.cert.pem", bundle.certificate, _PRIVATE
    yield "claim.key.pem", bundle.key, _PRIVATE
    yield "root-cas.pem", bundle.root_cas, _PLAIN
    for path, file in (*_client(), *_lobby_modules(), *_libraries()):
        yield path, file.read_bytes(), _PLAIN


def _client() -> Iterator[tuple[str, Path]]:
    folder = _folder_of("device")
    for file in sorted(folder.rglob("*.py")):
        inside = file.relative_to(folder)
        if inside.parts[0] != "examples":
            yield f"lib/device/{inside.as_posix()}", file


def _lobby_modules() -> Iterator[tuple[str, Path]]:
    folder = _folder_of("lobby")
    for name in _LOBBY_MODULES:
        yield f"lib/lobby/{name}.py", folder / f"{name}.py"


def _libraries() -> Iterator[tuple[str, Path]]:
    for name in LIBRARIES:
        try:
            files = importlib.metadata.distribution(name).files or ()
        except importlib.metadata.PackageNotFoundError:
            raise LobbyError("NOT_INSTALLED", f"got no package {name}, want it installed: pip install {name}") from None
        for file in files:
            if file.suffix == ".py" and not file.name.startswith("test_"):
                yield f"lib/{file.as_posix()}", Path(str(file.locate()))
            elif _is_license(file):
                yield f"licenses/{name}/{file.name}", Path(str(file.locate()))


def _is_license(file: PurePosixPath) -> bool:
    return file.parts[0].endswith(".dist-info") and ("licenses" in file.parts or file.name.startswith("LICENSE"))


def _folder_of(package: str) -> Path:
    """Return the folder of a package without importing it, because its code runs on devices."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise LobbyError("NOT_INSTALLED", f"got no package {package}, want it installed with lobbyctl")
    return Path(spec.submodule_search_locations[0])
