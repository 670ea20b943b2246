"""Results that the page may still ask for: the last few, in memory, for a time."""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from headtohead.serving.answering import Finding
from headtohead.serving.limits import Limits


class Kept:
    """The last findings under names that nobody can guess. Safe to use from several threads."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits, self.clock = limits, clock
        self.lock = threading.Lock()
        self.found: OrderedDict[str, tuple[Finding, float]] = OrderedDict()

    def add(self, finding: Finding) -> str:
        """Keep a finding and give its name; the oldest goes where there are too many."""
        name = secrets.token_urlsafe(16)
        with self.lock:
            self.found[name] = (finding, self.clock())
            while len(self.found) > self.limits.kept:
                self.found.popitem(last=False)
        self.sweep()
        return name

    def get(self, name: str) -> Finding | None:
        """Give a finding, whose time starts anew; None where it is gone."""
        self.sweep()
        with self.lock:
            if name not in self.found:
                return None
            finding = self.found[name][0]
            self.found[name] = (finding, self.clock())
            self.found.move_to_end(name)
            return finding

    def drop(self, name: str) -> None:
        """Forget a finding, if it is still there."""
        with self.lock:
            self.found.pop(name, None)

    def sweep(self) -> None:
        """Forget what nobody asked for in time."""
        with self.lock:
            oldest = self.clock() - self.limits.seconds
            for name in [name for name, (_, asked) in self.found.items() if asked < oldest]:
                del self.found[name]
