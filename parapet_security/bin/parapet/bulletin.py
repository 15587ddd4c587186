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
    """This app's part of the board. What an earlier process put up is taken over, so that it goes when it is mended."""

    def __init__(
        self, splunkd: Splunkd, log: Log, *, later: Callable[[Callable[[], None]], object] | None = None
    ) -> None:
        """Read nothing yet.

        Args:
            splunkd: a session that may write messages.
            log: where failures are told, at DEBUG.
            later: runs a call aside, one after another, so that a slow splunkd delays nothing; None runs it at once.
        """
        self._splunkd, self._log = splunkd, log
        self._later = later or (lambda call: call())
        self._wanted: dict[str, str] | None = None
        self._up: dict[str, str] | None = None

    def tell(self, matters: dict[str, str]) -> None:
        """Make the board say this: {matter: text}. Only what changed is sent; what could not be sent is sent again next time."""
        if matters != self._wanted:
            self._wanted = dict(matters)
            self._later(self._show)

    def _show(self) -> None:
        wanted = self._wanted
        if wanted is None:
            return
        try:
            self._bring_to(wanted)
        except SplunkdError as error:
            self._wanted = None
            self._log.event("bulletin.failed", reason=str(error))

    def _bring_to(self, wanted: dict[str, str]) -> None:
        if self._up is None:
            self._up = {name[len(_NAME) :]: "" for name in self._splunkd.messages() if name.startswith(_NAME)}
        for matter, text in wanted.items():
            if self._up.get(matter) != text:
                self._splunkd.set_message(_NAME + matter, text, "warn")
                self._up[matter] = text
        for matter in [matter for matter in self._up if matter not in wanted]:
            self._splunkd.delete_message(_NAME + matter)
            del self._up[matter]
