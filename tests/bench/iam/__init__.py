"""Least privilege, shown: `python -m tests.bench.iam` takes each permission of each role away in turn, and says which
job can then not be done."""
