"""What a command of a deployment file starts in the end: through wrappers, package.json scripts and shell scripts, to a
source file of the project or a framework's own server, and what environment it gets on the way."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from prodlint.extract.deployment.commands import Start, StartKind, starts, with_values
from prodlint.extract.deployment.package_json import PackageInfo
from prodlint.facts import FileFacts, Setting
from prodlint.findings import Location
from prodlint.lazy_regex import regex
from prodlint.models.deployment_formats import FORMATS, format_of
from prodlint.program.services.environment import Environment
from prodlint.program.services.places import FolderPlace, MovedPlace, Place
from prodlint.program.services.setting_values import Source, State, source_of, words_of
from prodlint.project.paths import folders_of, joined

_DEEPEST = 8


class LaunchStep(msgspec.Struct, frozen=True):
    """One command on the way to what is started in the end."""

    source: Source
    """What has the command."""
    start: Start
    is_shell: bool
    """Whether a shell reads it."""
    is_last: bool
    """Whether nothing is started behind it."""


class Launch(msgspec.Struct, frozen=True):
    """What is started in the end."""

    language: str
    """`node` or `python`; "" where that cannot be seen."""
    entry: str
    """The source file, "" where it is not in the project (built) or none is named."""
    target: str
    """The file, module or tool as it is named there; "" for a script that starts nothing known."""
    package: str
    """The folder of the package that it belongs to."""
    env: Environment
    is_dev: bool = False
    is_tool: bool = False
    """Whether a framework's own server is started, by name."""
    through: tuple[Source, ...] = ()
    """The scripts that lead there, outermost first."""
    is_background: bool = False
    steps: tuple[LaunchStep, ...] = ()
    """The commands that lead there, outermost first."""
    others: tuple[Launch, ...] = ()
    """What else the same command starts: the other programs of a file that lists processes."""

    @property
    def is_worker(self) -> bool:
        """Whether it takes its work from a queue, and no requests."""
        words = (word for step in self.steps for word in (*step.start.wrappers, *step.start.words[:3]))
        return any(posixpath.basename(word) in _WORKERS for word in words)


_WORKERS = frozenset(
    {"arq", "celery", "dramatiq", "huey", "huey_consumer", "huey_consumer.py", "moleculer-runner", "rq", "rqworker"}
)

_ARGUMENTS = regex(r"\$(?:\{)?[@*](?:\})?")
_INSTALLED = regex(r"(?:^|/)node_modules/(?P<package>(?:@[^/]+/)?[^/@.][^/]*)/(?P<path>.+)")
_BUILT = ("dist", "build", "lib", "out", "output", "compiled", ".build", "bin", "release", "prod")
_EXTENSIONS = (".js", ".ts", ".mjs", ".cjs", ".mts", ".cts", ".tsx", ".jsx")
_ONE_SHOT = regex(
    r"(?:^|[-_.:/])(?:migrat\w*|seed\w*|tests?|lint|build|install|setup|compile|generate|bootstrap|db[-_.]?reset|reset|check\w*)"
    r"(?:$|[-_.:/])",
    re.IGNORECASE,
)
_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_BUILDERS = frozenset(
    {"babel", "cp", "echo", "esbuild", "grunt", "gulp", "make", "mkdir", "parcel", "rimraf", "rm", "rollup", "swc",
     "tsc", "tsup", "vue-tsc", "webpack"}
)  # fmt: skip
"""Programs that end when they have done what they are for."""
_RESOLVED = (StartKind.NODE, StartKind.NODE_TOOL, StartKind.PYTHON, StartKind.PYTHON_TOOL)


