"""No way in which a repository can have git run a program is one when prodlint asks git: not from an unpacked archive,
whose `.git` is anybody's, and not from a plain clone.

The settings are those of `git help --config` and of git's pages that take a command, a program or a path to one, or that
make git fetch.
"""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from prodlint.analysis import git_repository
from prodlint.analysis.git_changes import changes_since
from prodlint.analysis.git_repository import _CLOSED, GitError
from prodlint.analysis.session import Session
from tests.robustness.processes import Done, write

pytestmark = pytest.mark.needs("git")

HANDLER = "import time\nfrom fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/')\nasync def index():\n    {}\n"
OLD, NEW = HANDLER.format("return {}"), HANDLER.format("time.sleep(1)")
CHANGED = [range(9, 10)]
FILES = {
    "prodlint.toml": 'select = ["blocking-call"]\n',
    "app.py": OLD,
    "old.py": NEW,
    ".gitattributes": "* filter=trap diff=trap merge=trap\n",
    ".gitmodules": '[submodule "sub"]\n\tpath = sub\n\turl = ext::TRAP\n',
}


class Setting(NamedTuple):
    """Something that a configuration can say; TRAP is a program, TRAPS a folder with one under each hook's name."""

    name: str
    value: str = "TRAP"
    control: Sequence[str] = ()
    """A command of git that the program is run by, where that is easily shown."""
    more: Mapping[str, str] = {}
    """What else has to be said."""
    before: Sequence[str] = ()
    """A command that has to go before."""
    why: str = ""
    """Why ordinary git is not shown to run it."""


SSH, EXT = "ssh://host.invalid/x", "ext::TRAP"
SIGN = ("commit", "--allow-empty", "-S", "-m", "x")
FILL = ("credential", "fill")
MERGE = ("merge", "-m", "x", "side")
NO_PROGRAM = "it names no program; where it leads is looked at"
NO_ALIAS = "git takes no alias for a command of its own"
BY_MAIL = "it is for git's programs that send mail"

