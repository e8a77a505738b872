"""django-deploy-setting: what `manage.py check --deploy` warns of, by the settings that production uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from prodlint.facts import ValueKind
from prodlint.findings import Applicability, Finding, Fix, ImportRequest, Location, Severity, Span, Step
from prodlint.fixes.reasons import ODD_FORM
from prodlint.program.proxies import proxies_in
from prodlint.program.services.setting_values import State
from prodlint.program.web.django_settings import Setting, Settings, production_settings
from prodlint.program.web.web_apps import fronts_of

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_SESSIONS = "django.contrib.sessions"
_SESSION_MIDDLEWARE = "django.contrib.sessions.middleware.SessionMiddleware"
_SESSION_CHECKS = {
    "SESSION_COOKIE_SECURE": ("W010", "W011", "W012"),
    "SESSION_COOKIE_HTTPONLY": ("W013", "W014", "W015"),
}
"""What Django calls it if sessions are in `INSTALLED_APPS`, in `MIDDLEWARE`, in both."""
_KEY = "SECRET_KEY"
_REDIRECTING = ("caddy",)
"""Proxies that send clients to HTTPS without being told to."""


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each check of Django that the settings for production fail."""
    for settings in production_settings(program):
        for finding in (*_middleware(rule, settings), *_settings(rule, settings), *_keys(rule, settings)):
            if settings.has("SILENCED_SYSTEM_CHECKS", f"security.{finding.data['check']}") is not True:
                yield finding


def _finding(
    rule: Rule, settings: Settings, name: str, setting: Setting, say: str, data: Mapping[str, Any], number: str
) -> Finding:
    own = setting.location is not None and setting.location.path == settings.file.path
    place = setting.location if own and setting.location is not None else settings.place
    related = [Step(settings.by, f"production uses {settings.file.path}")]
    if setting.location is not None and not own:
        related.append(Step(setting.location, f"`{name}` is set here"))
    return Finding(
        rule.name,
        f"`{name}` {say}. (`check --deploy`: security.{number})",
        place,
        confidence=settings.confidence,
        related=tuple(related),
        data={
            "check": number,
            "name": name,
            "place": tuple(place),
            "is_set": own,
            "fix": data.get("fix", ""),
            "with": data.get("with", ()),
        },
        severity=Severity.ADVICE if data.get("advice") else None,
        no_fix_reason=data.get("fixless", ""),
        service=settings.service.name if settings.service is not None else "",
    )


# ---------------------------------------------------------------------------------------------------------- middleware


def _middleware(rule: Rule, settings: Settings) -> Iterator[Finding]:
    setting = settings.get("MIDDLEWARE")
    for name, data in rule.data["middleware"].items():
        is_missing = settings.has("MIDDLEWARE", name) is False and not settings.has_other("MIDDLEWARE", name)
        if is_missing and not _set_by_proxy(settings, data):
            missing = [other for other, each in _asked_by(rule, settings, name) if "fix" in each]
            open_ = [other for other, each in _asked_by(rule, settings, name) if "fixless" in each]
            data = {**data, "with": missing, "fixless": f"`{open_[0]}` has to be decided with it" if open_ else ""}
            yield _finding(rule, settings, name.rpartition(".")[2], setting, data["say"], data, data["check"])


