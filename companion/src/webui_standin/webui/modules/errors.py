"""Error reporting: printed as the webui does, and kept for `GET /standin/errors`.

Names from A1111 v1.10.1, modules/errors.py.
"""

import sys
import textwrap
import traceback

from webui_standin import swallowed

exception_records = []
_shown_once = set()


def report(message, *, exc_info=False):
    """Print a message and, with `exc_info`, the exception being handled; keep both."""
    swallowed.record(message, sys.exc_info()[1] if exc_info else None)
    print(textwrap.indent(message, "*** "), file=sys.stderr)
    if exc_info:
        record_exception()
        print(textwrap.indent(traceback.format_exc(), "    "), file=sys.stderr)
        print("---", file=sys.stderr)


def display(error, task, *, full_traceback=False):
    """Print an exception that came up during `task`, and keep it."""
    record_exception()
    swallowed.record(task, error)
    print(f"{task or 'error'}: {type(error).__name__}", file=sys.stderr)
    traceback.print_exception(error)


def display_once(error, task):
    """Like `display`, once for each task."""
    if task not in _shown_once:
        _shown_once.add(task)
        display(error, task)


def run(code, task):
    """Call `code`, and `display` what it raises."""
    try:
        code()
    except Exception as error:
        display(error, task)


def record_exception():
    """Remember the last five exceptions, as the webui's sysinfo shows them."""
    error = sys.exc_info()[1]
    if error is not None and (
        not exception_records or exception_records[-1]["exception"] is not error
    ):
        exception_records.append({"exception": error, "traceback": traceback.format_exc()})
        del exception_records[:-5]


def get_exceptions():
    """The remembered exceptions, newest first."""
    return [
        {"exception": str(e["exception"]), "traceback": e["traceback"]}
        for e in reversed(exception_records)
    ]


def print_error_explanation(message):
    """Print a boxed message."""
    print("=" * 40, message.strip(), "=" * 40, sep="\n", file=sys.stderr)
