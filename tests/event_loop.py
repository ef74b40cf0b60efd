"""Coroutines run beside Playwright, whose own event loop runs on the tests' thread."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` on a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def apart(test: Callable[[], None]) -> Callable[[], None]:
    """A test of what runs a loop itself, on a thread of its own."""

    @functools.wraps(test)
    def ran() -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(test).result()

    return ran
