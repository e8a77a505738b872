"""What prodlint understood of a project's deployment, as a tree that a person can check, or as JSON."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from prodlint.models.frameworks.packages import WRITTEN_WITH
from prodlint.program.proxies import proxies_in
from prodlint.program.services import services_in
from prodlint.program.services.setting_values import ABSENT, SettingValue, Source, State
from prodlint.program.services.supervision import SUPERVISORS, after_crash, ends_by_itself
from prodlint.program.services.variants import programs
from prodlint.program.web.django_settings import production_settings

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Processes, Service, Variant

_ENVIRONMENT = {"node": ("NODE_ENV",), "django": ("DJANGO_SETTINGS_MODULE",), "python": ("FLASK_DEBUG",)}
"""The variables that say development or production, by language or framework; the first is shown even if nothing sets
it, except for Python without Django."""
_KEYS = {"restart": "restart", "restart_policy": "restart policy", "user": "user", "healthcheck": "health check"}
_OPTIONAL = {
    "init": "init", "stop_signal": "stop signal", "stop_grace_period": "time to stop", "limit.nofile": "open files",
}  # fmt: skip


class _Line(NamedTuple):
    """One line of the tree: what is asked, and what the answer is."""

    key: str
    answer: SettingValue


def render(program: Program) -> Iterator[str]:
    """Lines: each service with its entry file, and under it every way in which it is deployed."""
    places = _Places(program)
    for service in services_in(program):
        yield f"{service.name} ({service.language})"
        yield f"  starts {service.entry or 'nothing that is in this project'}"
        name, version = _framework(program, service)
        if name:
            yield f"  written with {name} {version}".rstrip()
        for source in service.platforms:
            yield f"  handed to {source.name} by {source.path}"
        for front in proxies_in(program).in_front_of(service):
            proxy = front.proxy
            what = f"compression {proxy.compression.value}, cache {_known(proxy.caches)}"
            sure = "" if front.is_certain else ", as the only one"
            yield f"  behind {proxy.name} in {proxy.location.path}{sure}: {what}"
        world = _world(program, service, name)
        for variant in service.variants:
            yield from _variant(places, variant, world)


class _World(NamedTuple):
    """Which variables matter to a service, and what holds where nothing sets them."""

    key: str
    """A key of `_ENVIRONMENT`."""
    default: SettingValue = ABSENT
    """The settings that Django takes then, as `wsgi.py` says."""


def _world(program: Program, service: Service, framework: str) -> _World:
    """Where nothing says what a service is written with, what Django is started by does."""
    if service.language != "python" or framework not in ("", "django"):
        return _World(service.language)
    if framework != "django" and not service.entry.endswith(("wsgi.py", "asgi.py", "manage.py")):
        return _World("python")
    for settings in production_settings(program):
        if settings.service is service and settings.by.path in program.by_path:
            by = Source("source", "", settings.by)
            return _World("django", SettingValue(State.SET, f"{settings.file.path} by default", by))
    return _World("django")


def _variant(places: _Places, variant: Variant, world: _World) -> Iterator[str]:
    purpose = "for development" if variant.dev_score >= 1 else "for production"
    chain = " -> ".join(_named(layer.source) for layer in variant.layers)
    yield f"  {purpose}: {chain}"
    if variant.dev_score >= 1:
        yield f"    because {', '.join(reason for reason, weight in variant.dev.items() if weight > 0)}"
    for layer in variant.fronts:
        yield f"    behind {_named(layer.source)}"
    for line in _answers(variant, world):
        yield f"    {line.key}: {_said(places, line.answer)}"
    processes = variant.processes
    count = processes.text if processes.state.value != "unknown" else "unknown"
    why = f" ({processes.reason})" if processes.state.value == "unknown" and processes.reason else ""
    by = f", by {places.of(processes.by)}" if processes.by is not None else ""
    yield f"    processes: {count}{why}{by}"


def _answers(variant: Variant, world: _World) -> Iterator[_Line]:
    for name in _ENVIRONMENT[world.key]:
        answer = variant.setting(f"env.{name}")
        if world.key != "python" or answer.state is State.SET:
            yield _Line(name, world.default if answer.state is State.ABSENT else answer)
    for key, label in (*_KEYS.items(), *_OPTIONAL.items()):
        answer = _restart(variant) if key == "restart" else variant.setting(key)
        if answer.state is not State.ABSENT or key in ("restart", "user", "healthcheck"):
            if answer.state is State.UNKNOWN and variant.opaque and key not in ("restart", "user", "healthcheck"):
                continue
            yield _Line(label, answer)


def _restart(variant: Variant) -> SettingValue:
    """What starts it again after a crash: what it says itself, else what runs it does by default."""
    answer = variant.setting("restart")
    if answer.state is not State.ABSENT or variant.setting("restart_policy").state is not State.ABSENT:
        return answer
    by_default = after_crash(variant)
    by = next((layer.source for layer in variant.layers if layer.source.format.lists_processes), variant.outer)
    if ends_by_itself(variant):
        return SettingValue(State.SET, "not meant to, it ends by itself", variant.outer)
    if by_default is State.SET:
        managers = SUPERVISORS & set(programs(variant))
        return SettingValue(State.SET, f"by {min(managers)}" if managers else "by default", by)
    if by_default is State.UNKNOWN:
        who = variant.format.decides or "the platform"
        return SettingValue(State.UNKNOWN, by=variant.outer, reason=f"{who} decides")
    return answer


def _said(places: _Places, answer: SettingValue) -> str:
    if answer.state is State.ABSENT:
        return "absent"
    said = "unknown" if answer.state is State.UNKNOWN else " ".join(answer.value.split()) or "set"
    why = f" ({answer.reason})" if answer.state is State.UNKNOWN and answer.reason else ""
    by = f", by {places.of(answer.by)}" if answer.by is not None else ""
    return f"{said}{why}{by}"


def _known(value: bool | None) -> str:
    return "unknown" if value is None else "yes" if value else "no"


def _named(source: Source) -> str:
    return f"{source.path} [{source.name}]" if source.name else source.path


def _framework(program: Program, service: Service) -> tuple[str, str]:
    suffix = "x.py" if service.language == "python" else "x.js"
    path = service.entry or (f"{service.package}/{suffix}" if service.package else suffix)
    for name in WRITTEN_WITH[service.language]:
        version = program.versions.required(path, name)
        if version is not None:
            return name, version
    return "", ""


class _Places:
    """Sources with their lines."""

    def __init__(self, program: Program) -> None:
        self._facts = program.facts

    def line(self, source: Source) -> int:
        """The line that a source is at, from 1; 0 where that is not known."""
        facts = self._facts.get(source.path)
        return bisect_right(facts.line_starts, source.location.start) if facts is not None else 0

    def of(self, source: Source) -> str:
        """A source with its line, as it is shown."""
        line = self.line(source)
        place = f"{source.path}:{line}" if line else source.path
        return f"{place} [{source.name}]" if source.name else place


# --- JSON -------------------------------------------------------------------------------------------------------------


def as_json(program: Program) -> list[dict[str, Any]]:
    """The same as data, with every setting of every artefact."""
    places = _Places(program)
    return [_service_data(program, places, service) for service in services_in(program)]


def _service_data(program: Program, places: _Places, service: Service) -> dict[str, Any]:
    name, version = _framework(program, service)
    world = _world(program, service, name)
    return {
        "id": service.id,
        "name": service.name,
        "language": service.language,
        "entry": service.entry,
        "package": service.package,
        "framework": {"name": name, "version": version} if name else None,
        "platforms": [_source_data(places, source) for source in service.platforms],
        "proxies": [
            {
                "kind": front.proxy.kind,
                "name": front.proxy.name,
                "path": front.proxy.location.path,
                "compression": front.proxy.compression.value,
                "cache": front.proxy.caches,
                "certain": front.is_certain,
            }
            for front in proxies_in(program).in_front_of(service)
        ],
        "processes": _processes_data(places, service.processes),
        "variants": [_variant_data(places, variant, world) for variant in service.variants],
    }


def _variant_data(places: _Places, variant: Variant, world: _World) -> dict[str, Any]:
    env = {name: _answer_data(places, variant.launch.env.get(name)) for name in sorted(variant.launch.env.known)}
    return {
        "kind": variant.kind,
        "development": variant.dev_score >= 1,
        "evidence": dict(variant.dev),
        "starts": variant.launch.target,
        "artefacts": [
            {**_source_data(places, layer.source), "settings": _settings_data(layer.every)} for layer in variant.layers
        ],
        "in-front": [_source_data(places, layer.source) for layer in variant.fronts],
        "environment": env,
        "answers": {line.key: _answer_data(places, line.answer) for line in _answers(variant, world)},
        "processes": _processes_data(places, variant.processes),
        "unknown": variant.opaque,
    }


def _settings_data(settings: Sequence[Any]) -> list[dict[str, Any]]:
    left_out = ("run.", "copy", "arg.")
    return [
        {"key": setting.key, "value": setting.value} for setting in settings if not setting.key.startswith(left_out)
    ]


def _source_data(places: _Places, source: Source) -> dict[str, Any]:
    return {"path": source.path, "line": places.line(source), "kind": source.kind, "name": source.name}


def _answer_data(places: _Places, answer: SettingValue) -> dict[str, Any]:
    return {
        "state": answer.state.value,
        "value": answer.value if answer.state is State.SET else None,
        "reason": answer.reason,
        "by": _source_data(places, answer.by) if answer.by is not None else None,
    }


def _processes_data(places: _Places, processes: Processes) -> dict[str, Any]:
    return {
        "state": processes.state.value,
        "count": processes.text,
        "reason": processes.reason,
        "by": _source_data(places, processes.by) if processes.by is not None else None,
    }
