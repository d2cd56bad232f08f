"""The reference device client: from the lobby to the account where the device belongs.

`journey` decides (pure: events in, actions out), `link` speaks MQTT, `storage` keeps the route through power cuts,
`client` joins the three. It is made to be read and copied; of the lobby it needs nothing but the words on the wire.
"""

from typing import Final

CLIENT_VERSION: Final = "1.0.0"
"""What a hello names as `version`."""
