"""Which types of events the rules of the event bus can match.

EventBridge bills each event that is published, and discards events that no rule matches. Archives and schema discovery
are also rules. Only the condition on the type is read from a pattern. A pattern that cannot be read, or that does not
select types by name, counts as matching all types. A disabled rule matches nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from lobby import strict_json
from lobby.domain.events.device_events import TYPES

ALL: Final = frozenset(TYPES)
_DISABLED: Final = "DISABLED"


def wanted_types(rules: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Return the types that at least one of these rules can match (EventBridge API reference, ListRules)."""
    return frozenset().union(*(_types(rule) for rule in rules if rule.get("State") != _DISABLED))


def _types(rule: Mapping[str, Any]) -> frozenset[str]:
    """Return the types that a rule can match. A rule without a pattern is a schedule and matches no event."""
    if not rule.get("EventPattern"):
        return frozenset()
    try:
        pattern = strict_json.loads(rule["EventPattern"])
    except ValueError:
        return ALL
    names = pattern.get("detail-type") if isinstance(pattern, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return ALL
    return ALL & set(names)
