"""Redrives the on-failure queues (`deploy.sh redrive`): `held` receives messages, `envelopes` and `archived` parse
them, `redriving` processes them again."""