class Launcher:
    """Follows commands through the project."""

    def __init__(
        self, files: Mapping[str, FileFacts], sources: frozenset[str], packages: Mapping[str, PackageInfo]
    ) -> None:
        """`files`: the deployment files' facts; `sources`: all source files; `packages`: folder → its package.json."""
        self._sources = sources
        self._packages = packages
        self._folders = folders_of([*sources, *files])
        self._manifests = {joined(folder, "package.json") for folder in packages}
        self._workspaces = {info.name: folder for folder, info in packages.items() if info.name}
        self._scripts = {
            (posixpath.dirname(path), artefact.name): (path, artefact)
            for path, facts in files.items()
            if facts.kind == "package_json"
            for artefact in facts.artefacts
            if artefact.kind == "script"
        }
        self._process_files = {path: facts for path, facts in files.items() if format_of(facts.kind).lists_processes}
        self._servers = {
            path: facts for path, facts in files.items() if facts.kind in ("gunicorn", "uwsgi") and facts.artefacts
        }
        self._python_scripts = {
            setting.key.removeprefix("script."): setting.value or ""
            for facts in files.values()
            if facts.kind == "python_requirements"
            for artefact in facts.artefacts
            for setting in artefact.settings
            if setting.key.startswith("script.")
        }
        names = [
            setting.value or ""
            for facts in files.values()
            if facts.kind == "python_requirements"
            for artefact in facts.artefacts
            for setting in artefact.settings
            if setting.key == "name"
        ]
        self.distributions = frozenset([*names, *self._workspaces])
        """What the packages of the project are called in registries."""
        self._bins = {
            name: joined(folder, file) for folder, info in packages.items() for name, file in info.bin.items()
        }
        self._shell = {
            path: facts.artefacts[0] for path, facts in files.items() if facts.kind == "shell" and facts.artefacts
        }

    def launch(
        self,
        words: Sequence[str],
        is_shell: bool,
        place: Place,
        env: Environment,
        by: Source,
        arguments: Sequence[str] = (),
        depth: int = 0,
    ) -> Launch | None:
        """What a command starts that stays: the last server of the line. None if it starts nothing that is known.

        `arguments` are what `"$@"` stands for.
        """
        best: Launch | None = None
        if depth > _DEEPEST:
            return None
        env = env.copy()
        found_starts = self._run(starts(words, is_shell=is_shell), env, arguments, by)
        for number, start in enumerate(found_starts):
            if start.kind is StartKind.OTHER and start.target in self._python_scripts:
                start = replace(start, kind=StartKind.PYTHON, target=self._python_scripts[start.target])
            at = place
            if (own := self._own_command(start, place)) is not None:
                start, at = replace(start, kind=StartKind.NODE, target=own), FolderPlace("")
            if start.kind is StartKind.OTHER and (script := self._on_path(start, place)):
                start = replace(start, kind=StartKind.SHELL_SCRIPT, target=script)
            if start.kind is StartKind.OTHER:
                if start.target in (".", "source"):
                    env.mark_unknown(by, "the command reads another script")
                continue
            if start.kind is StartKind.OPAQUE and self._is_script(start, place):
                start = replace(start, kind=StartKind.SHELL_SCRIPT)
            if start.kind is StartKind.PROCESS_FILE and self._process_file(start, place) is None:
                start = replace(start, kind=StartKind.OPAQUE, target=start.target or "pm2")
            found = self._followed(start, at, env, by, arguments, depth)
            if found is None or (found.language == "" and best is not None):
                continue
            if best is None or not best.language or best.is_background or _comes_after(found, start, best):
                step = LaunchStep(by, start, is_shell, number == len(found_starts) - 1)
                best = replace(found, steps=(step, *found.steps), others=_behind(step, found.others))
        return best

    def _run(self, found: Sequence[Start], env: Environment, arguments: Sequence[str], by: Source) -> list[Start]:
        """The starts of a command line that are run, as far as is known: without the branches that the variables rule
        out, and what follows the `exec` of a server. Those that are surely run have no conditions left."""
        kept: list[Start] = []
        for start in found:
            own = env.copy()
            own.assign(start.env, by)
            variables: dict[str, str | None] = {
                name: answer.value for name, answer in own.known.items() if answer.state is State.SET
            }
            for number in range(1, 10):
                variables[str(number)] = arguments[number - 1] if number <= len(arguments) else ""
            start = with_values(start, variables)
            answers = [condition.holds(variables) for condition in start.conditions]
            if False in answers:
                continue
            open_ = tuple(each for each, answer in zip(start.conditions, answers, strict=True) if answer is None)
            kept.append(replace(start, conditions=open_) if open_ != start.conditions else start)
            if "exec" in start.wrappers and not open_ and start.kind is not StartKind.OTHER:
                break
        return kept

    def script(self, folder: str, name: str) -> tuple[Source, Setting] | None:
        """The script `name` of the package.json in `folder`."""
        found = self._scripts.get((folder, name))
        if found is None:
            return None
        path, artefact = found
        return Source("package_json", name, Location(path, artefact.anchor, artefact.anchor_end)), artefact.settings[0]

    def _followed(
        self, start: Start, place: Place, env: Environment, by: Source, arguments: Sequence[str], depth: int
    ) -> Launch | None:
        env = env.copy()
        env.assign(start.env, by)
        if start.folder:
            place = MovedPlace(place, start.folder)
        if start.kind is StartKind.PACKAGE_SCRIPT:
            found = self._package_script(start, place, env, by, depth)
        elif start.kind is StartKind.SHELL_SCRIPT:
            found = self._shell_script(start, place, env, by, arguments, depth)
        elif start.kind is StartKind.PROCESS_FILE:
            found = self._apps(start, place, env, depth)
        elif start.kind is StartKind.OPAQUE:
            if _ARGUMENTS.fullmatch(start.target) and arguments:
                return self.launch(arguments, False, place, env, by, (), depth + 1)
            env.mark_unknown(by, f"what `{start.target}` does is not known")
            found = Launch("", "", start.target, self._package_of(place, ""), env)
        elif start.kind in _RESOLVED:
            found = self._resolved(start, place, env)
        else:
            return None
        if found is not None and start.is_background:
            found = replace(found, is_background=True)
        if found is not None and start.is_dev:
            found = replace(found, is_dev=True)
        return found

    def _package_script(self, start: Start, place: Place, env: Environment, by: Source, depth: int) -> Launch | None:
        folder = self._package_of(place, "")
        if start.workspace:
            folder = self._workspace(start.workspace, folder)
        elif start.folder:
            folder = self._package_of(place, ".")
        script = self.script(folder, start.target)
        if script is None:
            if start.target == "start" and not start.workspace:  # npm's default
                return self.launch(["node", "server.js"], False, FolderPlace(folder), env, by, (), depth + 1)
            if start.workspace == "*":
                env.mark_unknown(by, "it runs a script of several packages")
                return Launch("", "", start.target, folder, env)
            return None
        source, setting = script
        if _ONE_SHOT.search(start.target) and "start" not in start.target:
            return None
        found = self.launch([setting.value or ""], True, FolderPlace(folder), env, source, (), depth + 1)
        return _through(source, found) if found else None

    def is_job(self, words: Sequence[str], place: Place, *, is_shell: bool, depth: int = 0) -> bool:
        """Whether a command line does nothing but what ends: it builds, migrates, checks."""
        found = starts(words, is_shell=is_shell)
        return depth < _DEEPEST and bool(found) and all(self._is_job(start, place, depth) for start in found)

    def _is_job(self, start: Start, place: Place, depth: int) -> bool:
        name = posixpath.basename(start.words[0]) if start.words else ""
        if start.kind is StartKind.OTHER:
            return name in _BUILDERS or any(_ONE_SHOT.search(word) for word in start.words[1:3])
        if start.kind is not StartKind.PACKAGE_SCRIPT or start.is_background:
            return False
        folder = self._workspace(start.workspace, "") if start.workspace else self._package_of(place, start.folder)
        script = self.script(folder, start.target)
        text = (script[1].value if script is not None else None) or ""
        return bool(text) and self.is_job([text], FolderPlace(folder), is_shell=True, depth=depth + 1)

    def _process_file(self, start: Start, place: Place) -> str | None:
        if start.folder:
            place = MovedPlace(place, start.folder)
        name = posixpath.basename(start.words[0])
        form = next(each for each in FORMATS if each.lists_processes and name.startswith(each.kind))
        known = [path for path, facts in self._process_files.items() if facts.kind == form.kind]
        target = start.target or form.default_file
        found = next((path for path in place.places(target) if path in known), None)
        return found or (known[0] if len(known) == 1 and form.is_found_anywhere else None)

    def _apps(self, start: Start, place: Place, env: Environment, depth: int) -> Launch | None:
        """What the first app of a process file starts that is known, with what the others do."""
        from prodlint.program.services.process_files import apps_of, environments_of, set_env

        path = self._process_file(replace(start, folder=""), place)
        found: Launch | None = None
        others: list[Launch] = []
        for source, artefact in apps_of(start.words, path, self._process_files[path]) if path is not None else ():
            own = env.copy()
            set_env(own, source.path, source.kind, artefact, environments_of(start.words))
            settings = {setting.key: setting for setting in artefact.settings}
            command = words_of(settings.get("command.exec"))
            workdir = settings.get("workdir")
            inner = MovedPlace(place, workdir.value) if workdir is not None and workdir.value else place
            launch = self.launch(*command, inner, own, source, (), depth + 1) if command is not None else None
            if launch is None:
                continue
            launch = _through(source, launch)
            if found is None or (launch.entry and not found.entry):
                others, found = [*others, *([found] if found is not None else ())], launch
            elif launch.language:
                others.append(launch)
        if found is None:
            env.mark_unknown(Source.of_file("process file", path or start.target), "what its apps start is not known")
            found = Launch("", "", start.target, self._package_of(place, ""), env)
        return replace(found, others=(*found.others, *others))

    def _workspace(self, name: str, root: str) -> str:
        name = name.removesuffix("...").removeprefix("...")
        if name in self._workspaces:
            return self._workspaces[name]
        folder = joined(root, name)
        return folder if folder in self._packages else ""

    def _shell_script(
        self, start: Start, place: Place, env: Environment, by: Source, arguments: Sequence[str], depth: int
    ) -> Launch | None:
        rest = [word for word in start.rest if not _ARGUMENTS.fullmatch(word)]
        arguments = [*rest, *arguments]
        script = place.written(start.target) or self._script_file(start.target, place)
        if script is None:
            env.mark_unknown(by, f"what `{start.target}` does is not known")
            if arguments and (found := self.launch(arguments, False, place, env, by, (), depth + 1)):
                return found
            return Launch("", "", start.target, self._package_of(place, ""), env)
        text, source = script
        found = self.launch([text], True, place, env, source, arguments, depth + 1)
        if found is None:
            env.mark_unknown(source, f"what {source.name} starts is not known")
            found = Launch("", "", "", self._package_of(place, ""), env)
        return _through(source, found)

    def _script_file(self, target: str, place: Place) -> tuple[str, Source] | None:
        """The text of the shell script that a path means, if that is here and short enough to be read."""
        path = next((path for path in place.places(target) if path in self._shell), None)
        if path is None and "/" not in target:
            path = self._only(f"/{target}")
        text = self._shell[path].settings[0].value if path is not None else None
        if path is None or text is None:
            return None
        return text, Source("shell", posixpath.basename(path), Location(path, 0, 0))

    def _on_path(self, start: Start, place: Place) -> str:
        """Where a shell script lies that is started by its name alone, in a folder that is looked through for programs;
        "" if it is none."""
        word = start.words[0]
        if "/" in word or isinstance(place, FolderPlace):
            return ""
        for folder in _PATH:
            path = f"{folder}/{word}"
            if place.written(path) is not None or any(each in self._shell for each in place.places(path)):
                return path
        return ""

    def _own_command(self, start: Start, place: Place) -> str | None:
        """The file that runs as a command of a package of the project: one of its `bin`, which is no path here."""
        name = posixpath.basename(start.target)
        if start.kind not in (StartKind.OTHER, StartKind.OPAQUE) or name not in self._bins:
            return None
        is_path = start.kind is StartKind.OPAQUE and "/bin/" not in start.target
        return None if is_path or self._is_script(start, place) else self._bins[name]

    def _is_script(self, start: Start, place: Place) -> bool:
        """Whether a program that is named by its path is a shell script, whatever it is called."""
        if start.folder:
            place = MovedPlace(place, start.folder)
        if place.written(start.target) is not None:
            return True
        return any(path in self._shell for path in place.places(start.target))

    def _only(self, end: str) -> str | None:
        """The only shell script whose path ends so."""
        found = [path for path in self._shell if f"/{path}".endswith(end)]
        return found[0] if len(found) == 1 else None

    def _resolved(self, start: Start, place: Place, env: Environment) -> Launch | None:
        target = start.target
        if start.kind is StartKind.NODE_TOOL:
            package = self._package_of(place, "")
            return Launch("node", "", target, package, env, start.is_dev, is_tool=True)
        if start.kind in (StartKind.PYTHON, StartKind.PYTHON_TOOL):
            found = self._served(start, place, env)
            if found is not None:
                return found
        if start.kind is StartKind.PYTHON_TOOL:
            return Launch("python", "", target, self._folder_of(place), env, start.is_dev, is_tool=True)
        if start.kind is StartKind.PYTHON:
            words = start.words
            is_module = "-m" in words[:-1] and words[words.index("-m") + 1] == target
            entry = self._python_entry(target, place, is_module_run=is_module)
            if not entry and _ONE_SHOT.search(target):
                return None
            folder = posixpath.dirname(entry) if entry else self._folder_of(place)
            return Launch("python", entry, target, folder, env, start.is_dev)
        entry = self._node_entry(target, place)
        if _ONE_SHOT.search(posixpath.splitext(posixpath.basename(target))[0]):
            return None
        package = self._nearest_package(entry) if entry else self._package_of(place, "")
        return Launch("node", entry, target, package, env, start.is_dev)

    def _served(self, start: Start, place: Place, env: Environment) -> Launch | None:
        """What Gunicorn or uWSGI starts with a configuration of the project's, if there is one: that is a layer, and
        may name the app."""
        from prodlint.program.services.process_files import configuration_of

        path = next((path for path in configuration_of(start, place) if path in self._servers), None)
        if path is None:
            return None
        artefact = self._servers[path].artefacts[0]
        source = source_of(path, self._servers[path].kind, artefact)
        env = env.copy()
        settings = {setting.key: setting for setting in artefact.settings}
        for setting in artefact.settings:
            if setting.key.startswith("env."):
                env.set(setting.key.removeprefix("env."), setting.value, source)
        app = settings.get("app")
        target = start.target if start.kind is StartKind.PYTHON or app is None else app.value or start.target
        entry = self._python_entry(target, place)
        folder = posixpath.dirname(entry) if entry else self._folder_of(place)
        return Launch("python", entry, target, folder, env, start.is_dev, through=(source,))

    def _node_entry(self, target: str, place: Place) -> str:
        if match := _INSTALLED.search(target):  # a workspace, linked into node_modules
            folder = self._workspaces.get(match["package"])
            return "" if folder is None else self._source_of(joined(folder, match["path"])) or ""
        for path in place.places(target or "."):
            if path in self._packages and (main := self._main(path)):
                return main
            if (found := self._source_of(path)) is not None:
                return found
        return ""

    def _main(self, folder: str) -> str:
        info = self._packages.get(folder)
        main = (info.main if info else "") or "index.js"
        return self._source_of(joined(folder, main)) or ""

    def _source_of(self, path: str) -> str | None:
        """The source file that is, or is built into, the file `path`."""
        stem, extension = posixpath.splitext(path)
        stems = [stem if extension in _EXTENSIONS else path]
        parts = stems[0].split("/")
        for at, part in enumerate(parts[:-1]):
            if part in _BUILT:
                for instead in (["src"], [], ["server"], ["app"]):
                    stems.append("/".join([*parts[:at], *instead, *parts[at + 1 :]]))
        if path in self._sources:
            return path
        for candidate in stems:
            for suffix in _EXTENSIONS:
                if candidate + suffix in self._sources:
                    return candidate + suffix
            for suffix in _EXTENSIONS:
                if (index := joined(candidate, f"index{suffix}")) in self._sources:
                    return index
        return None

    def _python_entry(self, target: str, place: Place, *, is_module_run: bool = False) -> str:
        if target.endswith(".py"):
            return next((path for path in place.places(target) if path in self._sources), "")
        module = target.partition(":")[0].partition("(")[0].replace(".", "/")
        inside = (f"{module}/__init__.py", f"{module}/__main__.py")
        # `python -m package` runs what the package has for that, and not the package itself.
        for name in (f"{module}.py", *(reversed(inside) if is_module_run else inside)):
            for path in (*place.places(name), *place.places(f"src/{name}")):
                if path in self._sources:
                    return path
        for name in (f"/{module}.py", f"/{module}/__init__.py"):
            found = [path for path in self._sources if f"/{path}".endswith(name)]
            if len(found) == 1:
                return found[0]
        return ""

    def _package_of(self, place: Place, folder: str) -> str:
        """The folder of the package.json that is in force where the command runs."""
        for path in place.places(posixpath.join(folder, "package.json")):
            if path in self._manifests:
                return posixpath.dirname(path)
        return self._nearest_package(joined(self._folder_of(place), "x"))

    def _folder_of(self, place: Place) -> str:
        return next((path for path in place.places(".") if path in self._folders), "")

    def main_of(self, folder: str) -> str:
        """The file that a package starts from if nothing else is said, "" if that is not here."""
        return self._main(folder)

    def has_package(self, place: Place) -> bool:
        """Whether a package.json of the project lies where commands run."""
        return any(path in self._manifests for path in place.places("package.json"))

    def _nearest_package(self, path: str) -> str:
        folder = posixpath.dirname(path)
        while folder and folder not in self._packages:
            folder = posixpath.dirname(folder)
        return folder


def _comes_after(found: Launch, start: Start, before: Launch) -> bool:
    """Whether a start, and not one before it, is what its command line starts in the end: it is the later one, in the
    foreground. Where a variable decides between the two, what is for production is."""
    if found.is_background:
        return False
    is_open = bool(start.conditions) or bool(before.steps and before.steps[0].start.conditions)
    return before.is_dev or not found.is_dev if is_open else True


def _through(source: Source, launch: Launch) -> Launch:
    """A launch, and all beside it, that a script leads to."""
    others = tuple(_through(source, other) for other in launch.others)
    return replace(launch, through=(source, *launch.through), others=others)


def _behind(step: LaunchStep, launches: Sequence[Launch]) -> tuple[Launch, ...]:
    return tuple(replace(each, steps=(step, *each.steps)) for each in launches)
