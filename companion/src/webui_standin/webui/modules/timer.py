"""Startup times by part, in seconds. Names from A1111 v1.10.1, modules/timer.py."""

import argparse
import time
from contextlib import contextmanager


class Timer:
    """Adds up the seconds between calls of `record`."""

    def __init__(self, print_log=False):
        self.print_log = print_log
        self.reset()

    def reset(self):
        """Start over."""
        self.start = self._last = time.perf_counter()
        self.records, self.total = {}, 0

    def elapsed(self):
        """Seconds since the last call of this method or of `record`."""
        now = time.perf_counter()
        passed, self._last = now - self._last, now
        return passed

    def record(self, category, extra_time=0, disable_log=False):
        """Book the seconds since the last record under `category`."""
        passed = self.elapsed() + extra_time
        self.records[category] = self.records.get(category, 0) + passed
        self.total += passed

    @contextmanager
    def subcategory(self, name):
        """Book the block under `name`."""
        self.elapsed()
        yield self
        self.record(name)

    def summary(self):
        """One line: the total and the parts that took at least a tenth of a second."""
        parts = [f"{name}: {spent:.1f}s" for name, spent in self.records.items() if spent >= 0.1]
        return f"{self.total:.1f}s" + (f" ({', '.join(parts)})" if parts else "")

    def dump(self):
        """Total and parts as a dict."""
        return {"total": self.total, "records": self.records}


parser = argparse.ArgumentParser(add_help=False)
parser.add_argument("--log-startup", action="store_true")
startup_timer = Timer()
startup_record = None
