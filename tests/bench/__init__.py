"""The budgets, measured: `python -m tests.bench.budgets` counts the AWS calls of each step on the emulator, and what
DynamoDB and a cold start cost. Counts are facts; times depend on the machine and are shown as ratios of one run."""
