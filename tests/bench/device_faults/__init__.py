"""Benchmark: does the device client always recover by itself? `python -m tests.bench.device_faults`."""
