"""The type of the fixture `run`, which calls `lobby-pki`."""

from collections.abc import Callable

from typer.testing import Result

Run = Callable[..., Result]
"""Takes the arguments and the expected exit status."""
