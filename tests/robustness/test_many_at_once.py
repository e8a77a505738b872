"""Many runs on one cache, killed in the middle, on full disks: the cache heals, files are whole, findings are the same."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from prodlint.analysis.store import FILE_NAME
from tests.robustness.processes import command, environment, run, start, write

MODULE = (
    "const fs = require('fs');\nconst app = require('express')();\n"
    "app.get('/{n}', async (req, res) => {{ res.send(fs.readFileSync('{n}')); }});\nmodule.exports = app;\n"
)
FILES = 12
CHECK = ("check", "--select", "blocking-call", "--output-format", "json")
FIX = ("check", "--select", "blocking-call", "--fix", "--unsafe-fixes", "-q")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    write(folder, {"prodlint.toml": "", "package.json": '{"dependencies": {"express": "5"}}'})
    write(folder, {f"src/m{n}.js": MODULE.format(n=n) + f"// {'x' * 60}\n" * 400 for n in range(FILES)})
    return folder


@pytest.fixture
def expected(shop: Path, tmp_path: Path) -> bytes:
    """What a run finds that nothing disturbs."""
    fresh = run(shop, tmp_path / "nowhere", *CHECK, "--no-cache").stdout
    assert fresh.count(b'"rule": "blocking-call"') == FILES
    return fresh


def test_twenty_at_once_of_which_half_are_killed(shop: Path, tmp_path: Path, expected: bytes) -> None:
    """With SIGKILL and with Ctrl-C, at any moment between their start and their end."""
    chance = random.Random(7)
    cache = tmp_path / "cache"
    running = [start(shop, cache, *CHECK, "-j", str(1 + number % 2)) for number in range(20)]
    doomed = {process.pid: chance.choice((signal.SIGKILL, signal.SIGINT)) for process in running[::2]}
    for process in chance.sample(running[::2], 10):
        time.sleep(chance.random() / 4)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, doomed[process.pid])
    for process in running:
        out, err = process.communicate()
        assert b"/prodlint/" not in err, err.decode()  # Python itself may still have been starting
        if process.pid in doomed and process.returncode != 1:
            assert process.returncode in (130, -doomed[process.pid], 1)
        else:
            assert (process.returncode, out) == (1, expected)
    assert run(shop, cache, *CHECK).stdout == expected
    assert run(shop, cache, *CHECK).stdout == expected


def _damaged(change: Callable[[Path], object]) -> Callable[[Path], None]:
    def damage(cache: Path) -> None:
        change(cache / FILE_NAME)

    return damage


def _cut(file: Path) -> None:
    with file.open("r+b") as stream:
        stream.truncate(file.stat().st_size // 2)


def _noise(file: Path) -> None:
    with file.open("r+b") as stream:
        for at in range(4096, file.stat().st_size, 9000):
            stream.seek(at)
            stream.write(bytes(random.Random(at).randrange(256) for _ in range(500)))


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


DAMAGES = {
    "cut": _damaged(_cut),
    "noise": _damaged(_noise),
    "zeros": _damaged(lambda file: file.write_bytes(b"\0" * 100_000)),
    "text": _damaged(lambda file: file.write_text("no database at all")),
    "a folder": _damaged(_folder),
    "a fifo": _damaged(lambda file: (file.unlink(), os.mkfifo(file))),
    "a loop": _damaged(lambda file: (file.unlink(), file.symlink_to(file.name))),
}


def test_a_broken_cache_changes_nothing_and_heals(shop: Path, tmp_path: Path, expected: bytes) -> None:
    cache = tmp_path / "cache"
    run(shop, cache, *CHECK)
    for name, damage in DAMAGES.items():
        damage(cache)
        done = run(shop, cache, *CHECK)
        assert done.stdout == expected, name
        is_left = not (cache / FILE_NAME).is_file()
        assert (b"is not used: it is no regular file" in done.stderr) == is_left, name
        if not (cache / FILE_NAME).is_file():  # that is nothing which prodlint made, and it is left alone
            shutil.rmtree(cache)
            run(shop, cache, *CHECK)
        if name in ("zeros", "text"):  # a page that is damaged stays so until it is needed
            with contextlib.closing(sqlite3.connect(cache / FILE_NAME)) as database:
                assert database.execute("SELECT count(*) FROM facts").fetchone()[0] > FILES


# --- disks ------------------------------------------------------------------------------------------------------------


def _small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then writing fails, as on a full disk


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk on which there is hardly any room; if that cannot be had, one where files cannot grow."""
    folder = tmp_path / "full"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    yield folder
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)


def _run_limited(folder: Path, cache: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(cache),
        capture_output=True,
        preexec_fn=_small_files,
        check=False,
    )


def test_no_room_for_the_cache(shop: Path, tmp_path: Path, full: Path, expected: bytes) -> None:
    for _ in range(2):
        done = run(shop, full / "cache", *CHECK)
        assert (done.stdout, done.stderr) == (expected, b"")
    for _ in range(2):
        done = _run_limited(shop, tmp_path / "cache", *CHECK)
        assert (done.stdout, done.stderr) == (expected, b"")
    assert run(shop, tmp_path / "cache", *CHECK).stdout == expected


