"""The table of rounds: the progress of scheduled Lambdas whose work takes several runs."""

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.models import Model

from lobby.deployment import NAMES
from lobby.ledger.table_calls import Calls


class RoundRow(Model):
    """The progress of one scheduled Lambda."""

    class Meta(Calls):
        table_name = NAMES.name("rounds")

    name = UnicodeAttribute(hash_key=True)
    progress = JSONAttribute(attr_name="place")
