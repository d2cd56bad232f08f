"""``python -m device``."""

from device.cli import main

main("python -m device")
