"""A service that nothing starts in production mode."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from prodlint.facts import JAVASCRIPT, ValueKind
from prodlint.findings import Applicability, Finding, Fix, Location, Severity, Step
from prodlint.fixes.reasons import ODD_FORM
from prodlint.lazy_regex import regex
from prodlint.models.deployment_formats import Host, format_of, rank
from prodlint.program.code.call_options import options_of
from prodlint.program.services import Service, Variant, is_for_development, services_in
from prodlint.program.services.layers import Layer
from prodlint.program.services.setting_values import SettingValue, Source, State
from prodlint.program.services.start_texts import start_texts
from prodlint.program.services.variants import each_place_once, shown

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.linking.resolver import File
    from prodlint.rulebook import Rule

_NAME = "NODE_ENV"
_VALUE = "production"
_PYTHON = {
    "FLASK_DEBUG": "runs Flask's debugger, which lets visitors execute code",
    "FLASK_ENV": "runs Flask in debug mode, whose debugger lets visitors execute code",
    "DJANGO_SETTINGS_MODULE": "runs Django with its settings for development",
}
_COMPARISONS = frozenset({"===", "!==", "==", "!="})
_INDEXED = frozenset(
    {ValueKind.CALL, ValueKind.FUNCTION, ValueKind.CLASS, ValueKind.PARAM, ValueKind.SELF, ValueKind.SUPER,
     ValueKind.BINDING, ValueKind.CATCH}
)  # fmt: skip
"""Kinds of values whose `ref` is no value."""
_INSTALLS_OR_BUILDS = regex(
    r"\b(?:npm|yarn|yarnpkg|pnpm|bun)[\s\",]++(?:-[^\s\",]++[\s\",]++)*+(?:install|ci|i|add|run[\s\",]++\S*build)\b"
    r"|\b(?:build|tsc|webpack|rollup|vite|npx|migrate)\b|\byarn\s*(?:$|[;&])"
)
_DELETABLE = ("FLASK_DEBUG", "FLASK_ENV")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for a service that nothing starts with NODE_ENV=production, or that something starts for
    development."""
    return each_place_once(_all(program, rule))


def _all(program: Program, rule: Rule) -> Iterator[Finding]:
    for service in services_in(program):
        if service.language == "node":
            finding = _contradicted(program, rule, service) or _missing(program, rule, service)
            if finding is not None:
                yield finding
        else:
            yield from _python(rule, service)


# --- Node -------------------------------------------------------------------------------------------------------------


def _contradicted(program: Program, rule: Rule, service: Service) -> Finding | None:
    """A variant for production that says something for development."""
    for variant in _blamed(service):
        answer = variant.setting(f"env.{_NAME}")
        if not _is_set_for_development(_NAME, answer) or answer.by is None or answer.by.kind in ("dotenv", "source"):
            continue
        name, way = _reader(program, rule, service)
        return Finding(
            rule.name,
            f"`{_NAME}` is `{answer.value}` when {service.name} starts in production{way}.",
            answer.by.location,
            related=_related(service, answer.by, "starts it") if len(service.artefacts) > 1 else (),
            data={"change": "value", "variable": _NAME, "old": answer.value, **_whereabouts(answer.by)},
            severity=None if name else Severity.ADVICE,
            service=service.name,
        )
    return None


def _missing(program: Program, rule: Rule, service: Service) -> Finding | None:
    """No variant for production says anything, and none may."""
    blamed = _blamed(service)
    platforms = {*_listed(rule, "platforms"), *_listed(rule, "unsure-platforms")}
    if not blamed or any(source.name in platforms for source in service.platforms):
        return None
    variants = [variant for variant in blamed if not _provides(rule, variant)]
    if len(variants) < len(blamed):
        # What deploys it by itself is judged by itself, unless another one shows that the variable was thought of.
        variants = [variant for variant in variants if variant.format.says_all]
        if not variants or any(_is_set(variant) for variant in blamed):
            return None
    # What else runs the image, and may set it there, is no reason to change the image.
    is_one_of_several = any(variant.format.host is Host.POD for variant in blamed if variant not in variants)
    layer = variants[0].layers[0] if is_one_of_several else _place(variants)
    name, way = _reader(program, rule, service)
    looked = [source for source in service.artefacts if _in_variants(source, variants)]
    only_script = layer.source.format.is_package_script
    if only_script and _is_action(program, posixpath.dirname(layer.source.path)):
        return None
    return Finding(
        rule.name,
        f"Nothing sets `{_NAME}={_VALUE}` when {service.name} starts{way}. Set it here.",
        layer.source.location,
        related=tuple(_related_to(looked, layer.source, f"does not set `{_NAME}` either")),
        data={"change": "add", "variable": _NAME, **_whereabouts(layer.source)},
        severity=Severity.ADVICE if only_script or not name else None,
        service=service.name,
    )


