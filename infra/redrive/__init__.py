"""Redrives the on-failure queues (`deploy.sh redrive`): `held` receives messages, `envelopes` parses them, `redriving`
processes them again."""
