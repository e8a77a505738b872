"""Templates that are read and compiled anew for each request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import BindingKind, Value, ValueKind
from prodlint.findings import Applicability, Confidence, Finding, Fix, Span
from prodlint.fixes.reasons import NOT_UTF8, ODD_FORM
from prodlint.program.code.call_options import options_of
from prodlint.program.code.environment_guards import DEVELOPMENT, runs_unasked
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Api

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_VIEW_CACHE = "view cache"
_FLASK = "TEMPLATES_AUTO_RELOAD"
_IS_PRODUCTION = "process.env.NODE_ENV === {}"
_IS_DEVELOPMENT = "process.env.NODE_ENV !== {}"


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Settings that switch the cache of a template engine off, in server code and not for development only."""
    yield from _express(program, rule)
    for api, options in rule.data["options"].items():
        for site in program.api_calls.get(api, ()):
            given = options_of(program, site)
            for name, value in options.items():
                if given.is_bool(name, value) and _written_here(program, site, name):
                    yield from _call(program, rule, site, name, {"option": name, "was": value})
    yield from _python_stores(program, rule)
    yield from _python_names(program, rule)


def _finding(
    program: Program, rule: Rule, file: File, span: tuple[int, int], confidence: Confidence, **data: object
) -> Finding:
    return Finding(
        rule.name,
        "This switches the template cache off: templates are looked up, read and compiled again while requests wait. "
        "Leave it to development.",
        program.location(file, *span),
        confidence=confidence,
        data={"file": file.index, **data},
    )


def _call(program: Program, rule: Rule, site: CallSite, what: str, data: dict[str, object]) -> Iterator[Finding]:
    confidence = runs_unasked(program, site.file, site.call.region)
    if confidence is not None:
        span = site.call.start, site.call.end
        yield _finding(program, rule, site.file, span, confidence, call=site.index, what=what, **data)


# --------------------------------------------------------------------------------------------------------- JavaScript


def _express(program: Program, rule: Rule) -> Iterator[Finding]:
    for site in program.api_calls.get("express().disable", ()):
        if _is_text(_argument(program, site, 0), _VIEW_CACHE):
            yield from _call(program, rule, site, "disable", {})
    for site in program.api_calls.get("express().set", ()):
        value = _argument(program, site, 1)
        is_off = value.kind is ValueKind.BOOL and value.text == "false"
        if is_off and _is_text(_argument(program, site, 0), _VIEW_CACHE):
            yield from _call(program, rule, site, "set", {})


def _argument(program: Program, site: CallSite, position: int) -> Value:
    args = site.call.args
    return program.value(site.file, args[position]) if position < len(args) else Value(ValueKind.UNKNOWN)


def _is_text(value: Value, text: str) -> bool:
    return value.kind is ValueKind.STRING and value.text == text


def _written_here(program: Program, site: CallSite, name: str) -> bool:
    """Whether the option is a literal in the call itself: elsewhere it may be for development, or shared."""
    if name in site.call.keywords:
        position = len(site.call.args) - len(site.call.keywords) + site.call.keywords.index(name)
        return _argument(program, site, position).kind is ValueKind.BOOL
    literals = (program.value(site.file, argument) for argument in site.call.args)
    return any(literal.kind is ValueKind.OBJECT and name in literal.names for literal in literals)


# ------------------------------------------------------------------------------------------------------------- Python


def _python_stores(program: Program, rule: Rule) -> Iterator[Finding]:
    """`app.config['TEMPLATES_AUTO_RELOAD'] = True`, `app.config.update(…=True)`, `app.jinja_env.auto_reload = True`."""
    for file in program.files:
        for store in file.facts.stores if file.is_python else ():
            value, target = program.value(file, store.value), program.value(file, store.target)
            is_on = value.kind is ValueKind.BOOL and value.text == "true" and store.op == "="
            names_cache = (store.name == _FLASK and target.text == "config") or (
                store.name == "auto_reload" and target.text in ("jinja_env", "jinja_environment")
            )
            confidence = runs_unasked(program, file, store.region) if is_on and names_cache else None
            if confidence is not None:
                new = "None" if store.name == _FLASK else "False"
                span = store.start, store.end
                yield _finding(program, rule, file, span, confidence, store=(store.start, store.end), new=new)
    for site, targets in program.calls:
        is_update = any(isinstance(each, Api) and each.path.endswith("().config.update") for each in targets)
        if not is_update or not site.file.is_python or not _written_here(program, site, _FLASK):
            continue
        if options_of(program, site).is_bool(_FLASK, True):
            yield from _call(program, rule, site, _FLASK, {"option": _FLASK})


def _python_names(program: Program, rule: Rule) -> Iterator[Finding]:
    """`TEMPLATES_AUTO_RELOAD = True` in a module or class that Flask's configuration is read from."""
    for file in program.files:
        if not file.is_python or DEVELOPMENT.search(file.path):
            continue
        for binding in file.facts.bindings:
            values = [file.facts.values[value] for value in binding.values]
            is_on = [value.kind is ValueKind.BOOL and value.text == "true" for value in values]
            if binding.name == _FLASK and binding.function == 0 and is_on == [True]:
                around = [cls for cls in file.facts.classes if cls.start <= binding.start < cls.end]
                confidence = program.is_loaded(file)
                if any(DEVELOPMENT.search(cls.name) for cls in around) or confidence is None:
                    continue
                if binding.kind is BindingKind.VARIABLE:
                    span = binding.start, binding.end
                    yield _finding(program, rule, file, span, confidence, store=span, new="None")


# ---------------------------------------------------------------------------------------------------------------- fix


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The cache as the environment says: on in production, off where NODE_ENV or the debug mode is for development."""
    from prodlint.fixes import javascript, python

    data = finding.data
    file = program.files[data["file"]]
    source = program.read(file.path)
    if "store" in data:
        edits = python.replace_assigned(file.path, source, Span(*data["store"]), data["new"])
        return Fix("Leave it to debug mode", Applicability.SAFE, edits) if edits else ODD_FORM
    call = file.facts.calls[data["call"]]
    span = Span(call.start, call.end)
    if file.is_python:
        new = "None" if data["option"] == _FLASK else "False"
        edits = python.set_keyword(file.path, source, span, data["option"], new)
        return Fix("Leave it to debug mode", Applicability.SAFE, edits) if edits else ODD_FORM
    style = javascript.style_of(file.path, source)
    if style is None:
        return NOT_UTF8
    production = style.string("production")
    if data["what"] == "disable":
        receiver = source[call.start : call.name_start].decode()
        text = f"{receiver}set({style.string(_VIEW_CACHE)}, {_IS_PRODUCTION.format(production)})"
        edits = javascript.replace_expression(file.path, source, span, text)
    elif data["what"] == "set":
        argument = Span(call.arg_spans[2], call.arg_spans[3])
        edits = javascript.replace_expression(file.path, source, argument, _IS_PRODUCTION.format(production))
    else:
        test = _IS_DEVELOPMENT if data["was"] else _IS_PRODUCTION
        edits = javascript.set_property(file.path, source, span, data["option"], test.format(production))
    return Fix("Switch it off in development only", Applicability.SAFE, edits) if edits else ODD_FORM
