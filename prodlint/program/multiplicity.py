"""In how many processes a source file runs: what its services say, code and deployment together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prodlint.findings import Step
from prodlint.program.launches import Source
from prodlint.program.services.processes import Count, Processes, together

if TYPE_CHECKING:
    from prodlint.program import Program
    from prodlint.program.resolve import File


def processes_of(program: Program, file: File) -> Processes:
    """In how many processes a file runs. Of a file of several services it is known only if all say the same."""
    found = [service.processes for service in program.services_of(file.path)]
    if not found:
        found = [
            Processes(Count.MANY, count, Source.of_file("source", path))
            for path, count in program.forks()
            if program.versions.package_folder(path) == program.versions.package_folder(file.path)
        ]
    if len({processes.state for processes in found}) > 1:
        return together(processes for processes in found if processes.state is not Count.MANY)
    return together(found)


def copies_of(program: Program, file: File) -> Processes:
    """How often a file's service is deployed, next to each other and perhaps on several machines."""
    services = program.services_of(file.path)
    return together(variant.copies for service in services for variant in service.production)


def said_by(processes: Processes) -> tuple[Step, ...]:
    """What says how many processes there are, for a reader."""
    if processes.by is None:
        return ()
    number = f": {processes.text}" if processes.text not in ("", "several") else ""
    return (Step(processes.by.location, f"this starts several processes{number}"),)
