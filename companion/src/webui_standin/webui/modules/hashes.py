"""SHA-256 of files, remembered by size and time. Names from A1111 v1.10.1, modules/hashes.py."""

import hashlib
import os

_known = {}


def calculate_sha256(filename):
    """Hexadecimal SHA-256 of a file."""
    with open(filename, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def sha256(filename, title, use_addnet_hash=False):
    """The same, from memory while the file stays as it is."""
    found = os.stat(filename)
    key = (filename, found.st_mtime_ns, found.st_size)
    if key not in _known:
        _known[key] = calculate_sha256(filename)
    return _known[key]


def sha256_from_cache(filename, title, use_addnet_hash=False):
    """The same: small files are always known."""
    return sha256(filename, title)
