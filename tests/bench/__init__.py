"""Benchmarks. `python -m tests.bench.budgets` counts the AWS calls of each step on the emulator and measures what
DynamoDB and a cold start cost. Counts do not depend on the machine. Times do, so they are shown as ratios."""