def test_no_room_for_a_fixed_file(shop: Path, tmp_path: Path) -> None:
    """The file stays as it was, it is said, and nothing is left behind."""
    before = {path: path.read_bytes() for path in (shop / "src").iterdir()}
    done = _run_limited(shop, tmp_path / "cache", *FIX)
    assert b"was not written: File too large." in done.stderr
    assert b"Traceback" not in done.stderr
    assert {path: path.read_bytes() for path in (shop / "src").iterdir()} == before


def test_no_room_for_the_report(shop: Path, tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as sink:
        done = subprocess.run(
            command("check", "--select", "blocking-call"),
            cwd=shop,
            env=environment(tmp_path / "cache"),
            stdout=sink,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"No space left on device" in done.stderr
    output = run(shop, tmp_path / "cache", "check", "--select", "blocking-call", "--output-file", "/dev/full")
    assert (output.returncode, output.stderr.count(b"\n")) == (2, 1)


def test_a_cache_that_may_only_be_read(shop: Path, tmp_path: Path, expected: bytes) -> None:
    cache = tmp_path / "cache"
    assert run(shop, cache, *CHECK).stdout == expected
    held = (cache / FILE_NAME).read_bytes()
    prefix = []
    if os.geteuid() == 0:
        prefix = ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"]
    (cache / FILE_NAME).chmod(0o400)
    cache.chmod(0o500)
    write(shop, {"src/new.js": MODULE.format(n="new")})
    done = subprocess.run(
        [*prefix, *command(*CHECK)], cwd=shop, env=environment(cache), capture_output=True, check=False
    )
    cache.chmod(0o700)
    assert (done.returncode, done.stderr, done.stdout.count(b'"rule": "blocking-call"')) == (1, b"", FILES + 1)
    assert (cache / FILE_NAME).read_bytes() == held


# --- fixing -----------------------------------------------------------------------------------------------------------


def test_files_are_old_or_new_whenever_it_is_killed(shop: Path, tmp_path: Path) -> None:
    """Never a part of either, and what was not fixed is fixed by the next run."""
    old = {path.name: path.read_bytes() for path in (shop / "src").iterdir()}
    done = shutil.copytree(shop, tmp_path / "done")
    run(done, tmp_path / "cache", *FIX)
    new = {path.name: path.read_bytes() for path in (done / "src").iterdir()}
    assert all(old[name] != new[name] for name in old)
    for number, kind in enumerate((signal.SIGKILL, signal.SIGINT, signal.SIGKILL, signal.SIGTERM)):
        process = start(shop, tmp_path / "cache", *FIX)
        wanted = sum((shop / "src" / name).read_bytes() == new[name] for name in new) + 1 + number
        while process.poll() is None:  # until it has begun to write, more or less
            if sum((shop / "src" / name).read_bytes() == new[name] for name in new) >= min(wanted, FILES):
                break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, kind)
        _, err = process.communicate()
        assert b"/prodlint/" not in err, err.decode()
        for name in old:
            assert (shop / "src" / name).read_bytes() in (old[name], new[name]), name
    run(shop, tmp_path / "cache", *FIX)
    assert {name: (shop / "src" / name).read_bytes() for name in old} == new


def test_two_that_fix_the_same_files(shop: Path, tmp_path: Path) -> None:
    done = shutil.copytree(shop, tmp_path / "done")
    run(done, tmp_path / "cache", *FIX)
    for process in [start(shop, tmp_path / "cache", *FIX) for _ in range(4)]:
        _, err = process.communicate()
        assert process.returncode in (0, 1, 2)
        assert b"Traceback" not in err
    run(shop, tmp_path / "cache", *FIX)
    for path in (done / "src").iterdir():
        assert (shop / "src" / path.name).read_bytes() == path.read_bytes()
    assert len(list((shop / "src").iterdir())) == FILES


# --- ends -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [("check",), ("services",), ("check", "--fix", "--diff")], ids=" ".join)
def test_a_reader_that_has_seen_enough(shop: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """As behind `| head -1`, and one that reads nothing at all."""
    for lines in (1, 0):
        with start(shop, tmp_path / "cache", *arguments) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            if lines:
                process.stdout.readline()
            process.stdout.close()
            err = process.stderr.read().decode()
        assert process.returncode in (0, 1), err
        assert not any(word in err for word in ("Traceback", "Broken pipe", "Exception ignored"))


def test_ctrl_c_at_any_moment(shop: Path, tmp_path: Path) -> None:
    """It goes to all processes of the terminal."""
    write(shop, {f"large{n}.py": "def f(a):\n    return [a, g(a)]\n\n\n" * 3000 for n in range(8)})
    for delay, jobs in ((0.3, "1"), (0.6, "2"), (0.9, "2"), (1.2, "2")):
        process = start(shop, tmp_path / "cache", "check", "--no-cache", "-j", jobs)
        time.sleep(delay)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate()
        assert b"/prodlint/" not in err, err.decode()  # Python itself may still have been starting
        assert process.returncode in (130, -signal.SIGINT, 0, 1), err.decode()
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)  # no worker goes on
