"""A lock that serves in the order of asking. Name from A1111 v1.10.1, modules/fifo_lock.py."""

import collections
import threading


class FIFOLock:
    """Like threading.Lock, first come, first served."""

    def __init__(self):
        self._lock, self._guard = threading.Lock(), threading.Lock()
        self._waiting = collections.deque()

    def acquire(self, blocking=True):
        """Take the lock; False if it is taken and `blocking` is False."""
        with self._guard:
            if self._lock.acquire(blocking=False):
                return True
            if not blocking:
                return False
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()
        return self._lock.acquire()

    def release(self):
        """Give the lock to the one who waits longest."""
        with self._guard:
            self._lock.release()
            if self._waiting:
                self._waiting.popleft().set()

    __enter__ = acquire

    def __exit__(self, *_):
        self.release()
