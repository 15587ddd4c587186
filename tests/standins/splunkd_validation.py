"""splunkd's check of a saved search before it is written: `[validation:savedsearch]` of every app's restmap.conf.

Must not write anything, nor pass over a rule that it cannot evaluate.

restmap.conf.spec: `<field> = <validation-rule>`, "an eval expression using the validate() function to evaluate arg correctness and
return an error message. If you use a boolean returning function, a generic message is displayed."
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from tests.standins.splunkd_eval import EvalError, Reading, Scope, compiled

if TYPE_CHECKING:
    from typing import Mapping

    from tests.standins.splunk_home import SplunkHome

_STANZA = "validation:savedsearch"


class Validation:
    """The rules of one Splunk home; restmap.conf is read anew at each check.

    Args:
        home: the apps.
        reading: what is not settled about validation.
    """

    def __init__(self, home: SplunkHome, reading: Reading = Reading()) -> None:  # noqa: B008  # a tuple
        """Read nothing yet."""
        self._home, self.reading = home, reading

    def check(self, settings: Mapping[str, str]) -> Optional[str]:
        """Why these settings of a saved search are refused, in the words of the rule; None where nothing is wrong.

        Raises:
            EvalError: a rule that splunkd could not run.
        """
        # As seen from another app: what an app does not export does not count there.
        stanza = self._home.conf.stanzas("restmap", "search").get(_STANZA)
        scope = Scope(settings, self.reading)
        found = None
        for field, rule in stanza.settings.items() if stanza else ():
            try:
                node = compiled(rule)
                said = node(scope) if self.reading.rules == "all" or field in settings else None
            except EvalError as error:
                raise EvalError(f"[{_STANZA}] {field}: {error}") from error
            if said is False:
                said = f"Invalid value for '{field}'."
            found = found or (None if said in (None, True) else str(said))
        return found
