"""Jobs on the process's main thread, as in Forge dfdcbab6, modules_forge/main_thread.py.

A job's exception is printed and swallowed; who waits gets None.
"""

import queue
import threading

from modules import errors

last_exception = None
_jobs: "queue.Queue" = queue.Queue()


class Task:
    """One job and its result."""

    def __init__(self, func, args, kwargs):
        self.func, self.args, self.kwargs = func, args, kwargs
        self.result = self.exception = None
        self.done = threading.Event()

    def work(self):
        """Do the job."""
        global last_exception
        try:
            self.result = self.func(*self.args, **self.kwargs)
        except Exception as error:
            errors.report("Error in a generation on the main thread", exc_info=True)
            self.exception = error
        last_exception = self.exception
        self.done.set()


def loop():
    """Work for ever; called on the main thread."""
    while True:
        _jobs.get().work()


def async_run(func, *args, **kwargs):
    """Hand a job over and return it."""
    task = Task(func, args, kwargs)
    _jobs.put(task)
    return task


def run_and_wait_result(func, *args, **kwargs):
    """Hand a job over and wait for its result."""
    task = async_run(func, *args, **kwargs)
    task.done.wait()
    return task.result
