"""Benchmark of the device client's recovery from faults: `python -m tests.bench.device_faults`."""
