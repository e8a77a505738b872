"""debug-enabled: a debugger, or an option for debugging, in what runs in production."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from prodlint.facts import ValueKind
from prodlint.findings import Applicability, Confidence, Finding, Fix, ImportRequest, Location, Span, Step
from prodlint.fixes.reasons import ODD_FORM
from prodlint.lazy_regex import regex
from prodlint.models.deployment_formats import format_of
from prodlint.models.frameworks import FRAMEWORKS
from prodlint.program.code.call_options import options_of
from prodlint.program.code.environment_guards import is_literally, is_named_for_development, runs_unasked
from prodlint.program.linking.resolver import CallSite
from prodlint.program.linking.targets import Api
from prodlint.program.services import services_in, services_of
from prodlint.program.services.setting_values import State
from prodlint.program.services.start_faults import dev_server
from prodlint.program.services.variants import command_of, in_production, place_of, whereabouts
from prodlint.program.web.django_settings import production_settings
from prodlint.project.file_roles import FileRole

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service, Variant
    from prodlint.program.services.launches import LaunchStep
    from prodlint.program.web.django_settings import Settings
    from prodlint.rulebook import Rule

_NODE_PROGRAMS = frozenset({"node", "nodejs", "ts-node", "tsx", "babel-node"})
_WSGI_FILES = frozenset({"wsgi.py", "passenger_wsgi.py", "asgi.py"})
_ASKED = 'os.environ.get("DJANGO_DEBUG") == "1"'
_TRACES = "--trace-sync-io"
_INSPECTS = regex(r"--(?:inspect(?:-brk|-wait)?|debug(?:-brk)?)(?:=.*)?")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for a service that some variant for production starts for debugging, and one for each place in the
    code that switches debugging on there."""
    for service in services_in(program):
        for variant in in_production(service):
            # A server for development is worse, and says so itself.
            found = None if dev_server(program, variant) else _in_command(variant)
            if found is not None:
                yield _finding(program, rule, service, variant, *found)
                break
        yield from _debug_variable(rule, service)
    yield from _runs(program, rule)
    yield from _apps(program, rule)
    yield from _members(program, rule)
    yield from _django(program, rule)


# ------------------------------------------------------------------------------------------------------------ commands


def _in_command(variant: Variant) -> tuple[LaunchStep, str, str] | None:
    """The command, the word of it that is for debugging, and what that does."""
    for step in reversed(variant.launch.steps):
        words = step.start.words
        name = posixpath.basename(words[0]) if words else ""
        if name in _NODE_PROGRAMS:
            for word in words[1:]:
                if not word.startswith("-"):
                    break  # what follows is for the program
                if _INSPECTS.fullmatch(word):
                    return step, word, "opens a port on which whoever reaches it runs code in the service"
                if word == _TRACES:
                    return step, word, "writes a stack trace for each synchronous call it makes"
        if name.startswith("python") and words[1:2] == ("-m",) and words[2:3] in (("pdb",), ("debugpy",)):
            return step, f"-m {words[2]}", "stops the service for a debugger"
        if step.start.is_dev and "--debug" in words:
            return step, "--debug", "makes it show its insides to visitors"
    return None


def _debug_variable(rule: Rule, service: Service) -> Iterator[Finding]:
    """`DEBUG=*`, by which the package debug writes what all libraries have to say."""
    for variant in in_production(service) if service.language == "node" else ():
        said = variant.setting("env.DEBUG")
        parts = said.value.replace(",", " ").split() if said.state is State.SET and said.is_final else []
        loud = next((part for part in parts if part == "*" or part.partition(":")[0] in service.dependencies), "")
        if loud and said.by is not None:
            yield Finding(
                rule.name,
                f"`DEBUG={said.value}` has {'every library' if loud == '*' else loud.partition(':')[0]} write what it "
                "does for each request, synchronously. Take it away.",
                said.by.location,
                no_fix_reason="what else the line sets is not known here",
                service=service.name,
            )
            return


