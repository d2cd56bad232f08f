"""What the parts of a sweeper's run have in common: a limit of their work, and the note of their positions.

A search that is larger than the limit is continued by the next run. This module imports nothing from the parts.
"""

from typing import Any, Final

DEVICES_PER_RUN: Final = 200
"""The most devices that one run examines in each search."""
Note = dict[str, Any]
"""The positions of the sweeper's work, a JSON object that the next run gets. Each part has its own keys."""
