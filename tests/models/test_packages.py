"""Models of packages: what is worked out of a library, and what an access path finds in it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from prodlint.analysis.package_models import build_model, packages_of_wheel
from prodlint.models.packages import ITS_ASYNC_FORM, MODELS, Blocks, PackageModels

LIBRARY = {
    "lib/__init__.py": "from lib._client import Client, AsyncClient, connect\nfrom lib import tools",
    "lib/_base.py": """\
import requests

class Base:
    def _send(self, path):
        for _ in range(3):
            try:
                return requests.get(path)
            except OSError:
                continue
""",
    "lib/_client.py": """\
from functools import cached_property
from lib._base import Base

class Users(Base):
    def find(self, name):
        return self._send(name)

    def name_of(self, user):
        return user.name

    def once(self, name):
        if name not in self.seen:
            self.seen[name] = self._send(name)
        return self.seen[name]

    def either(self, name):
        if name:
            return self._send(name)
        else:
            return self._send("all")

class Client:
    def __init__(self):
        self.users = Users()

    @cached_property
    def others(self):
        return Users()

    def copy(self) -> "Client":
        return Client()

    def ping(self):
        return self._ping()

    def close(self):
        self.socket.close()

class AsyncClient:
    async def ping(self):
        return await self._ping()

    async def close(self):
        await self.socket.close()

    async def find(self, name):
        return await self._get(name)

class Store:
    def load(self, key): ...

    def peek(self, key): ...

    async def aload(self, key):
        return await self._get(key)

    def count(self): ...

    async def acount(self):
        return await asyncio.to_thread(self.count)

def connect() -> Client:
    return Client()
""",
    "lib/tools.py": """\
import time

def wait():
    time.sleep(1)

def wait_if(asked):
    if asked:
        time.sleep(1)

def _inner():
    wait()

def outer():
    _inner()

def version():
    with open("/proc/version") as file:
        return file.read()
""",
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> PackageModels:
    folder = tmp_path_factory.mktemp("models")
    (folder / "lib.txt").write_text(build_model("lib", "lib 1.0", LIBRARY, PackageModels([folder])))
    return PackageModels([folder])


@pytest.mark.parametrize(
    ("path", "api"),
    {
        "lib.tools.wait": "time.sleep",
        "lib.tools.outer": "time.sleep",
        "lib.Client().users.find": "requests.get",
        "lib.Client().others.find": "requests.get",
        "lib.connect().users.find": "requests.get",
        "lib.Client().copy().copy().users.find": "requests.get",
        "lib.Client().users.either": "requests.get",
        "lib.Client().ping": ITS_ASYNC_FORM,
        "lib._client.Store().load": ITS_ASYNC_FORM,
    }.items(),
)
def test_blocks(models: PackageModels, path: str, api: str) -> None:
    found = models.blocks(path)
    assert found is not None
    assert found.api == api
    assert found.sure


@pytest.mark.parametrize(
    "path",
    [
        "lib",
        "lib.Client",
        "lib.Client()",
        "lib.Client().users",
        "lib.Client().users.name_of",
        "lib.Client().users.find().find",
        "lib.Client().close",
        "lib.Client().other.find",
        "lib.AsyncClient().ping",
        "lib.AsyncClient().find",
        "lib._client.Store().peek",
        "lib._client.Store().count",
        "lib.tools",
        "lib.tools.wait()",
        "other.tools.wait",
        "library.tools.wait",
        "",
    ],
)
def test_does_not_block(models: PackageModels, path: str) -> None:
    assert models.blocks(path) is None


@pytest.mark.parametrize("path", ["lib.Client().users.once", "lib.tools.wait_if", "lib.tools.version"])
def test_is_not_sure_under_a_condition_or_of_its_own_files(models: PackageModels, path: str) -> None:
    found = models.blocks(path)
    assert found is None or not found.sure


def test_the_cause_names_the_file(models: PackageModels) -> None:
    assert models.blocks("lib.Client().users.find") == Blocks("requests.get", "lib/_base.py", True)


def test_a_package_builds_on_another(models: PackageModels, tmp_path: Path) -> None:
    above = {"above/__init__.py": "import lib\n\ndef find(name):\n    return lib.connect().users.find(name)\n"}
    (tmp_path / "above.txt").write_text(build_model("above", "above 1.0", above, models))
    found = PackageModels([tmp_path]).blocks("above.find")
    assert found is not None
    assert found.api == "requests.get"


def test_a_class_builds_on_one_of_another_package(models: PackageModels, tmp_path: Path) -> None:
    above = {"above/__init__.py": "import lib\n\nclass Mine(lib.Client):\n    def more(self): pass\n"}
    (tmp_path / "above.txt").write_text(build_model("above", "above 1.0", above, models))
    (tmp_path / "lib.txt").write_text(build_model("lib", "lib 1.0", LIBRARY, models))
    both = PackageModels([tmp_path])
    assert both.blocks("above.Mine().ping") is not None
    assert both.blocks("above.Mine().users.find") is not None
    assert both.blocks("above.Mine().more") is None


def test_the_text_is_the_same_each_time(models: PackageModels) -> None:
    backwards = dict(reversed(LIBRARY.items()))
    assert build_model("lib", "lib 1.0", LIBRARY, models) == build_model("lib", "lib 1.0", backwards, models)


def test_nothing_that_blocks_is_no_model(models: PackageModels) -> None:
    assert build_model("quiet", "quiet 1.0", {"quiet/__init__.py": "def f(): return 1"}, models) == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0\n\n = \n  \n@\n@x y\n",
        "lib.f!7\n",
        "lib.f!99999999999999999999\n",
        "lib.A lib.A\n a: lib.A\n b(): lib.B\nlib.B lib.A\n c: lib.A\n",
        "lib.f = lib.g\nlib.g = lib.f\n",
        "@0 x y\n f!0\nlib.A lib.B\nlib.B lib.A\n f!0\n",
    ],
)
def test_any_text_is_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "lib.txt").write_text(text)
    models = PackageModels([tmp_path])
    for path in ("lib.f", "lib.A().a.b().c.f", "lib.A().f", "lib.A().a.a.a", "lib" + ".a" * 5000):
        models.blocks(path)


def test_packages_of_a_wheel(tmp_path: Path) -> None:
    wheel = tmp_path / "many-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in (
            "many/__init__.py",
            "many/tests/__init__.py",
            "many/tests/a.py",
            "google/cloud/many/__init__.py",
            "google/cloud/_many/__init__.py",
            "alone.py",
            "many-1.0.dist-info/x.py",
            "many/data.txt",
        ):
            archive.writestr(name, "")
    found = dict(packages_of_wheel(wheel))
    assert sorted(found) == ["alone", "google.cloud.many", "many"]
    assert "many/tests/a.py" not in found["many"]


def test_every_model_of_ours_can_be_read() -> None:
    models = PackageModels()
    files = sorted(MODELS.iterdir())
    assert files
    for file in files:
        lines = file.read_text().splitlines()
        assert lines[0].startswith("# ")
        assert len(lines) > 1
        models.blocks(f"{file.stem}.anything")
