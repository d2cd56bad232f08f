"""Benchmarks. `python -m tests.bench.budgets` counts the AWS calls of each step on the emulator, and measures the costs
of DynamoDB and of a cold start. Counts do not depend on the machine. Times do, so they are shown as ratios."""
