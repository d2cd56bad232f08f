"""Whether the device client comes back by itself, tried exhaustively: `python -m tests.bench.device_faults`."""
