"""The client as it is published: built as `python -m build companion` does, installed, and used.

Each Python from 3.10 on that this machine has, with the lowest versions of what it depends on and
with the newest.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import environment

pytestmark = [pytest.mark.once, pytest.mark.timeout(600)]

COMPANION = environment.ROOT / "companion"
PUBLISHED = {
    "payload_replay/py.typed",
    "payload_replay/capture.schema.json",
    "payload_replay/pytest_plugin.py",
    "payload_replay/commands/serve.py",
    "webui_standin/py.typed",
}
USED = """
import importlib.resources, json, sys, tempfile
from io import BytesIO
from base64 import b64encode
from pathlib import Path
from PIL import Image
import payload_replay
from payload_replay import WebUI, capture
from payload_replay.capture import TXT2IMG, Host, Job
from payload_replay.recorder import of_answer
from payload_replay.serve import Recorded

files = importlib.resources.files("payload_replay")
schema = json.loads((files / "capture.schema.json").read_text())
assert schema == capture.schema()
assert (files / "py.typed").is_file()
buffer = BytesIO()
Image.new("RGB", (8, 8), "red").save(buffer, "PNG")
payload = {"prompt": "a cat", "seed": 7}
answer = {"images": [b64encode(buffer.getvalue()).decode()], "info": "{}"}
made = of_answer(TXT2IMG, payload, answer, Host(), Job())
with tempfile.TemporaryDirectory() as folder:
    Path(folder, "cat.json").write_text(made.to_json())
    with Recorded(folder) as url:
        print(WebUI(url).replay(made).verdict)
"""


def sources() -> set[str]:
    """The files that are to be published, by their names in the wheel."""
    home = COMPANION / "src"
    files = (path for path in home.rglob("*") if path.is_file() and path.name != ".DS_Store")
    names = {path.relative_to(home).as_posix() for path in files if path.suffix != ".pyc"}
    assert names >= PUBLISHED
    return names


def pythons() -> list[str]:
    """A Python of each minor version that the package is for, as far as this machine has it."""
    found = {}
    for minor in range(environment.PYTHONS[0][1], 20):
        name = f"python3.{minor}"
        places = [shutil.which(name), *sorted(Path.home().glob(f".pyenv/versions/*/bin/{name}"))]
        for place in filter(None, places):
            if environment.works([str(place), "-c", "import ensurepip, venv"]):
                found[name] = str(place)
    return list(found.values())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive, and the wheel that was built from it."""
    home = tmp_path_factory.mktemp("dist")
    python = made(home / "tools", sys.executable)
    run(python, "-m", "pip", "install", "--quiet", "build")
    run(python, "-m", "build", "--outdir", str(home / "dist"), str(COMPANION))
    return home / "dist"


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


def made(home: Path, python: str) -> str:
    """A new environment of this Python; its own one."""
    run(python, "-m", "venv", str(home))
    return str(environment.python_of(home))


def run(*command: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**environment.clean_environment(), **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
    return done.stdout


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (one for one in archive.namelist() if one.endswith("/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


@functools.cache
def lowest(wheel: Path, python: str) -> list[str]:
    """The pins that are the lower bounds of what the wheel asks for under this Python."""
    version = run(python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    bounds: dict[str, str] = {}
    for text in metadata(wheel).get_all("Requires-Dist") or []:
        one = Requirement(text)
        if one.marker and not one.marker.evaluate({"python_version": version, "extra": "cli"}):
            continue
        (bound,) = (each.version for each in one.specifier if each.operator == ">=")
        bounds[one.name] = max(bound, bounds.get(one.name, bound), key=Version)
    return [f"{name}=={bound}" for name, bound in bounds.items()]


def test_what_is_published(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    described = {name for name in names if name.partition("/")[0].endswith(".dist-info")}
    assert names - described == sources()
    told = metadata(wheel)
    assert told["Requires-Python"] == ">=3.10"
    assert told.get_payload() == (COMPANION / "README.md").read_text()
    (license_,) = (name for name in described if name.endswith("/LICENSE"))
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read(license_) == (environment.ROOT / "LICENSE").read_bytes()


def test_what_the_source_archive_holds(built: Path) -> None:
    (source,) = built.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    described = {"pyproject.toml", "PKG-INFO", "LICENSE", "README.md"}
    assert inside - {".gitignore"} == {f"src/{name}" for name in sources()} | described


def test_a_python_is_tried() -> None:
    """Without any, the next test would be skipped."""
    assert pythons()


@pytest.mark.parametrize("python", pythons(), ids=lambda path: Path(path).name)
@pytest.mark.parametrize("versions", ["lowest", "newest"])
def test_it_installs_and_works(wheel: Path, python: str, versions: str, tmp_path: Path) -> None:
    pins = [*lowest(wheel, python), "pytest==7.4.0"] if versions == "lowest" else ["pytest"]
    home = tmp_path / "env"
    inside = made(home, python)
    pip = (inside, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--only-binary", ":all:", f"{wheel}[cli]", *pins)
    run(*pip, "check")
    assert run(inside, "-c", USED, cwd=tmp_path).strip() == "identical"
    command = str(Path(inside).parent / "payload-replay")
    assert f"payload-replay {metadata(wheel)['Version']}" in run(command, "--version")
    words = {"_PAYLOAD_REPLAY_COMPLETE": "complete_bash", "COMP_WORDS": f"{command} ser"}
    assert run(command, env=words | {"COMP_CWORD": "1"}).split() == ["serve"]
    for name in ("replay", "serve", "watch"):
        assert f"Example: payload-replay {name}" in run(command, name, "--help")
    assert "webui_capture" in run(inside, "-m", "pytest", "--markers", cwd=tmp_path)
    assert "--webui-url" in run(inside, "-m", "pytest", "--help", cwd=tmp_path)
