"""Holds: they never end by date, only by a recorded release; one that may match holds (rule 20 of laws/README.md)."""

from __future__ import annotations

from typing import NamedTuple

from compliance.law.conditions import NO
from compliance.law.dates import DateRange
from compliance.law.scopes import ALWAYS, Scope
from compliance.law.situation import Situation


class Hold(NamedTuple):
    """A matter for which images must not be destroyed; `matter` is shown only to the privileged."""

    id: str
    scope: Scope = ALWAYS
    matter: str = ""
    issued_by: str = ""
    trigger: str = ""
    issued: DateRange | None = None
    review_by: DateRange | None = None
    released: DateRange | None = None
    released_by: str = ""

    def in_force(self, as_of: int) -> bool:
        """Issued perhaps, and not surely released."""
        issued = self.issued is None or self.issued.earliest <= as_of
        return issued and not (self.released is not None and self.released.latest <= as_of)

    def matches(self, situation: Situation) -> bool:
        """Any value given matches, followers included; what is not known may match."""
        return self.in_force(situation.as_of) and self.scope.truth(situation) != NO
