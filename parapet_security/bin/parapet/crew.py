"""The threads of a turn and the client that they use: entries go out here and come back. Must not choose an entry, nor judge an outcome."""

from __future__ import annotations

import queue
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from .webhook import Webhook

if TYPE_CHECKING:
    from concurrent.futures import Future

    from .backlog import Pick
    from .deliver import Outcome
    from .holder import Entry
    from .settings import Settings
    from .worker import Worker


class Back(NamedTuple):
    """An entry that came back: with an outcome, or with what kept it from having one."""

    pick: Pick
    entry: Entry
    outcome: Outcome | None
    error: BaseException | None


class Crew:
    """Sends entries on their way, several at once, and gives them back one by one."""

    def __init__(self, worker: Worker, user_agent: str, *, size: int) -> None:
        """Start no thread yet.

        Args:
            worker: does the work, in each thread.
            user_agent: the header.
            size: how many entries are on their way at once; 0 is what the settings say.
        """
        self._worker, self._user_agent, self._fixed_size = worker, user_agent, size
        # No SimpleQueue: in Python 3.7 its `get` can wait for ever when its time is up at the wrong moment.
        self._back: queue.Queue[tuple[Pick, Entry, Future[Outcome]]] = queue.Queue()
        self._settings: Settings | None = None
        self._executor: ThreadPoolExecutor | None = None
        self._webhooks: list[Webhook] = []
        self.size = 0

    def apply(self, settings: Settings, *, idle: bool) -> None:
        """From now on these settings count; what is on its way ends with those that it began with.

        Args:
            settings: what is configured.
            idle: whether nothing is on its way.
        """
        if self._settings != settings:
            self._webhooks.append(Webhook(settings.delivery, settings.proxy_password, self._user_agent))
            for old in self._webhooks[:-1] if idle else []:
                old.close()
                self._webhooks.remove(old)
        self._settings = settings
        size = self._fixed_size or settings.delivery.workers
        if size != self.size:
            if self._executor is not None:
                self._executor.shutdown(wait=False)
            self._executor = ThreadPoolExecutor(size, thread_name_prefix="deliver")
            self.size = size

    def send(self, pick: Pick, entry: Entry, *, until: float) -> None:
        """Send an entry of a configured tenant on its way; it is to be back at `until` (monotonic; inf is never)."""
        settings, executor = self._settings, self._executor
        if settings is None or executor is None:
            raise RuntimeError("apply() comes first")
        future = executor.submit(
            self._worker.work,
            entry,
            settings.tenants[pick.tenant],
            self._webhooks[-1],
            until=until,
            limit=settings.delivery.max_body_bytes,
            test_first=pick.test_first,
        )
        future.add_done_callback(lambda done: self._back.put((pick, entry, done)))

    def take(self, timeout_s: float) -> Back | None:
        """The next entry that is back; None where none is within `timeout_s`."""
        try:
            pick, entry, future = self._back.get(timeout=timeout_s) if timeout_s > 0 else self._back.get_nowait()
        except queue.Empty:
            return None
        error = future.exception()
        return Back(pick, entry, None if error else future.result(), error)

    def close(self) -> None:
        """Give back threads and connections; what is still on its way ends by itself, and its connection with it."""
        if self._executor is not None:
            self._executor.shutdown(wait=False)
        for webhook in self._webhooks:
            webhook.close()
