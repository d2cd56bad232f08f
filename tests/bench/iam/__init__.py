"""Least privilege: `python -m tests.bench.iam` removes each permission of each role in turn, and reports which job then
fails."""
