"""How much one visitor, known by the address, may do at once."""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path
from threading import Lock

from voiceswap.ui.cleanup import bytes_below

FREE_LOGINS = 3  # wrong passwords before one has to wait
LONGEST_WAIT = 300.0  # seconds
MAX_ADDRESSES = 10_000  # whose wrong passwords are counted


@dataclass
class Limits:
    """Counts what visitors do. Serves many threads.

    Args:
        uploads: the folder of uploads and results.
        window: seconds after which an upload is removed and no longer counts.
        visitor_bytes: of uploads by one address within the window.
        total_bytes: of all files in the folder.
        waiting: calls of the model that one session, and one address, may have running or waiting.
        pending: gives the session and the address of each call that is running or waiting.
    """

    uploads: Path
    window: float
    visitor_bytes: int
    total_bytes: int
    waiting: tuple[int, int]
    pending: Callable[[], Iterable[tuple[str, str]]] = list
    clock: Callable[[], float] = time.monotonic
    # Wrong passwords, and when the last was tried.
    _wrong: dict[str, tuple[int, float]] = field(default_factory=dict)
    _sent: dict[str, deque[tuple[float, int]]] = field(default_factory=lambda: defaultdict(deque))
    _lock: Lock = field(default_factory=Lock)

    @property
    def full(self) -> str:
        """The sentence for an upload that is too much."""
        return (
            f"Too much was uploaded: at most {self.visitor_bytes / 1e9:g} GB an hour by one "
            f"visitor, {self.total_bytes / 1e9:g} GB by all; older files are removed by themselves."
        )

    def begin_login(self, visitor: str) -> float:
        """Count a password that `visitor` tries now: as a wrong one, until `login_succeeded`.

        Gives the seconds to wait before it may be tried. Above zero, it is refused and not counted.
        """
        with self._lock:
            wrong, last = self._wrong.get(visitor, (0, 0.0))
            now = self.clock()
            if wrong >= FREE_LOGINS:
                delay = min(LONGEST_WAIT, 2.0 ** min(wrong - FREE_LOGINS + 1, 10))
                if last + delay > now:
                    return last + delay - now
            self._wrong.pop(visitor, None)  # so that it is the newest
            self._wrong[visitor] = (wrong + 1, now)
            while len(self._wrong) > MAX_ADDRESSES:
                del self._wrong[next(iter(self._wrong))]
            return 0.0

    def login_succeeded(self, visitor: str) -> None:
        """Forget the wrong passwords of `visitor`."""
        with self._lock:
            self._wrong.pop(visitor, None)

    def has_room(self, visitor: str) -> bool:
        """Whether `visitor` may upload anything now."""
        used = bytes_below(self.uploads)
        return used < self.total_bytes and self._sent_by(visitor) < self.visitor_bytes

    def count_upload(self, visitor: str, size: int) -> bool:
        """Note `size` bytes of an upload. False when it is too much."""
        with self._lock:
            self._sent[visitor].append((self.clock(), size))
        return self._sent_by(visitor) <= self.visitor_bytes

    def may_join(self, session: str, visitor: str) -> bool:
        """Whether a visitor may wait for the model once more."""
        pending = list(self.pending())
        of_session = sum(other == session for other, _ in pending)
        of_visitor = sum(other == visitor for _, other in pending)
        return of_session < self.waiting[0] and of_visitor < self.waiting[1]

    def _sent_by(self, visitor: str) -> int:
        with self._lock:
            sent = self._sent[visitor]
            while sent and sent[0][0] < self.clock() - self.window:
                sent.popleft()
            total = sum(size for _, size in sent)
            if not sent:
                del self._sent[visitor]
            return total


def visitor_at(host: str | None) -> str:
    """The visitor at an address: of IPv6, all of a network of 64 bits, which one household has."""
    try:
        address = ip_address(host or "unknown")
    except ValueError:
        return host or "unknown"
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), 64), strict=False))