def _asked_by(rule: Rule, settings: Settings, middleware: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The settings that are not as they should be, for which nothing asks without some middleware."""
    for name, data in rule.data["settings"].items():
        if data.get("needs") == middleware and _is_failed(settings, name, data):
            yield name, data


def _set_by_proxy(settings: Settings, data: Mapping[str, Any]) -> bool:
    """Whether a proxy in front adds the header that is missing, or may."""
    header = data.get("header", "").lower()
    if not header:
        return False
    for front in fronts_of(settings.program, settings.file):
        for each in front.proxy.passes:
            added = each.block.in_force("add_header") if each.block is not None else []
            if added is None or any(directive.value.lower() == header for directive in added):
                return True
    return False


# ------------------------------------------------------------------------------------------------------------ settings


def _settings(rule: Rule, settings: Settings) -> Iterator[Finding]:
    for name, data in rule.data["settings"].items():
        if "needs" in data and settings.has("MIDDLEWARE", data["needs"]) is not True:
            continue
        number = _session_check(settings, name) if data["check"] == "session" else data["check"]
        setting = settings.get(name)
        if (invalid := _invalid(setting, data)) is not None:
            say = f"is `{invalid}`, which no browser knows"
            yield _finding(rule, settings, name, setting, say, data, data["invalid"])
        elif number and _is_failed(settings, name, data):
            yield _finding(rule, settings, name, setting, data["say"], data, number)


def _is_failed(settings: Settings, name: str, data: Mapping[str, Any]) -> bool:
    """Whether a setting is not as it should be, and nothing else makes up for it."""
    if "with" in data and settings.get(data["with"]).is_true is not True:
        return False
    if "unless" in data and settings.get(data["unless"]).is_true is not None:
        return False
    is_bad = _is_bad(settings.get(name), data)
    return is_bad and not _set_by_proxy(settings, data) and not _redirected(settings, name)


def _is_bad(setting: Setting, data: Mapping[str, Any]) -> bool:
    """Whether a setting is surely not as it should be."""
    if setting.state is State.ABSENT:
        return bool(data["unset"] == "bad")
    if setting.state is not State.SET or setting.value is None or data.get("decided"):
        return False
    if data["want"] == "true":
        return setting.is_true is False
    if data["want"] == "any":
        return setting.value.kind is ValueKind.NULL
    if data["want"] == "True":
        return setting.is_literally(ValueKind.BOOL, "true") is False
    return setting.is_literally(ValueKind.STRING, data["want"].strip("'")) is False


def _invalid(setting: Setting, data: Mapping[str, Any]) -> str | None:
    """A value that means nothing to browsers."""
    if "values" not in data or setting.value is None or setting.value.kind is not ValueKind.STRING:
        return None
    unknown = [each for part in setting.value.text.split(",") if (each := part.strip()) not in data["values"]]
    return unknown[0] if unknown else None


def _session_check(settings: Settings, name: str) -> str:
    by_app, by_middleware, by_both = _SESSION_CHECKS[name]
    app = settings.has("INSTALLED_APPS", _SESSIONS)
    middleware = settings.has("MIDDLEWARE", _SESSION_MIDDLEWARE)
    if settings.has_other("MIDDLEWARE", _SESSION_MIDDLEWARE):
        return ""
    if app and middleware:
        return by_both
    return by_app if app and middleware is False else by_middleware if middleware and app is False else ""


def _redirected(settings: Settings, name: str) -> bool:
    """Whether a proxy sends clients to HTTPS, or may."""
    if name != "SECURE_SSL_REDIRECT":
        return False
    if any(front.proxy.kind in _REDIRECTING for front in fronts_of(settings.program, settings.file)):
        return True
    return any(
        any(argument.startswith("https:") for argument in directive.args or ())
        for server in proxies_in(settings.program).nginx.servers()
        for block in server.below()
        for directive in (*block.own("return"), *block.own("rewrite"))
    )


# ---------------------------------------------------------------------------------------------------------------- keys


def _keys(rule: Rule, settings: Settings) -> Iterator[Finding]:
    known = rule.data["keys"]
    key = settings.get(_KEY)
    if key.value is not None and key.value.kind is ValueKind.STRING and (what := _weak(key.value.text, known)):
        say = f"{what}: whoever guesses or reads it can forge sessions and password links"
        yield _finding(rule, settings, _KEY, key, say, {"fix": f'os.environ["{_KEY}"]'}, "W009")
    fallbacks = settings.get(f"{_KEY}_FALLBACKS")
    if fallbacks.value is None or fallbacks.file is None or fallbacks.value.kind is not ValueKind.ARRAY:
        return
    for item in fallbacks.value.items:
        value = fallbacks.file.facts.values[item]
        if value.kind is ValueKind.STRING and (what := _weak(value.text, known)):
            say = f"has one that {what}: what is signed with it can be forged"
            data = {"fixless": "who still needs that key is not known here"}
            yield _finding(rule, settings, f"{_KEY}_FALLBACKS", fallbacks, say, data, "W025")


def _weak(key: str, known: Mapping[str, Any]) -> str:
    if key.startswith(known["prefix"]):
        return "is the one that `startproject` wrote for development"
    if len(key) < known["length"]:
        return f"has less than {known['length']} characters"
    return f"has less than {known['different']} different characters" if len(set(key)) < known["different"] else ""


# ----------------------------------------------------------------------------------------------------------------- fix


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The setting as it should be, in the module for production; middleware put where it belongs."""
    from prodlint.fixes import python

    data = finding.data
    place, name = Location(*data["place"]), data["name"]
    source, span = program.read(place.path), Span(*place[1:])
    for path, middleware in rule.data["middleware"].items():
        if path.rpartition(".")[2] == name:
            at = _position(program, place, middleware.get("behind", ()))
            edits = python.insert_item(place.path, source, span, path, at) if at is not None else None
            lines = [f"{other} = {rule.data['settings'][other]['fix']}" for other in data["with"]]
            more = python.insert_statement_after(place.path, source, span, "\n".join(lines)) if lines else ()
            return Fix(f"Add {name}", Applicability.UNSAFE, (*edits, *more)) if edits and more is not None else ODD_FORM
    request = (ImportRequest(place.path, "os"),) if data["fix"].startswith("os.") else ()
    if data["is_set"]:
        edits = python.replace_assigned(place.path, source, span, data["fix"])
    else:
        edits = python.insert_statement_after(place.path, source, span, f"{name} = {data['fix']}")
    return Fix(f"Set `{name}`", Applicability.UNSAFE, edits, request) if edits else ODD_FORM


def _position(program: Program, place: Location, behind: list[str]) -> int | None:
    """Where in the list at a place middleware goes: behind some others (`*` for all)."""
    file = program.by_path[place.path]
    binding = next((each for each in file.facts.bindings if each.start == place.start), None)
    value = program.value(file, binding.values[0]) if binding is not None and binding.name == "MIDDLEWARE" else None
    if value is None or value.kind is not ValueKind.ARRAY:
        return None
    names = [program.value(file, item).text for item in value.items]
    return max((at + 1 for at, name in enumerate(names) if name in behind or "*" in behind), default=0)
