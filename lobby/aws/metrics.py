"""The metrics that Lambdas write into their logs and alarms watch: their names, said once.

CloudWatch takes them out of the log by itself (embedded metric format), so that no role needs a permission for it.
"""

from typing import Final

NAMESPACE: Final = "DeviceLobby"
HISTORY_TAMPERED: Final = "HistoryTampered"
"""Records of the history's stream that no code of the lobby's can have caused."""
