"""Redrives what lies in the on-failure queues: `deploy.sh redrive` is its front door. `held` takes messages out of a
queue, `envelopes` reads what they are about, `redriving` has it done once more."""
