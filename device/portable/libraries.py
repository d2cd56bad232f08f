"""The libraries for `device.libraries` in pure Python."""

from collections.abc import Callable
from pathlib import Path

from device.errors import BadCredentials
from device.input_files import read_file
from device.libraries import TlsFiles
from device.portable.certificates import read_validity
from device.portable.keys import PortableKeys
from device.portable.mqtt import PahoConnection, tls_context
from device.runtime import Opener
from device.validity import Validity
from lobby.wire import MQTT_PORT


class PortableLibraries:
    """`device.libraries.Libraries`."""

    keys = PortableKeys()

    def validity(self, certificate: Path) -> Validity:
        return read_validity(certificate)

    def opener(self, files: TlsFiles, client_id: Callable[[], str], answer_s: float) -> Opener:
        try:
            for each in (files.cert, files.key, files.ca):
                read_file(each)
            tls_context(files, MQTT_PORT)
        except (OSError, ValueError) as error:
            raise BadCredentials(
                "KEY_UNREADABLE",
                f"got {files.cert} with {files.key} and {files.ca} ({error}), want a certificate, its key and the"
                " servers' CA certificates as PEM",
            ) from None
        return lambda connection_id, report: PahoConnection(connection_id, report, files, client_id(), answer_s)