def _finding(
    program: Program, rule: Rule, service: Service, variant: Variant, step: LaunchStep, word: str, effect: str
) -> Finding:
    can_drop = not word.startswith("-m")
    return Finding(
        rule.name,
        f"{service.name} is started with `{word}`, which {effect}. Take it away.",
        place_of(program.facts, step),
        data={"place": whereabouts(step.source), "word": word},
        no_fix_reason="" if can_drop else "how it is started without its debugger is not known here",
        service=service.name,
    )


# ---------------------------------------------------------------------------------------------------------------- code


def _runs(program: Program, rule: Rule) -> Iterator[Finding]:
    """`app.run(debug=True)` in a file that production starts, or may start for all that is known."""
    for api, name in rule.data["run"].items():
        for site in program.api_calls.get(api, ()):
            is_on = name in site.call.keywords and is_literally(program, site, name, "true")
            found = _started(program, rule, site) if is_on else None
            if found is None:
                continue
            confidence, by = found
            if name == "reload" and by is not None and dev_server(program, by) is not None:
                continue  # dev-server says so where it is started
            related = (Step(by.launch.steps[-1].source.location, "this starts the file in production"),) if by else ()
            yield _of_call(program, rule, site, name, "run" if name == "debug" else name, confidence, related)


def _started(program: Program, rule: Rule, site: CallSite) -> tuple[Confidence, Variant | None] | None:
    """Whether production starts the file of a call, and what does so; LIKELY where nothing says what it starts."""
    file = site.file
    if program.roles[file.index] is not FileRole.SOURCE or program.dev_only(file, site.call.region):
        return None
    if is_named_for_development(file, site.call.region):
        return None
    for service in services_in(program):
        for variant in in_production(service):
            words = variant.launch.steps[-1].start.words if variant.launch.steps else ()
            if variant.launch.entry == file.path and posixpath.basename(words[0] if words else "").startswith("python"):
                return Confidence.CERTAIN, variant
    if any(service.is_started for service in services_of(program, file.path)) or any(
        program.versions.required(file.path, name) is not None for name in rule.data["servers"]
    ):
        return None
    has_wsgi = any(posixpath.basename(path) in _WSGI_FILES for path in program.by_path)
    return None if has_wsgi else (Confidence.LIKELY, None)


def _apps(program: Program, rule: Rule) -> Iterator[Finding]:
    """`FastAPI(debug=True)`, and what Node's frameworks have of that kind."""
    for api, name in rule.data["app"].items():
        for site in program.api_calls.get(api, ()):
            confidence = runs_unasked(program, site.file, site.call.region)
            if confidence is not None and name in site.call.keywords and is_literally(program, site, name, "true"):
                yield _of_call(program, rule, site, name, "app", confidence)
    for api, name in rule.data["options"].items():
        for site in program.api_calls.get(api, ()):
            confidence = runs_unasked(program, site.file, site.call.region)
            if confidence is not None and options_of(program, site).is_bool(name, True):
                yield _of_call(program, rule, site, name, "app", confidence)
    for site in program.api_calls.get("inspector.open", ()):
        confidence = runs_unasked(program, site.file, site.call.region)
        if confidence is not None and not site.file.is_python:
            yield Finding(
                rule.name,
                f"This {rule.data['says']['inspector']}. Leave it to development.",
                program.location(site.file, site.call.start, site.call.end),
                confidence=confidence,
                no_fix_reason="what it is there for is not known here",
            )


def _of_call(
    program: Program,
    rule: Rule,
    site: CallSite,
    name: str,
    says: str,
    confidence: Confidence,
    related: tuple[Step, ...] = (),
) -> Finding:
    written = f"{name}=True" if site.file.is_python else f"{name}: true"
    return Finding(
        rule.name,
        f"`{written}` {rule.data['says'][says]}. Leave it to development.",
        program.location(site.file, site.call.start, site.call.end),
        confidence=confidence,
        related=related,
        data={"file": site.file.index, "call": site.index, "name": name},
    )


