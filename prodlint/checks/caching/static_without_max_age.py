"""Files that browsers ask for again and again, since nothing says how long they may keep them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from prodlint.facts import NONE, FileFacts, Use, ValueKind
from prodlint.findings import Applicability, Confidence, Finding, Fix, Severity, Span
from prodlint.fixes.reasons import NO_PLACE, NOT_UTF8, ODD_FORM
from prodlint.models.frameworks.model import Role
from prodlint.program.code.call_options import options_of
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Api
from prodlint.program.proxies import proxies_in
from prodlint.program.proxies.nginx_config import Block
from prodlint.program.services import services_of
from prodlint.program.services.environment_evidence import is_dev_path
from prodlint.program.web.web_apps import WebApp, fronts_of, web_apps_in

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_HEADER = "cache-control"
_FLASK_AGE = "3600"


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each folder that is served without a maximum age, where neither a proxy nor code sets one, and
    for each location of nginx."""
    setters: set[int] | None = None
    for site, known in _sites(program, rule):
        confidence = program.server_code(site.file, site.call.region)
        given = options_of(program, site, known["first"])
        is_said = given.is_open or any(name in given for name in rule.data["said"]["options"])
        if confidence is None or is_said or _is_kept_elsewhere(program, rule, site.file):
            continue
        setters = _files_with_header(program) if setters is None else setters
        if site.file.index in setters:
            continue
        if _is_exempt(rule, site):
            continue
        yield _finding(program, rule, site, confidence, known)
    for app in web_apps_in(program).all.values():
        if app.model.framework == "flask" and (confidence := _flask(program, rule, app)) is not None:
            yield _flask_finding(program, rule, app, confidence)
    yield from _nginx(program, rule)


def _sites(program: Program, rule: Rule) -> Iterator[tuple[CallSite, dict[str, Any]]]:
    for api, known in rule.data["apis"].items():
        for site in program.api_calls.get(api, ()):
            yield site, known
    plugins = rule.data["plugins"]
    for site in program.api_calls.get("fastify().register", ()):
        for target in program.resolver.resolve(site.file, site.call.args[0]) if site.call.args else ():
            if isinstance(target, Api) and target.path in plugins:
                yield site, plugins[target.path]


def _is_exempt(rule: Rule, site: CallSite) -> bool:
    """Whether the files are asked for rarely: by an installer, or for machines below a path like `/.well-known`."""
    folders, paths = rule.data["exempt"]["folders"], tuple(rule.data["exempt"]["paths"])
    facts, call = site.file.facts, site.call
    user = facts.calls[call.user] if call.use is Use.ARGUMENT and call.user != NONE else call
    texts = {text for argument in (*user.args, *call.args) for text in _texts(facts, argument)}
    return any(part in folders for part in site.file.path.split("/")) or any(text.endswith(paths) for text in texts)


def _texts(facts: FileFacts, value: int) -> Iterator[str]:
    fact = facts.values[value]
    if fact.kind is ValueKind.STRING:
        yield fact.text
    elif fact.kind in (ValueKind.OP, ValueKind.TEMPLATE):
        for item in fact.items:
            yield from _texts(facts, item)


def _is_kept_elsewhere(program: Program, rule: Rule, file: File) -> bool:
    """Whether a proxy or a platform is in front, which may serve the files or set the header."""
    platforms = rule.data["said"]["platforms"]
    services = services_of(program, file.path)
    return bool(fronts_of(program, file)) or any(
        source.name in platforms for service in services for source in service.platforms
    )


def _files_with_header(program: Program) -> set[int]:
    """The files that set Cache-Control by hand, and those that register middleware of theirs: Express leaves a header
    alone that is set already."""
    naming = {
        file.index
        for file in program.files
        if any(value.kind is ValueKind.STRING and value.text.lower() == _HEADER for value in file.facts.values)
    }
    registering = {
        registration.file
        for registration in program.graph.registrations
        if registration.role is Role.MIDDLEWARE and program.function(registration.function)[0].index in naming
    }
    return naming | registering


def _finding(program: Program, rule: Rule, site: CallSite, confidence: Confidence, known: dict[str, Any]) -> Finding:
    shown = f"{known['option']}: {known['value'] or '…'}"
    return Finding(
        rule.name,
        "Browsers ask for these files again with every page, since the answer says `max-age=0`. Say how long they may "
        f"be kept: `{{ {shown} }}`; a year, where their names change with their content.",
        program.location(site.file, site.call.start, site.call.end),
        confidence=confidence,
        data={"file": site.file.index, "call": site.index, "option": known["option"], "value": known["value"]},
        no_fix_reason="" if known["value"] else "its options are those of another package",
    )


