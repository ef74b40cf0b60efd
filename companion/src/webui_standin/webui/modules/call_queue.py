"""Wrappers around page events: one generation at a time, errors as HTML.

Names and order: A1111 v1.10.1, modules/call_queue.py.
"""

import html
import itertools
import time
from functools import wraps

from modules import devices, errors, fifo_lock, progress, shared

queue_lock = fifo_lock.FIFOLock()
_job_numbers = itertools.count(1)


def wrap_queued_call(func):
    """Call under the queue lock."""

    def call(*args, **kwargs):
        with queue_lock:
            return func(*args, **kwargs)

    return call


def _is_task(args):
    return (
        bool(args)
        and isinstance(args[0], str)
        and args[0].startswith("task(")
        and args[0].endswith(")")
    )


def wrap_gradio_gpu_call(func, extra_outputs=None):
    """Call under the queue lock as a job whose id is the first argument, `task(…)`."""

    @wraps(func)
    def call(*args, **kwargs):
        id_task = args[0] if _is_task(args) else None
        if id_task is not None:
            progress.add_task_to_queue(id_task)
        with queue_lock:
            shared.state.begin(job=id_task)
            progress.start_task(id_task)
            try:
                result = func(*args, **kwargs)
                progress.record_results(id_task, result)
            finally:
                progress.finish_task(id_task)
            shared.state.end()
        return result

    return wrap_gradio_call(call, extra_outputs=extra_outputs, add_stats=True)


def wrap_gradio_call(func, extra_outputs=None, add_stats=False):
    """Call, and afterwards forget requests to stop."""

    @wraps(func)
    def call(*args, **kwargs):
        try:
            return func(*args, **kwargs)
        finally:
            state = shared.state
            state.skipped = state.interrupted = state.stopping_generation = False
            state.job_count, state.job = 0, ""

    return wrap_gradio_call_no_job(call, extra_outputs, add_stats)


def wrap_gradio_call_no_job(func, extra_outputs=None, add_stats=False):
    """Call; an exception becomes HTML in the last output, and the time taken is added to it."""

    @wraps(func)
    def call(*args, extra_outputs_array=extra_outputs, **kwargs):
        start = time.perf_counter()
        try:
            results = list(func(*args, **kwargs))
        except Exception as error:
            errors.report(
                f"Error completing request\nArguments: {args} {kwargs}"[:131072], exc_info=True
            )
            shown = html.escape(f"{type(error).__name__}: {error}")
            empty = [None, ""] if extra_outputs_array is None else extra_outputs_array
            results = [*empty, f"<div class='error'>{shown}</div>"]
        devices.torch_gc()
        if add_stats:
            results[-1] += _stats(time.perf_counter() - start)
        return tuple(results)

    return call


def _stats(seconds):
    minutes, rest = divmod(seconds, 60)
    text = (f"{int(minutes)} min. " if minutes >= 1 else "") + f"{rest:.1f} sec."
    measured = f"<span class='measurement'>{text}</span>"
    # Jobs here are so short that their logs would be equal, and a page couldn't tell a new one.
    number = next(_job_numbers)
    said = f"<p class='time'>Time taken: <wbr>{measured}</p>"
    return f"<div class='performance' data-job='{number}'>{said}</div>"
