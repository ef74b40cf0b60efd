"""What install.py files and version lines use. Names from A1111 v1.10.1,
modules/launch_utils.py."""

import functools
import importlib.metadata
import importlib.util
import json
import os
import shlex
import subprocess
import sys

from modules import cmd_args, timer
from modules.paths_internal import extensions_builtin_dir, extensions_dir, script_path
from webui_standin import layout
from webui_standin.flavour import webui_commit, webui_version

args, _ = cmd_args.parser.parse_known_args()
python = sys.executable
index_url = os.environ.get("INDEX_URL", "")
dir_repos = "repositories"
default_command_live = os.environ.get("WEBUI_LAUNCH_LIVE_OUTPUT") == "1"
startup_timer = timer.startup_timer


@functools.cache
def commit_hash():
    """The commit that is imitated."""
    return webui_commit()


@functools.cache
def git_tag():
    """The version that is imitated, as infotexts show it."""
    return webui_version()


def run(command, desc=None, errdesc=None, custom_env=None, live=default_command_live):
    """Run a shell command and return what it printed; raise RuntimeError when it fails."""
    if desc:
        print(desc)
    pipe = None if live else subprocess.PIPE
    done = subprocess.run(
        command, shell=True, env=custom_env, stdout=pipe, stderr=pipe, text=True, errors="ignore"
    )
    if done.returncode:
        parts = [
            errdesc or "Error running command",
            f"Command: {command}",
            f"Error code: {done.returncode}",
        ]
        raise RuntimeError("\n".join(parts + [text for text in (done.stdout, done.stderr) if text]))
    return done.stdout or ""


def is_installed(package):
    """Tell whether a distribution or a module of this name is there."""
    try:
        return importlib.metadata.distribution(package) is not None
    except importlib.metadata.PackageNotFoundError:
        try:
            return importlib.util.find_spec(package) is not None
        except ModuleNotFoundError:
            return False


def repo_dir(name):
    """Where the webui would clone a repository."""
    return os.path.join(script_path, dir_repos, name)


def run_pip(command, desc=None, live=default_command_live):
    """Run pip with this command line, unless the webui was started with --skip-install."""
    if args.skip_install:
        return None
    index = f" --index-url {index_url}" if index_url else ""
    full = f'"{python}" -m pip {command} --prefer-binary{index}'
    return run(full, desc=f"Installing {desc}", errdesc=f"Couldn't install {desc}", live=live)


def check_run_python(code):
    """Tell whether this Python code runs without an error."""
    return subprocess.run([python, "-c", code], capture_output=True, shell=False).returncode == 0


def list_extensions(settings_file):
    """Folder names of the extensions that the settings don't disable."""
    settings = {}
    try:
        with open(settings_file, encoding="utf8") as file:
            settings = json.load(file)
    except (FileNotFoundError, ValueError):
        pass
    if settings.get("disable_all_extensions", "none") != "none" or args.disable_all_extensions:
        return []
    disabled = set(settings.get("disabled_extensions", []))
    return [name for name in _folders(extensions_dir) if name not in disabled]


def _folders(path):
    names = sorted(os.listdir(path)) if os.path.isdir(path) else []
    return [name for name in names if os.path.isdir(os.path.join(path, name))]


def run_extension_installer(extension_dir):
    """Run the extension's install.py in its own process, with `launch` importable."""
    from modules import errors

    path = os.path.join(extension_dir, "install.py")
    if not os.path.isfile(path):
        return
    roots = [
        *map(str, layout.roots()),
        str(layout.PACKAGE.parent),
        os.environ.get("PYTHONPATH", ""),
    ]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, roots))}
    try:
        stdout = run(
            shlex.join([python, path]),
            errdesc=f"Error running install.py for extension {extension_dir}",
            custom_env=env,
        ).strip()
        if stdout:
            print(stdout)
    except Exception as error:
        errors.report(str(error), exc_info=True)


def run_extensions_installers(settings_file):
    """Run every enabled extension's install.py."""
    for name in list_extensions(settings_file):
        run_extension_installer(os.path.join(extensions_dir, name))
    for name in _folders(extensions_builtin_dir):
        run_extension_installer(os.path.join(extensions_builtin_dir, name))


def prepare_environment():
    """Make the data folder ready and install what the extensions need."""
    for folder in (args.data_dir, extensions_dir):
        os.makedirs(folder, exist_ok=True)
    if not args.skip_install:
        run_extensions_installers(args.ui_settings_file)


def git_clone(url, dir, name, commithash=None):
    """Not built: the stand-in fetches nothing."""
    raise NotImplementedError("the stand-in clones no repositories")
