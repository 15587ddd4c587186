"""Messages on Splunk Web's bulletin board: one for each matter that needs a person, gone when it is mended. Must not block a delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import SplunkdError

if TYPE_CHECKING:
    from typing import Callable

    from .log import Log
    from .splunkd import Splunkd

_NAME = "parapet_security_"


class Bulletin:
    """What this process has put on the board."""

    def __init__(
        self, splunkd: Splunkd, log: Log, *, later: Callable[[Callable[[], None]], object] | None = None
    ) -> None:
        """Nothing is up yet.

        Args:
            splunkd: a session that may write messages.
            log: where failures are told, at DEBUG.
            later: runs a call aside, in order, so that a slow splunkd delays nothing; None runs it at once.
        """
        self._splunkd, self._log = splunkd, log
        self._later = later or (lambda call: call())
        self._up: dict[str, str] = {}

    def tell(self, matters: dict[str, str]) -> None:
        """Make the board say this: {matter: text}. Only what changed is sent."""
        for matter, text in matters.items():
            if self._up.get(matter) != text:
                self._up[matter] = text
                self._send(matter, text)
        for matter in [matter for matter in self._up if matter not in matters]:
            del self._up[matter]
            self._send(matter, "")

    def _send(self, matter: str, text: str) -> None:
        def call() -> None:
            try:
                if text:
                    self._splunkd.set_message(_NAME + matter, text, "warn")
                else:
                    self._splunkd.delete_message(_NAME + matter)
            except SplunkdError as error:
                # Said again at the next occasion.
                self._up.pop(matter, None)
                self._log.event("bulletin.failed", matter=matter, reason=str(error))

        self._later(call)