SETTINGS = [
    Setting("core.fsmonitor", control=("status",)),
    Setting("core.hooksPath", "TRAPS", control=("commit", "--allow-empty", "-m", "x")),
    Setting("core.pager", control=("log",)),
    Setting("pager.log", control=("log",)),
    Setting("pager.diff", control=("diff", "HEAD")),
    Setting("pager.config", control=("config", "--list")),
    Setting("pager.ls-tree", control=("ls-tree", "HEAD")),
    Setting("pager.rev-parse", why="git has no pager there"),
    Setting("pager.cat-file", control=("cat-file", "-p", "HEAD")),
    Setting("pager.merge-base", control=("merge-base", "main", "side")),
    Setting("core.editor", control=("commit", "--amend")),
    Setting("sequence.editor", control=("rebase", "-i", "HEAD~1")),
    Setting("core.sshCommand", control=("ls-remote", SSH)),
    Setting("core.gitProxy", control=("ls-remote", "git://host.invalid/x")),
    Setting("core.askPass", control=FILL),
    Setting("core.alternateRefsCommand", control=("fetch", "./svc")),
    Setting(
        "core.attributesFile",
        "evil.attributes",
        control=("diff", "HEAD"),
        more={"diff.other.textconv": "TRAP", "filter.other.clean": "TRAP"},
        before=("rm", "--force", ".gitattributes"),
    ),
    Setting("core.worktree", "/", why=NO_PROGRAM),
    Setting("core.bare", "true", why=NO_PROGRAM),
    Setting("credential.helper", control=FILL),
    Setting("credential.https://host.invalid.helper", "!TRAP", control=FILL),
    Setting("diff.external", control=("diff", "HEAD")),
    Setting("diff.trap.command", control=("diff", "HEAD")),
    Setting("diff.trap.textconv", control=("diff", "HEAD")),
    Setting("filter.trap.clean", control=("diff", "HEAD")),
    Setting("filter.trap.smudge", control=("checkout", "HEAD", "--", "app.py")),
    Setting("filter.trap.process", control=("diff", "HEAD")),
    Setting("filter.trap.clean", control=("diff", "HEAD"), more={"filter.trap.required": "true"}),
    Setting("merge.trap.driver", "TRAP %A", control=("merge", "-m", "x", "side")),
    Setting("merge.tool", "trap", control=("mergetool", "-y"), more={"mergetool.trap.cmd": "TRAP"}, before=MERGE),
    Setting("mergetool.vimdiff.path", control=("mergetool", "-y", "--tool=vimdiff"), before=MERGE),
    Setting(
        "merge.guitool",
        "trap",
        control=("mergetool", "-y", "--gui"),
        more={"mergetool.trap.cmd": "TRAP"},
        before=MERGE,
    ),
    Setting("diff.tool", "trap", control=("difftool", "-y", "HEAD"), more={"difftool.trap.cmd": "TRAP"}),
    Setting("diff.tool", "vimdiff", control=("difftool", "-y", "HEAD"), more={"difftool.vimdiff.path": "TRAP"}),
    Setting("diff.guitool", "trap", control=("difftool", "-y", "--gui", "HEAD"), more={"difftool.trap.cmd": "TRAP"}),
    Setting("gpg.program", control=SIGN),
    Setting("gpg.openpgp.program", control=SIGN),
    Setting("gpg.x509.program", control=SIGN, more={"gpg.format": "x509"}),
    Setting("gpg.ssh.program", control=SIGN, more={"gpg.format": "ssh", "user.signingKey": "key::ssh-rsa x"}),
    Setting("gpg.ssh.defaultKeyCommand", control=SIGN, more={"gpg.format": "ssh"}),
    Setting(
        "gpg.ssh.allowedSignersFile",
        "evil.attributes",
        control=("log", "signed", "--"),
        more={"log.showSignature": "true", "gpg.program": "TRAP"},
    ),
    Setting("uploadpack.packObjectsHook", why="git believes only the user's own configuration"),
    Setting("remote.origin.uploadpack", control=("fetch", "origin"), more={"remote.origin.url": "."}),
    Setting(
        "remote.origin.receivepack",
        control=("push", "origin"),
        more={"remote.origin.url": ".", "push.default": "current"},
    ),
    Setting("remote.origin.vcs", "trap", control=("fetch", "origin"), more={"remote.origin.url": "x"}),
    Setting("remote.origin.url", EXT, control=("fetch", "origin"), more={"protocol.ext.allow": "always"}),
    Setting(
        "remote.origin.pushurl",
        EXT,
        control=("push", "origin", "main"),
        more={"protocol.allow": "always", "remote.origin.url": "."},
    ),
    Setting(
        "url.ext::TRAP .insteadOf",
        "https:",
        control=("fetch", "origin"),
        more={"protocol.ext.allow": "always", "remote.origin.url": "https://x"},
    ),
    Setting(
        "remote.origin.promisor",
        "true",
        control=("cat-file", "-p", "0123456789012345678901234567890123456789"),
        more={
            "remote.origin.url": EXT,
            "protocol.ext.allow": "always",
            "core.repositoryFormatVersion": "1",
            "extensions.partialClone": "origin",
        },
    ),
    Setting(
        "submodule.sub.update",
        "!TRAP",
        control=("submodule", "update"),
        more={"submodule.sub.url": "."},
        before=("-C", "sub", "commit", "--allow-empty", "-m", "x"),
    ),
    Setting(
        "submodule.recurse",
        "true",
        more={"diff.submodule": "diff", "submodule.sub.active": "true"},
        why=NO_PROGRAM,
    ),
    Setting("status.submoduleSummary", "true", more={"diff.ignoreSubmodules": "none"}, why=NO_PROGRAM),
    Setting("alias.trap", "!TRAP", control=("trap",)),
    Setting("alias.rev-parse", "!TRAP", why=NO_ALIAS),
    Setting("alias.ls-tree", "!TRAP", why=NO_ALIAS),
    Setting("interactive.diffFilter", control=("add", "--patch"), more={"color.ui": "always"}),
    Setting("trailer.x.command", control=("interpret-trailers", "--trailer", "x=1")),
    Setting("trailer.x.cmd", control=("interpret-trailers", "--trailer", "x=1")),
    Setting("imap.tunnel", why=BY_MAIL),
    Setting("sendemail.sendmailCmd", why=BY_MAIL),
    Setting("sendemail.smtpServer", why=BY_MAIL),
    Setting("sendemail.toCmd", why=BY_MAIL),
    Setting("sendemail.ccCmd", why=BY_MAIL),
    Setting("web.browser", "trap", control=("web--browse", "x"), more={"browser.trap.cmd": "TRAP"}),
    Setting(
        "help.browser",
        "firefox",
        control=("help", "--web", "log"),
        more={"browser.firefox.path": "TRAP", "help.htmlPath": "https://host.invalid"},
    ),
    Setting("man.viewer", "trap", control=("help", "--man", "log"), more={"man.trap.cmd": "TRAP"}),
    Setting("man.viewer", "konqueror", control=("help", "--man", "log"), more={"man.konqueror.path": "TRAP"}),
    Setting("help.autoCorrect", "immediate", control=("sprin",), more={"alias.spring": "!TRAP"}),
    Setting("guitool.trap.cmd", why="it is for git gui, which has windows"),
    Setting("instaweb.httpd", more={"instaweb.browser": "TRAP"}, why="it is for gitweb, a package of its own"),
    Setting("tar.trap.command", control=("archive", "--format=trap", "HEAD")),
    Setting("init.templateDir", "TRAPS", why="what it leads to is copied, and run later"),
    Setting("pull.twohead", "trap", control=("merge", "-m", "x", "side")),
    Setting(
        "maintenance.auto",
        "true",
        control=("commit", "--allow-empty", "-m", "x"),
        more={"gc.auto": "1", "core.hooksPath": "TRAPS"},
    ),
    Setting("fsck.skipList", "evil.attributes", why=NO_PROGRAM),
    Setting("include.path", "../evil.config", control=("status",)),
    Setting("includeIf.gitdir:/.path", "../evil.config", control=("status",)),
    Setting("includeIf.onbranch:**.path", "../evil.config", control=("status",)),
    Setting("extensions.worktreeConfig", "true", control=("status",), more={"core.repositoryFormatVersion": "1"}),
]
IDS = [" ".join([setting.name, *setting.more]) for setting in SETTINGS]
HOOKS = (
    *("applypatch-msg", "commit-msg", "fsmonitor-watchman", "post-applypatch", "post-checkout", "post-commit"),
    *(
        "post-index-change",
        "post-merge",
        "post-receive",
        "post-rewrite",
        "post-update",
        "pre-applypatch",
        "pre-auto-gc",
    ),
    *("pre-commit", "pre-merge-commit", "pre-push", "pre-rebase", "pre-receive", "prepare-commit-msg", "proc-receive"),
    *("push-to-checkout", "query-watchman", "reference-transaction", "sendemail-validate", "update"),
)
VARIABLES = (
    *("GIT_ASKPASS", "GIT_EDITOR", "GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_PROXY_COMMAND", "GIT_SEQUENCE_EDITOR"),
    *("GIT_SSH", "GIT_SSH_COMMAND", "SSH_ASKPASS", "PAGER", "EDITOR", "VISUAL"),
)


