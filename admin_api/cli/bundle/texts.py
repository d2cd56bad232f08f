"""The two texts of a bundle: its README, and the program that starts the client. Old Python versions can parse the
program."""

from typing import Final

START: Final = '''"""Starts the device client of this folder: python3 client.py --serial SERIAL. See README.txt."""

import os
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
if sys.version_info < (3, 11):
    sys.exit("got Python %d.%d, want 3.11 or newer" % sys.version_info[:2])
for name in ("claim.cert.pem", "claim.key.pem"):  # some programs do not restore file modes
    try:
        os.chmod(os.path.join(FOLDER, name), 0o600)
    except OSError as error:
        sys.stderr.write("note: other users can read %s (%s)\\n" % (name, error))
sys.path.insert(0, os.path.join(FOLDER, "lib"))
os.environ.setdefault("DEVICE_SETTINGS", os.path.join(FOLDER, "settings.json"))

from device.cli import main

COMMANDS = ("run", "reset", "-h", "--help", "--version")
main("client.py", sys.argv[1:] if sys.argv[1:2] and sys.argv[1] in COMMANDS else ["run"] + sys.argv[1:])
'''
README: Final = """Device client for the enrolment {enrolment} (Device Lobby {version})

    python3 client.py --serial SERIAL

SERIAL is the serial number of this device: 1 to 128 of the characters a-z A-Z 0-9 : _ -
The machine needs Python 3.11 or newer, and a connection to {lobby}. Nothing is installed.

The client creates a key, gets a certificate for it with the claim certificate in this folder, and connects to the
lobby. When the device is claimed, it connects to its target. You can stop the client, or cut the power, at any time.

    SERIAL.state/               the device's identity: keep it, because it contains the key
    python3 client.py --help    all commands and options
    settings.json               the client's options, by name

The claim certificate expires at {expires}. A device that has its own certificate no longer needs it.
Anyone who has this folder can request certificates of the enrolment, within its limits. If you lose the folder:
    lobbyctl enrolments certificates list {enrolment}
    lobbyctl enrolments certificates revoke FINGERPRINT

Exit status: 0 stopped; 2 invalid settings, with the reason (an expired claim certificate, an unknown template).
After a denial the client tries again; `lobbyctl enrolments show {enrolment}` shows the reason.
"""