def _is_action(program: Program, folder: str) -> bool:
    """Whether a folder holds an action for GitHub: how its package is started besides is for who uses it to say."""
    found = (program.facts.get(posixpath.join(folder, f"action.{suffix}")) for suffix in ("yml", "yaml"))
    return any(facts is not None and any(each.kind == "action" for each in facts.artefacts) for facts in found)


def _blamed(service: Service) -> list[Variant]:
    """The variants for production that start a server for production: a development server there is another mistake."""
    return [variant for variant in service.production if not variant.launch.is_dev]


def _is_set(variant: Variant) -> bool:
    return variant.setting(f"env.{_NAME}").state is State.SET


def _provides(rule: Rule, variant: Variant) -> bool:
    """Whether a variant starts with NODE_ENV set, or may do so for all that is known."""
    answer = variant.setting(f"env.{_NAME}")
    if answer.state is State.UNKNOWN or (answer.state is State.SET and answer.value):
        return True
    if variant.launch.target in _listed(rule, "runners"):
        return True
    return variant.format.platform in _listed(rule, "platforms")


def _listed(rule: Rule, key: str) -> Sequence[str]:
    values: Sequence[str] = rule.data.get(key, ())
    return values


def _reader(program: Program, rule: Rule, service: Service) -> tuple[str, str]:
    """What in the service behaves differently in production ("" for nothing), and that as the end of a sentence."""
    name = next((name for name in _listed(rule, "readers") if name in service.dependencies), "")
    if name and _is_set_in_code(program, service, name):
        return name, f": its code puts {name} into production mode, but other packages ask for the variable"
    if name:
        return name, f": {name} then runs in development mode"
    return ("the code", ", but its code asks for it") if service.reads_node_env else ("", "")


def _is_set_in_code(program: Program, service: Service, name: str) -> bool:
    """Whether the code of a service chooses the mode of a framework itself: `app.set('env', 'production')` of Express,
    `next({ dev: false })`."""
    for site in program.api_calls.get("express().set" if name == "express" else name, ()):
        if service.package and not site.file.path.startswith(f"{service.package}/"):
            continue
        values = [program.value(site.file, argument) for argument in site.call.args]
        if name == "express" and [value.text for value in values] == ["env", _VALUE]:
            return True
        if name == "next" and options_of(program, site).is_bool("dev", False):
            return True
    return False


def _place(variants: Sequence[Variant]) -> Layer:
    """The layer that is to set the variable: a unit, a compose service that sets others, the image, a command."""
    return min((_best_layer(variant) for variant in variants), key=lambda layer: rank(layer.source.kind))


def _best_layer(variant: Variant) -> Layer:
    outer = variant.layers[0]
    image = variant.image_layer
    if image is None:
        return outer
    is_editable = outer.source.format.host is not Host.PLATFORM
    return outer if is_editable and any(key.startswith("env.") for key in outer.settings) else image


def _in_variants(source: Source, variants: Sequence[Variant]) -> bool:
    return any(layer.source == source for variant in variants for layer in variant.layers)


def _related(service: Service, but: Source, message: str) -> tuple[Step, ...]:
    looked = [source for source in service.artefacts if _in_variants(source, service.production)]
    return tuple(_related_to(looked, but, message))


def _related_to(sources: Sequence[Source], but: Source, message: str) -> Iterator[Step]:
    for source in sources:
        if (source.path, source.name) != (but.path, but.name):
            yield Step(source.location, f"{shown(source)} {message}")


