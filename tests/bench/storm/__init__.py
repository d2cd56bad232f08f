"""Measures many new devices at the same time, with AWS's quotas: `python -m tests.bench.storm`.

`devices` simulates the devices, `earlier` deploys the bouncer of an earlier commit, `measurement` runs one storm.
"""
