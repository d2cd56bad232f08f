"""New seeds for the full tier: each run tries other orders, and a failure can be reproduced."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import randbelow


@contextmanager
def repeatable() -> Iterator[int]:
    """Provide a new seed, or the one in the environment. A failure prints it."""
    fresh = int(os.environ.get("SIMULATION_SEED") or randbelow(2**32))
    try:
        yield fresh
    except BaseException as error:
        error.add_note(f"SIMULATION_SEED={fresh} repeats this")
        raise
