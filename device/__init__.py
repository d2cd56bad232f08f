"""Reference device client: onboard through the lobby, then serve in the assigned target account.

`device.machine` is a pure state machine (events in, actions out). `device.mqtt` opens MQTT connections,
`device.storage` keeps the route across power cuts, and `device.client` connects the three. A device without a
certificate gets one through provisioning by claim. `device.portable` replaces the native libraries. The package is
meant to be read and vendored: from the rest of the project it imports only the vocabulary of `lobby`.
"""

from typing import Final

from lobby import __version__

CLIENT_VERSION: Final = __version__
"""Sent as `version` in every hello."""