def git(folder: Path, *arguments: str, check: bool = True, **more: str) -> Done:
    """Ordinary git, which runs whatever it is told to."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    names = {f"GIT_{who}_{what}": "a@example.invalid" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    mine = {**kept, **names, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "TERM": "xterm", **more}
    return subprocess.run(["git", *arguments], cwd=folder, env=mine, check=check, capture_output=True)


def commit(folder: Path) -> None:
    """Commits all there is in a new repository."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--message=x")


class Traps:
    """Programs that leave a trace when they are run."""

    def __init__(self, folder: Path) -> None:
        self._trace = folder / "sprung"
        self.program = folder / "trap.sh"
        self.folder = folder / "traps"
        write(folder, {"trap.sh": f"#!/bin/sh\ntouch {self._trace}\n"})
        self.program.chmod(0o755)
        for name in (
            *HOOKS,
            *(f"hooks/{name}" for name in HOOKS),
            "git",
            "git-remote-trap",
            "git-rev-parse",
            "git-merge-trap",
        ):
            (self.folder / name).parent.mkdir(exist_ok=True, parents=True)
            shutil.copy(self.program, self.folder / name)

    def filled(self, text: str) -> str:
        """The text with the places of the programs."""
        return text.replace("TRAPS", str(self.folder)).replace("TRAP", str(self.program))

    def sprung(self) -> bool:
        """Whether one of them was run since this was asked."""
        was = self._trace.exists()
        self._trace.unlink(missing_ok=True)
        return was


