"""``python -m device``."""

from device.cli import app

app(prog_name="python -m device")
