"""Small helpers. Names from A1111 v1.10.1, modules/util.py."""

import os
import re

from modules.paths_internal import script_path


def natural_sort_key(text, regex=re.compile(r"(\d+)")):
    """Key that sorts `file10` after `file9`."""
    return [int(part) if part.isdigit() else part.lower() for part in regex.split(text)]


def listfiles(dirname):
    """The visible files of a folder, as full paths in natural order."""
    paths = [
        os.path.join(dirname, name) for name in sorted(os.listdir(dirname), key=natural_sort_key)
    ]
    return [
        path
        for path in paths
        if not os.path.basename(path).startswith(".") and os.path.isfile(path)
    ]


def html_path(filename):
    """Where an HTML fragment of the webui lies."""
    return os.path.join(script_path, "html", filename)


def html(filename):
    """An HTML fragment of the webui, empty if there is none."""
    path = html_path(filename)
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf8") as file:
        return file.read()


def walk_files(path, allowed_extensions=None):
    """All files below a folder, with these endings only."""
    endings = tuple(ending.lower() for ending in allowed_extensions or ("",))
    for root, folders, files in os.walk(path, followlinks=True):
        folders.sort(key=natural_sort_key)
        for name in sorted(files, key=natural_sort_key):
            if name.lower().endswith(endings):
                yield os.path.join(root, name)


def truncate_path(target_path, base_path=None):
    """The path relative to the working folder, if it lies below it."""
    base = os.path.abspath(base_path or os.getcwd())
    target = os.path.abspath(target_path)
    inside = target == base or target.startswith(base + os.sep)
    return os.path.relpath(target, base) if inside else target


def topological_sort(dependencies):
    """Names in an order in which each comes after the names it depends on; cycles are cut."""
    done, waiting, ordered = set(), set(), []

    def visit(name):
        if name in done or name in waiting:
            return
        waiting.add(name)
        for other in dependencies.get(name, ()):
            if other in dependencies:
                visit(other)
        done.add(name)
        ordered.append(name)

    for name in dependencies:
        visit(name)
    return ordered