@pytest.fixture
def traps(tmp_path: Path) -> Traps:
    return Traps(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with all that settings may want: attributes, a branch to merge, a submodule; and what it would be
    if a folder of it were one: `svc` is a bare repository, too, and is committed."""
    folder = tmp_path_factory.mktemp("made") / "shop"
    write(folder, FILES)
    write(folder / "sub", {"app.py": OLD, ".gitattributes": "* filter=trap\n"})
    commit(folder / "sub")
    write(folder / "svc", FILES)
    commit(folder / "svc")
    for path in (folder / "svc" / ".git").iterdir():
        if path.name in ("HEAD", "objects", "refs", "config"):
            path.rename(folder / "svc" / path.name)
    shutil.rmtree(folder / "svc" / ".git")
    commit(folder)
    git(folder, "checkout", "--quiet", "-b", "side")
    write(folder, {"app.py": OLD + "# side\n"})
    git(folder, "commit", "--quiet", "--all", "--message=side")
    git(folder, "checkout", "--quiet", "main")
    write(folder, {"app.py": OLD + "# main\n"})
    git(folder, "commit", "--quiet", "--all", "--message=main")
    write(folder, {"app.py": NEW, "svc/app.py": NEW, "sub/app.py": NEW})
    return folder


@pytest.fixture
def shop(made: Path, tmp_path: Path) -> Path:
    """As it is unpacked from an archive."""
    return shutil.copytree(made, tmp_path / "shop", symlinks=True)


@pytest.fixture
def clone(made: Path, tmp_path: Path) -> Path:
    """As `git clone` brings it, with the change made again."""
    folder = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(made), str(folder))
    write(folder, {"app.py": NEW, "svc/app.py": NEW})
    return folder


def configure(config: Path, traps: Traps, settings: Sequence[Setting]) -> None:
    """Adds settings to a configuration file."""
    for setting in settings:
        for name, value in {setting.name: setting.value, **setting.more}.items():
            git(config.parent, "config", "--file", str(config), "--add", traps.filled(name), traps.filled(value))


def plant(shop: Path, traps: Traps) -> None:
    """What some settings lead to."""
    for config in (shop / "evil.config", shop / ".git" / "config.worktree"):
        configure(config, traps, [Setting("core.fsmonitor"), Setting("diff.external"), Setting("filter.trap.clean")])
    write(shop, {"evil.attributes": "* filter=other diff=other\n"})
    (shop / ".git" / "objects" / "info").mkdir(exist_ok=True)
    (shop / ".git" / "objects" / "info" / "alternates").write_text("../../svc/objects\n")
    author = "a <a@example.invalid> 0 +0000"
    tree = git(shop, "rev-parse", "HEAD^{tree}").stdout.decode().strip()
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n -----END PGP SIGNATURE-----"
    write(shop, {"signed": f"tree {tree}\nauthor {author}\ncommitter {author}\n{signature}\n\nx\n"})
    made = git(shop, "hash-object", "-t", "commit", "-w", "signed").stdout.decode().strip()
    git(shop, "branch", "signed", made)


def changed(folder: Path) -> dict[str, list[range]]:
    """The lines that prodlint says have changed in a project."""
    return changes_since(Session.open([folder]), "HEAD").lines


# --- settings ---------------------------------------------------------------------------------------------------------


def test_there_are_enough_of_them() -> None:
    names = {
        name
        for setting in SETTINGS
        for name in (setting.name, *setting.more)
        if "TRAP" in setting.value or setting.more
    }
    assert len(names) > 60


@pytest.mark.parametrize("setting", SETTINGS, ids=IDS)
def test_no_setting_of_an_archive_runs_anything(shop: Path, traps: Traps, setting: Setting) -> None:
    plant(shop, traps)
    configure(shop / ".git" / "config", traps, [setting])
    assert changed(shop) == {"app.py": CHANGED, "svc/app.py": CHANGED}
    assert not traps.sprung()


@pytest.mark.parametrize("setting", SETTINGS, ids=IDS)
def test_no_setting_of_a_cloned_folder_runs_anything(clone: Path, traps: Traps, setting: Setting) -> None:
    """The folder is a bare repository, too, and has settings of prodlint, so that it is the root."""
    configure(clone / "svc" / "config", traps, [setting])
    assert changed(clone / "svc") == {"app.py": CHANGED}
    assert not traps.sprung()


@pytest.mark.parametrize("place", ["sub/.git/config", "sub/.git/config.worktree", "evil.config", ".git/config"])
def test_nor_do_all_of_them_together_in_other_places(shop: Path, traps: Traps, place: str) -> None:
    """A submodule's own settings, and those of a file that is included."""
    if place == "evil.config":
        configure(shop / ".git" / "config", traps, [Setting("include.path", "../evil.config")])
    if place.endswith("worktree"):
        configure(shop / "sub" / ".git" / "config", traps, [Setting("extensions.worktreeConfig", "true")])
    configure(shop / place, traps, SETTINGS)
    assert changed(shop) == {"app.py": CHANGED, "svc/app.py": CHANGED}
    if place != ".git/config":
        write(shop / "sub", {"prodlint.toml": ""})
        assert changed(shop / "sub") == {"app.py": CHANGED}
    assert not traps.sprung()


def test_nor_does_what_a_clone_brings_along(clone: Path, traps: Traps) -> None:
    write(
        clone, {".gitmodules": traps.filled('[submodule "sub"]\n\tpath = sub\n\turl = ext::TRAP\n\tupdate = !TRAP\n')}
    )
    write(clone, {".lfsconfig": traps.filled('[lfs "customtransfer.x"]\n\tpath = TRAP\n')})
    assert changed(clone) == {"app.py": CHANGED, "svc/app.py": CHANGED}
    assert not traps.sprung()


def fired(folder: Path, arguments: Sequence[str], **more: str) -> None:
    """Runs ordinary git, at a terminal."""
    theirs, ours = pty.openpty()
    names = ("-c", "user.name=a", "-c", "user.email=a@example.invalid")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(
        ["git", *names, *arguments],
        cwd=folder,
        env={**kept, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "TERM": "xterm", **more},
        input=b"protocol=https\nhost=host.invalid\n\n",
        stdout=ours,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    os.close(theirs)
    os.close(ours)


CONTROLLED = [(setting, name) for setting, name in zip(SETTINGS, IDS, strict=True) if setting.control]


@pytest.mark.parametrize("setting", [each for each, _ in CONTROLLED], ids=[name for _, name in CONTROLLED])
def test_ordinary_git_does_run_it(shop: Path, traps: Traps, setting: Setting) -> None:
    plant(shop, traps)
    configure(shop / ".git" / "config", traps, [setting])
    if setting.control[0] in ("merge", "rebase", "mergetool"):
        (shop / ".gitattributes").write_text("* merge=trap\n")
        git(shop, "commit", "--quiet", "--all", "--message=x", check=False)
    path = os.pathsep.join([os.environ["PATH"], str(traps.folder)])
    if setting.before:
        fired(shop, setting.before)
    traps.sprung()
    fired(shop, setting.control, PATH=path, DISPLAY=":0")
    assert traps.sprung()


def test_ordinary_git_is_shown_to_run_all_others() -> None:
    assert [setting.name for setting in SETTINGS if bool(setting.control) is bool(setting.why)] == []
    assert sum(not setting.control for setting in SETTINGS) <= 17


# --- hooks, the environment, programs of that name --------------------------------------------------------------------


def test_no_hook_is_run(shop: Path, traps: Traps) -> None:
    for folder in (shop / ".git", shop / "sub" / ".git", shop / "svc"):
        shutil.copytree(traps.folder / "hooks", folder / "hooks", dirs_exist_ok=True)
    assert changed(shop) == {"app.py": CHANGED, "svc/app.py": CHANGED}
    assert not traps.sprung()
    fired(shop, ("commit", "--allow-empty", "-m", "x"))
    assert traps.sprung()


@pytest.mark.parametrize(
    "variables",
    [
        *({name: "TRAP"} for name in VARIABLES),
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.fsmonitor", "GIT_CONFIG_VALUE_0": "TRAP"},
        {"GIT_CONFIG_PARAMETERS": "'diff.external=TRAP'"},
        {"GIT_CONFIG_GLOBAL": "evil.config"},
        {"GIT_CONFIG_SYSTEM": "evil.config"},
        {"GIT_EXEC_PATH": "TRAPS"},
        {"GIT_TEMPLATE_DIR": "TRAPS"},
        {"GIT_DIR": "svc", "GIT_WORK_TREE": "svc", "GIT_INDEX_FILE": "x", "GIT_COMMON_DIR": "svc", "GIT_PREFIX": "svc"},
        {"GIT_OBJECT_DIRECTORY": "x", "GIT_ALTERNATE_OBJECT_DIRECTORIES": "x", "GIT_NAMESPACE": "x"},
        {"GIT_CEILING_DIRECTORIES": "/", "GIT_DIFF_OPTS": "--unified=9", "GIT_LITERAL_PATHSPECS": "1"},
        {"GIT_TRACE": "SHOP/trace", "GIT_TRACE2": "SHOP/trace", "GIT_TRACE2_EVENT": "SHOP/trace"},
        {"GIT_REDIRECT_STDERR": "SHOP/trace", "GIT_REDIRECT_STDOUT": "SHOP/trace"},
    ],
    ids=lambda variables: " ".join(variables),
)
def test_no_variable_of_git_counts(
    shop: Path, traps: Traps, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """They are there inside of hooks, where linters run."""
    plant(shop, traps)
    monkeypatch.chdir(shop)
    for name, value in variables.items():
        monkeypatch.setenv(name, traps.filled(value).replace("SHOP", str(shop)))
    assert changed(shop) == {"app.py": CHANGED, "svc/app.py": CHANGED}
    assert not traps.sprung()
    assert not (shop / "trace").exists()


@pytest.mark.parametrize("path", ["", ".", "bin", "SHOP/bin", "SHOP/svc/../bin"])
def test_no_git_of_the_repository_is_taken_for_git(
    shop: Path, traps: Traps, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """`npm run` puts `node_modules/.bin` into the path."""
    for folder in (shop, shop / "bin"):
        folder.mkdir(exist_ok=True)
        shutil.copy(traps.program, folder / "git")
    monkeypatch.chdir(shop)
    monkeypatch.setenv("PATH", os.pathsep.join([path.replace("SHOP", str(shop)), os.environ["PATH"]]))
    assert changed(shop) == {"app.py": CHANGED, "svc/app.py": CHANGED}
    assert not traps.sprung()
    monkeypatch.setenv("PATH", path.replace("SHOP", str(shop)))
    with pytest.raises(GitError, match="git is not installed"):
        changed(shop)


# --- what is not there ------------------------------------------------------------------------------------------------

PROMISES = [
    {"url": "ext::TRAP"},
    {"url": "x", "vcs": "trap"},
    {"url": "ssh://host.invalid/x"},
    {"url": "git://host.invalid/x"},
    {"url": "THERE", "uploadpack": "TRAP"},
    {"url": "file://THERE", "uploadpack": "TRAP"},
    {"url": "https://host.invalid/x"},
]


@pytest.mark.parametrize("promise", PROMISES, ids=str)
@pytest.mark.parametrize("place", [".git", "svc"])
def test_no_object_is_fetched(
    shop: Path, traps: Traps, monkeypatch: pytest.MonkeyPatch, promise: dict[str, str], place: str
) -> None:
    """A partial clone has git fetch what it lacks whenever that is looked at."""
    monkeypatch.setenv("PATH", os.pathsep.join([os.environ["PATH"], str(traps.folder)]))
    remote = {f"remote.origin.{name}": value.replace("THERE", str(shop)) for name, value in promise.items()}
    more = {
        **{"core.repositoryFormatVersion": "1", "extensions.partialClone": "origin", "protocol.allow": "always"},
        **{"protocol.ext.allow": "always", "core.sshCommand": "TRAP", "core.gitProxy": "TRAP"},
        **{"credential.helper": "TRAP", "core.askPass": "TRAP", "http.sslVerify": "false"},
    }
    configure(shop / place / "config", traps, [Setting("remote.origin.promisor", "true", more={**more, **remote})])
    lost = git(shop, "rev-parse", "HEAD:app.py").stdout.decode().strip()
    for folder in (shop / ".git", shop / "svc"):
        (folder / "objects" / lost[:2] / lost[2:]).unlink(missing_ok=True)
    with pytest.raises(GitError, match="not in this repository, which is a partial clone or damaged"):
        changed(shop)
    assert not traps.sprung()
    if place == ".git" and "https" not in promise["url"]:
        fired(shop, ("cat-file", "-p", lost), GIT_ALLOW_PROTOCOL="ext:trap:ssh:git:file")
        assert traps.sprung()


# --- another repository than the working copy's own -------------------------------------------------------------------


def test_a_bare_repository_is_no_working_copy(clone: Path, traps: Traps) -> None:
    shutil.rmtree(clone / ".git")
    configure(clone / "svc" / "config", traps, SETTINGS)
    with pytest.raises(GitError, match="this is not a git repository"):
        changed(clone / "svc")
    assert not traps.sprung()


@pytest.mark.parametrize("written", ["gitdir: ../shop/.git", "gitdir: svc", "gitdir: /", "../shop/.git\n", "\0", ""])
def test_a_git_file_leads_nowhere_else(shop: Path, clone: Path, traps: Traps, written: str) -> None:
    shutil.rmtree(clone / ".git")
    configure(clone / "svc" / "config", traps, SETTINGS)
    configure(shop / ".git" / "config", traps, SETTINGS)
    (clone / ".git").write_text(written)
    with pytest.raises(GitError, match=r"is not the git folder of this working copy|cannot be read"):
        changed(clone)
    assert not traps.sprung()


def test_a_link_leads_nowhere_else(shop: Path, clone: Path) -> None:
    shutil.rmtree(clone / ".git")
    (clone / ".git").symlink_to(shop / ".git")
    with pytest.raises(GitError, match="is a link, which prodlint does not follow"):
        changed(clone)
    (shop / ".git" / "commondir").write_text(str(clone / "svc"))
    with pytest.raises(GitError, match="which is another repository"):
        changed(shop)


NO_FILES = (
    *("HEAD", "config", "packed-refs", "shallow", "refs", "FETCH_HEAD", "commondir"),
    *("refs/heads/main", "refs/heads/other", "refs/new/deep/x", "logs/HEAD", "logs/refs/heads/main", "reftable/x"),
    *("objects/info/alternates", "objects/pack/pack-x.idx", "objects/00/x", "objects/info/commit-graph"),
)


@pytest.mark.parametrize("name", NO_FILES)
def test_files_that_are_none_are_not_waited_for(shop: Path, name: str) -> None:
    path = shop / ".git" / name
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)
    with pytest.raises(GitError, match=f"{name} (cannot be read: not a regular file|is neither a file nor a folder)"):
        changed(shop)


def test_nor_in_the_objects_of_others(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "others" / "00").mkdir(parents=True)
    os.mkfifo(tmp_path / "others" / "00" / "x")
    (shop / ".git" / "objects" / "info" / "alternates").write_text(f"# of\n{tmp_path / 'others'}\n")
    with pytest.raises(GitError, match="x is neither a file nor a folder"):
        changed(shop)
    (shop / ".git" / "objects" / "info" / "alternates").write_text(f'"{tmp_path / "others"}"\n')
    with pytest.raises(GitError, match="alternates cannot be read: there is too much in it, or it has quotes"):
        changed(shop)


@pytest.mark.parametrize("name", ["refs/heads/x", "refs/x", "logs/refs/x", "objects/pack/x.pack", "objects/aa"])
@pytest.mark.parametrize("target", ["/dev/zero", "/", "/etc/passwd"])
def test_links_beside_the_objects_are_not_followed(shop: Path, name: str, target: str) -> None:
    path = shop / ".git" / name
    shutil.rmtree(path, ignore_errors=True)
    path.symlink_to(target)
    if name.startswith("objects") and Path(target).is_file():
        return  # what is no object, git does not take for one
    with pytest.raises(GitError, match=r"is a link, which prodlint does not follow|is neither a file nor a folder"):
        changed(shop)


@pytest.mark.parametrize("name", ["refs/heads/x", "packed-refs", "logs/refs/heads/x"])
def test_files_that_are_too_large_are_not_read(shop: Path, name: str) -> None:
    path = shop / ".git" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(GitError, match=f"{name} is larger than such a file can be"):
        changed(shop)


def made_tree(folder: Path, entries: Sequence[tuple[str, str, str]]) -> str:
    """The id of a tree with entries (mode, name, id) that git itself would not make."""
    data = b"".join(f"{mode} {name}".encode() + b"\0" + bytes.fromhex(object_id) for mode, name, object_id in entries)
    (folder / "tree").write_bytes(data)
    done = git(folder, "hash-object", "-t", "tree", "-w", "--literally", "tree")
    return done.stdout.decode().strip()


def test_a_tree_with_more_files_than_there_can_be(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty folders, each with the next one ten times."""
    monkeypatch.setattr(git_repository, "_MOST_LISTED", 1_000_000)
    object_id = git(shop, "rev-parse", "HEAD:app.py").stdout.decode().strip()
    mode = "100644"
    for _ in range(20):
        object_id = made_tree(shop, [(mode, f"f{number}", object_id) for number in range(10)])
        mode = "40000"
    made = git(shop, "commit-tree", "-m", "x", object_id).stdout.decode().strip()
    with pytest.raises(GitError, match="git ls-tree answers with more than 1 MB, which is too much to be compared"):
        changes_since(Session.open([shop]), made)


def test_names_in_a_tree_lead_nowhere(shop: Path) -> None:
    (shop.parent / "outside.py").write_text(OLD)
    object_id = git(shop, "rev-parse", "HEAD:app.py").stdout.decode().strip()
    names = ["..", ".", "../outside.py", "/outside.py", "a//b.py", "a/../../outside.py", "svc/./app.py"]
    tree = made_tree(shop, [("100644", name, object_id) for name in (*names, "gone.py")])
    made = git(shop, "commit-tree", "-m", "x", tree).stdout.decode().strip()
    session = Session.open([shop])
    there = {file.path for file in session.project.files}
    assert set(changes_since(session, made).before) == {*there, "gone.py"}


# --- how git is asked -------------------------------------------------------------------------------------------------


def test_git_sees_ids_and_a_folder_of_ours(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the working copy nor its configuration is where git could find it, whatever git will learn to run."""
    asked = []
    start = subprocess.Popen

    def watched(command: Sequence[str], **options: Any) -> Any:
        seen = {name: value for name, value in options["env"].items() if name.startswith("GIT_")}
        asked.append((command[1], Path(options["cwd"]), seen))
        assert not (options["cwd"] / "config").is_symlink()
        return start(command, **options)

    monkeypatch.setattr(subprocess, "Popen", watched)
    assert changed(shop)
    assert {name for name, _, _ in asked} <= {"config", "rev-parse", "merge-base", "ls-tree", "cat-file", "diff"}
    for _, folder, variables in asked:
        assert not folder.is_relative_to(shop)
        assert variables.pop("GIT_OBJECT_DIRECTORY") == str(shop / ".git" / "objects")
        assert variables.pop("GIT_DIR") == str(folder)
        assert variables == {name: value for name, value in _CLOSED.items() if name.startswith("GIT_")}
        assert not folder.exists(), "it is taken away"