def _members(program: Program, rule: Rule) -> Iterator[Finding]:
    """`app.debug = True` and `app.config["DEBUG"] = True`."""
    says = rule.data["says"]["member"]
    for file in program.files:
        for store in file.facts.stores if file.is_python else ():
            value = program.value(file, store.value)
            if store.op != "=" or value.kind is not ValueKind.BOOL or value.text != "true":
                continue
            is_on = any(
                isinstance(target, Api)
                and (store.name == rule.data["member"].get(target.path) or _is_config(target.path, store.name))
                for target in program.resolver.resolve(file, store.target)
            )
            confidence = runs_unasked(program, file, store.region) if is_on else None
            if confidence is not None:
                yield Finding(
                    rule.name,
                    f"This {says}. Leave it to development.",
                    program.location(file, store.start, store.end),
                    confidence=confidence,
                    data={"file": file.index, "store": (store.start, store.end)},
                )


def _is_config(path: str, name: str) -> bool:
    return name == "DEBUG" and any(path in each.debug_settings for each in FRAMEWORKS)


def _django(program: Program, rule: Rule) -> Iterator[Finding]:
    """`DEBUG = True` in the settings that production uses."""
    for settings in production_settings(program):
        debug = settings.get("DEBUG")
        silenced = settings.has("SILENCED_SYSTEM_CHECKS", "security.W018")
        if debug.is_true and debug.location is not None and silenced is not True:
            yield Finding(
                rule.name,
                f"`DEBUG` {rule.data['says']['settings']}. (`check --deploy`: security.W018)",
                debug.location,
                confidence=settings.confidence,
                related=(Step(settings.by, f"production uses {settings.file.path}"),),
                data={"settings": _where(settings, debug.location)},
                service=settings.service.name if settings.service is not None else "",
            )


def _where(settings: Settings, debug: Location) -> dict[str, Any]:
    """Where a fix sets the setting, and to what: a module that developers use too asks the environment."""
    own = debug.path == settings.file.path
    place = debug if own else settings.place
    is_shared = own and not settings.is_for_production_only
    return {"place": tuple(place), "is_set": own, "is_shared": is_shared}


# ----------------------------------------------------------------------------------------------------------------- fix


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The command without the option, which developers may use too in a script of package.json; `False` in code."""
    from prodlint.fixes import start_commands as starts

    if "settings" in finding.data:
        return _fix_django(finding.data["settings"], program)
    if "file" in finding.data:
        return _fix_code(finding, program)
    place, word = finding.data["place"], finding.data["word"]
    command = command_of(program.facts, place, word)
    if command is None:
        return "the command is not known here"
    edits = starts.drop_word(place["path"], place["kind"], program.read(place["path"]), command, re.escape(word))
    safety = Applicability.UNSAFE if format_of(place["kind"]).is_package_script else Applicability.SAFE
    return Fix(f"Take `{word}` away", safety, edits) if edits else ODD_FORM


def _fix_code(finding: Finding, program: Program) -> Fix | str:
    from prodlint.fixes import javascript, python

    data = finding.data
    file = program.files[data["file"]]
    source = program.read(file.path)
    if "store" in data:
        edits = python.replace_assigned(file.path, source, Span(*data["store"]), "False")
        return Fix("Switch debugging off", Applicability.SAFE, edits) if edits else ODD_FORM
    call = file.facts.calls[data["call"]]
    span = Span(call.start, call.end)
    if file.is_python:
        edits = python.set_keyword(file.path, source, span, data["name"], "False")
    else:
        edits = javascript.set_property(file.path, source, span, data["name"], "false")
    return Fix("Switch it off", Applicability.SAFE, edits) if edits else ODD_FORM


def _fix_django(data: Mapping[str, Any], program: Program) -> Fix | str:
    from prodlint.fixes import python

    place = Location(*data["place"])
    source, span = program.read(place.path), Span(*place[1:])
    if data["is_shared"]:
        edits = python.replace_assigned(place.path, source, span, _ASKED)
        request = ImportRequest(place.path, "os")
        return Fix("Ask the environment", Applicability.UNSAFE, edits, (request,)) if edits else ODD_FORM
    if data["is_set"]:
        edits = python.replace_assigned(place.path, source, span, "False")
    else:
        edits = python.insert_statement_after(place.path, source, span, "DEBUG = False")
    return Fix("Set `DEBUG = False`", Applicability.SAFE, edits) if edits else ODD_FORM