def _whereabouts(source: Source) -> dict[str, Any]:
    return {"kind": source.kind, "name": source.name, "start": source.location.start, "end": source.location.end}


def _is_set_for_development(variable: str, answer: SettingValue) -> bool:
    return answer.state is State.SET and answer.is_final and is_for_development(variable, answer.value)


# --- Python -----------------------------------------------------------------------------------------------------------


def _python(rule: Rule, service: Service) -> Iterator[Finding]:
    """Each variable that makes a variant for production one for development, once."""
    seen: set[Location] = set()
    for variant in service.production:
        for variable, consequence in _PYTHON.items():
            answer = variant.setting(f"env.{variable}")
            by = answer.by
            if by is None or by.location in seen or not _is_set_for_development(variable, answer):
                continue
            seen.add(by.location)
            yield Finding(
                rule.name,
                f"`{variable}={answer.value}` {consequence}, when {service.name} starts in production.",
                by.location,
                data={"change": "delete", "variable": variable, **_whereabouts(by)},
                no_fix_reason=""
                if variable in _DELETABLE
                else "prodlint does not know which settings are for production",
                service=service.name,
            )


# --- fixes ------------------------------------------------------------------------------------------------------------


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """Sets the variable where the finding is, in the format's own syntax; takes one away that is for development."""
    from prodlint.fixes import variables

    data = finding.data
    path = finding.location.path
    variable = data["variable"]
    if data["change"] == "delete":
        if not variables.can_delete(data["kind"]):
            return "prodlint takes no settings away from files of this kind"
        edits = variables.delete(program, path, data)
        return Fix(f"Remove `{variable}`", Applicability.UNSAFE, edits) if edits else ODD_FORM
    if data["change"] == "value":
        edits = variables.change(program, path, data, _VALUE)
        return Fix(f"Set `{variable}={_VALUE}`", Applicability.UNSAFE, edits) if edits else ODD_FORM
    is_safe = not format_of(data["kind"]).is_package_script and _changes_nothing_else(finding, program, rule)
    edits = variables.add(program, path, data, _VALUE)
    applicability = Applicability.SAFE if is_safe else Applicability.UNSAFE
    return Fix(f"Set `{variable}={_VALUE}`", applicability, edits) if edits else ODD_FORM


def _changes_nothing_else(finding: Finding, program: Program, rule: Rule) -> bool:
    """Whether nothing that a service's variants run installs, builds, or chooses modules or settings by the variable:
    the code only compares it, and no package of the service has a configuration for each environment."""
    selectors = set(_listed(rule, "selectors"))
    for service in services_in(program):
        if service.name == finding.service:
            if selectors & service.dependencies:
                return False
            texts = [text for variant in service.variants for text in start_texts(program, variant)]
            if any(_INSTALLS_OR_BUILDS.search(text) for text in texts):
                return False
    path, name = finding.location.path, finding.data["name"]
    has_heir = format_of(finding.data["kind"]).is_image and any(
        artefact.parent == name and name for artefact in program.facts[path].artefacts
    )
    return not has_heir and not any(_selects(file) for file in program.files if file.facts.kind in JAVASCRIPT)


def _selects(file: File) -> bool:
    """Whether code uses the variable otherwise than in a comparison: `require('./' + env)`, `settings[env]`."""
    facts = file.facts
    values = facts.values
    reads = {access.value for access in facts.accesses if values[access.value].text == _NAME}
    if any(value.kind is ValueKind.STRING and value.text == _NAME for value in values):
        return True
    if not reads:
        return False
    others = {
        item
        for value in values
        if not (value.kind is ValueKind.OP and value.text in _COMPARISONS)
        for item in (*value.items, *(() if value.kind in _INDEXED else (value.ref,)))
    }
    bound = {each for binding in facts.bindings for each in binding.values}
    passed = {each for call in facts.calls for each in call.args}
    stored = {store.value for store in facts.stores} | {exit_.value for exit_ in facts.exits}
    tested = {each for region in facts.regions for each in region.values}
    used = others | bound | passed | stored | tested
    return any(read in used or not any(read in value.items for value in values) for read in reads)
