"""Extension folders and their metadata.ini. Contract: A1111 v1.10.1, modules/extensions.py."""

import configparser
import os
import re
import subprocess
from dataclasses import dataclass

from modules import errors, shared
from modules.paths_internal import extensions_builtin_dir, extensions_dir

extensions = []
extension_paths = {}
loaded_extensions = {}


@dataclass
class CallbackOrderInfo:
    """Before and after which callbacks one of the extension's runs."""

    name: str
    before: list
    after: list


class ExtensionMetadata:
    """The metadata.ini of an extension; without one, its folder's name."""

    filename = "metadata.ini"

    def __init__(self, path, canonical_name):
        self.config = configparser.ConfigParser()
        try:
            self.config.read(os.path.join(path, self.filename), encoding="utf8")
        except configparser.Error:
            errors.report(
                f"Error reading {self.filename} for extension {canonical_name}.", exc_info=True
            )
        # v1.10.1 reads the Name and then takes the folder's name all the same.
        self.canonical_name = canonical_name.lower().strip()
        self.requires = None

    def get_script_requirements(self, field, section, extra_section=None):
        """Names listed under `field` of one or two sections; `a|b` is whichever is loaded."""
        sections = [section] + ([extra_section] if extra_section else [])
        text = ", ".join(self.config.get(name, field, fallback="") for name in sections)
        return [self._loaded(name) for name in self.parse_list(text.lower())]

    def _loaded(self, requirement):
        return next(
            (name for name in requirement.split("|") if name in loaded_extensions), requirement
        )

    def parse_list(self, text):
        """Split at commas and spaces."""
        return [word for word in re.split(r"[,\s]+", text or "") if word]

    def list_callback_order_instructions(self):
        """The `callbacks/…` sections."""
        for section in self.config.sections():
            name = section.removeprefix("callbacks/")
            if name != section and name.startswith(self.canonical_name):
                lists = [
                    self.parse_list(self.config.get(section, key, fallback=""))
                    for key in ("Before", "After")
                ]
                yield CallbackOrderInfo(name, *lists)


class Extension:
    """One folder of `extensions/`."""

    def __init__(self, name, path, enabled=True, is_builtin=False, metadata=None):
        self.name, self.path, self.enabled, self.is_builtin = name, path, enabled, is_builtin
        self.metadata = metadata or ExtensionMetadata(path, name.lower())
        self.canonical_name = self.metadata.canonical_name
        self.status, self.can_update, self.have_info_from_repo = "", False, False
        self.commit_hash, self.commit_date, self.version = "", None, ""
        self.branch = self.remote = None

    def read_info_from_repo(self):
        """Ask git, once, where the folder comes from."""
        if self.is_builtin or self.have_info_from_repo:
            return
        self.have_info_from_repo = True
        if os.path.exists(os.path.join(self.path, ".git")):
            self.remote = self._git("remote", "get-url", "origin")
            self.branch = self._git("rev-parse", "--abbrev-ref", "HEAD")
            self.commit_hash = self._git("rev-parse", "HEAD") or ""
            date = self._git("log", "-1", "--format=%ct")
            self.commit_date = int(date) if date else None
            self.version = self.commit_hash[:8]

    def _git(self, *words):
        done = subprocess.run(["git", "-C", self.path, *words], capture_output=True, text=True)
        return done.stdout.strip() or None if done.returncode == 0 else None

    def list_files(self, subdir, extension):
        """Files with this ending in a sub-folder, sorted by name."""
        from modules import scripts

        folder = os.path.join(self.path, subdir)
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        files = [scripts.ScriptFile(self.path, name, os.path.join(folder, name)) for name in names]
        return [
            file
            for file in files
            if file.path.lower().endswith(extension) and os.path.isfile(file.path)
        ]


def active():
    """The extensions that are enabled."""
    everything = (
        shared.cmd_opts.disable_all_extensions or shared.opts.disable_all_extensions == "all"
    )
    extra = (
        shared.cmd_opts.disable_extra_extensions or shared.opts.disable_all_extensions == "extra"
    )
    return (
        []
        if everything
        else [item for item in extensions if item.enabled and (item.is_builtin or not extra)]
    )


def list_extensions():
    """Read the extension folders again."""
    extensions.clear()
    extension_paths.clear()
    loaded_extensions.clear()
    for folder in (extensions_builtin_dir, extensions_dir):
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            if os.path.isdir(os.path.join(folder, name)):
                _add(name, os.path.join(folder, name), folder == extensions_builtin_dir)
    for item in extensions:
        item.metadata.requires = item.metadata.get_script_requirements("Requires", "Extension")
        if item.enabled:
            _check_requirements(item)


def _add(name, path, is_builtin):
    metadata = ExtensionMetadata(path, name)
    if metadata.canonical_name in loaded_extensions:
        errors.report(f'Duplicate canonical name "{name}" among extensions.')
        return
    item = Extension(name, path, name not in shared.opts.disabled_extensions, is_builtin, metadata)
    extensions.append(item)
    extension_paths[path] = loaded_extensions[metadata.canonical_name] = item


def _check_requirements(item):
    for name in item.metadata.requires:
        other = loaded_extensions.get(name)
        if other is None or not other.enabled:
            state = "not installed" if other is None else "disabled"
            errors.report(f'Extension "{item.name}" requires "{name}" which is {state}.')


def find_extension(filename):
    """The extension that a file lies in, or None."""
    for path in (os.path.abspath(filename), os.path.realpath(filename)):
        while path != os.path.dirname(path):
            path = os.path.dirname(path)
            if path in extension_paths:
                return extension_paths[path]
    return None
