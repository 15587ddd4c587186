"""The faults that a test gives a splunkd: errors, cut and hanging connections, delays.

Must not know what is behind a path.
"""

from __future__ import annotations

import threading
from typing import Optional, Union

Fault = Union[int, str, float]


class _Rule:
    def __init__(self, prefix: str, fault: Fault, times: Optional[int]) -> None:
        self.prefix, self.fault, self.times = prefix.strip("/"), fault, times

    def hits(self, path: str) -> bool:
        if self.times == 0:
            return False
        segments = [segment for segment in path.split("/") if segment]
        without = segments[3:] if segments[:1] == ["servicesNS"] else segments[1:]
        return any("/".join(form).startswith(self.prefix) for form in (segments, without))


class Faults:
    """The faults that wait for their paths; an integer is a status, a float a delay in seconds."""

    def __init__(self) -> None:
        """Start without faults."""
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        self._released = threading.Event()

    def add(self, prefix: str, fault: Fault, times: Optional[int]) -> None:
        """One more fault; the first that fits a path counts."""
        if isinstance(fault, str) and fault not in ("close", "hang"):
            raise ValueError("a fault is a status, 'close' or 'hang'")
        with self._lock:
            self._rules.append(_Rule(prefix, fault, times))

    def strike(self, path: str) -> Optional[int | str]:
        """What happens to this request; a delay has passed already when this returns."""
        with self._lock:
            rule = next((rule for rule in self._rules if rule.hits(path)), None)
            if rule is None:
                return None
            if rule.times is not None:
                rule.times -= 1
            fault, released = rule.fault, self._released
        if isinstance(fault, float):
            released.wait(fault)
            return None
        return fault

    def hang(self, fault: int | str) -> None:
        """Stay here while the fault is `hang`."""
        if fault == "hang":
            self._released.wait()

    def heal(self) -> None:
        """Forget every fault and let go of what waits."""
        with self._lock:
            self._rules.clear()
            self._released.set()
            self._released = threading.Event()

    def release(self) -> None:
        """Let go of what waits, for good."""
        self._released.set()
