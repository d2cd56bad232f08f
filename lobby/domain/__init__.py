"""The device lifecycle as pure functions over frozen dataclasses: no I/O, no AWS SDK, no clock."""