def _flask(program: Program, rule: Rule, app: WebApp) -> Confidence | None:
    """Whether a Flask app that is served names its static folder, and nothing says how long files may be kept."""
    file, said = app.site.file, rule.data["said"]
    if not {"static_folder", "static_url_path"} & set(app.site.call.keywords):
        return None
    if not app.is_served and not any(service.is_started for service in services_of(program, file.path)):
        return None
    home = web_apps_in(program).home(file)
    for other in program.files:
        if web_apps_in(program).home(other) == home and (
            said["flask"] in _names(other) or {name.partition(".")[0] for name in _modules(other)} & {*said["packages"]}
        ):
            return None
    return None if _is_kept_elsewhere(program, rule, file) else program.server_code(file, app.site.call.region)


def _names(file: File) -> set[str]:
    """The names and texts in a file: of variables, keys, keyword arguments."""
    facts = file.facts
    names = {value.text for value in facts.values} | {binding.name for binding in facts.bindings}
    names |= {store.name for store in facts.stores}
    return names | {keyword for call in facts.calls for keyword in call.keywords}


def _modules(file: File) -> Iterator[str]:
    return (request.module for request in file.facts.imports)


def _flask_finding(program: Program, rule: Rule, app: WebApp, confidence: Confidence) -> Finding:
    call = app.site.call
    return Finding(
        rule.name,
        "Browsers ask for the files of this app again with every page: by default Flask tells them to. Say how long "
        f"they may be kept: `app.config['{rule.data['said']['flask']}'] = {_FLASK_AGE}`.",
        program.location(app.site.file, call.start, call.end),
        confidence=confidence,
        data={"file": app.site.file.index, "call": app.site.index, "name": app.name},
        no_fix_reason="" if app.name and call.use is Use.ASSIGNED else "the app is kept in no variable",
    )


# --------------------------------------------------------------------------------------------------------------- nginx


def _nginx(program: Program, rule: Rule) -> Iterator[Finding]:
    """The locations of nginx that are for scripts, styles and images, by their paths, and say nothing of caches."""
    for server in proxies_in(program).nginx.servers():
        for block in server.below():
            if _serves_files(rule, block) and not is_dev_path(block.path):
                yield Finding(
                    rule.name,
                    "Nothing says how long browsers may keep these files: each guesses, and asks again when it is not "
                    "sure. Say it: `expires 1h;`; a year, where their names change with their content.",
                    block.anchor,
                    data={"block": block.location.start},
                    severity=Severity.ADVICE,
                )


def _serves_files(rule: Rule, block: Block) -> bool:
    """Whether a block surely is a location of files for browsers about whose age nothing is said."""
    known = rule.data["nginx"]
    path = block.args[-1] if block.name == "location" and block.args else ""
    is_static = re.search(known["paths"], path) is not None or re.search(known["patterns"], path) is not None
    if not is_static or any(block.own(name) for name in known["other"]):
        return False
    if not block.own("alias") and not block.in_force("root"):
        return False
    headers = block.in_force("add_header")
    if block.in_force("expires") != [] or headers is None or not block.is_whole:
        return False
    return not any(directive.value.lower() in (_HEADER, "pragma", "expires") for directive in headers)


# ----------------------------------------------------------------------------------------------------------------- fix


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """An hour: long enough for the pages of one visit, short enough for files whose names stay."""
    from prodlint.fixes import javascript, nginx, python

    data = finding.data
    if "block" in data:
        path = finding.location.path
        edits = nginx.insert(path, program.read(path), data["block"], [nginx.written("expires", "1h")])
        return Fix("Let browsers keep files for an hour", Applicability.UNSAFE, edits) if edits else ODD_FORM
    file = program.files[data["file"]]
    call, source = file.facts.calls[data["call"]], program.read(file.path)
    span = Span(call.start, call.end)
    if "name" in data:
        if not data["name"]:
            return "the app is kept in no variable"
        text = f'{data["name"]}.config["{rule.data["said"]["flask"]}"] = {_FLASK_AGE}'
        edits = python.insert_statement_after(file.path, source, span, text)
        return Fix("Let browsers keep files for an hour", Applicability.UNSAFE, edits) if edits else NO_PLACE
    style = javascript.style_of(file.path, source)
    if style is None or not data["value"]:
        return NOT_UTF8 if style is None else "its options are those of another package"
    value = style.string(data["value"].strip("'")) if data["value"].startswith("'") else data["value"]
    edits = javascript.add_option(file.path, source, span, data["option"], value)
    return (
        Fix("Let browsers keep files for an hour", Applicability.UNSAFE, edits)
        if edits
        else "its options are not written there"
    )
