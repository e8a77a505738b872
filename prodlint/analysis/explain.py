"""Who gets to a line of code, as prodlint sees it: what the findings about that line rest on."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator

from prodlint.analysis.session import Session
from prodlint.findings import Location
from prodlint.program.linking.traces import trace_to
from prodlint.program.services import services_in


def explain(session: Session, path: str, line: int) -> Iterator[str]:
    """The function that the line stands in, and one shortest way to it for each context that it can run in.

    `path` is relative to the project root. Raises `LookupError` with a sentence if there is nothing to say.
    """
    program = session.program
    if path not in session.facts:
        raise LookupError(f"{path} is not among the files that were analysed")
    data, starts = session.read(path), session.facts[path].line_starts
    last = bisect_right(starts, len(data) - 1)
    if not 1 <= line <= last:
        raise LookupError(f"{path} has {last} line{'s' * (last != 1)}")
    file = program.by_path.get(path)
    if file is None:
        yield from _deployed(session, path, line)
        return
    offset = starts[line - 1] + _indentation(data[starts[line - 1] :])
    inside = [region for region in file.facts.regions if region.start <= offset < max(region.end, region.start + 1)]
    innermost = max(inside, key=lambda region: (region.start, -region.end), default=file.facts.regions[0])
    function = file.fn_base + innermost.function
    yield f"{path}:{line} is in {program.name(function)}"
    contexts = program.contexts.of(function)
    if not contexts:
        yield "Nothing that prodlint knows of gets there."
    for context, reach in contexts.items():
        doubt = "" if reach.certain else ", as far as names tell"
        yield f"  {context.name.lower().replace('_', '-')}{doubt}"
        for step in trace_to(program, (function, context), ""):
            yield f"    {_place(session, step.location)}  {step.message}"


def _deployed(session: Session, path: str, line: int) -> Iterator[str]:
    """What a line of a deployment file is part of: the artefact, and the services that it helps to start."""
    starts = session.facts[path].line_starts
    artefacts = [each for each in session.facts[path].artefacts if bisect_right(starts, each.anchor) <= line]
    nearest = artefacts[-1].name if artefacts else ""
    services = [
        (service, layer.source.name)
        for service in services_in(session.program)
        for variant in service.variants
        for layer in variant.layers
        if layer.source.path == path
    ]
    own = [(service, name) for service, name in services if name == nearest] or services
    part = f"build stage {nearest}" if nearest.isdigit() else nearest or "no part of the file that has a name"
    yield f"{path}:{line} is in {part}"
    if not own:
        yield "No service that prodlint found is started or built by it."
    for service_id, entry in dict.fromkeys((service.id, service.entry) for service, _ in own):
        yield f"  service {service_id}" + (f", which starts {entry}" if entry else "")


def _indentation(text: bytes) -> int:
    return len(text) - len(text.lstrip(b" \t"))


def _place(session: Session, location: Location) -> str:
    shown = os.path.relpath(session.project.root / location.path)
    return f"{shown}:{bisect_right(session.facts[location.path].line_starts, location.start)}"
