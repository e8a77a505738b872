"""The formats in which projects say how their services are run: one record each, with what sets it apart from others.

Whoever treats one format otherwise than another asks its record and not its name. What a file of a format says is read
in `prodlint.extract.deployment`, what it starts is worked out in `prodlint.program.services`, and how it is edited is
in `prodlint.fixes`, one module a format.
"""

from __future__ import annotations

from enum import Enum

import msgspec


class Host(Enum):
    """What starts the services of a format, and where they run then."""

    MACHINE = "machine"
    """What runs on a machine from its start on: init, a supervisor."""
    MANAGER = "manager"
    """A process manager, once somebody started that."""
    DOCKER = "docker"
    """Docker, in a container."""
    POD = "pod"
    """Kubernetes, in a container."""
    PLATFORM = "platform"
    """A platform that the project is handed to."""
    SOMEBODY = "somebody"
    """Whoever types the command."""


class Restarts(msgspec.Struct, frozen=True):
    """When a service is started again after a crash, by what its artefact says under `keys`."""

    by: str = ""
    """Who starts it again, as a message calls it; "" for nobody."""
    by_default: bool = False
    """Whether it is started again where nothing is said."""
    keys: tuple[str, ...] = ("restart",)
    when: frozenset[str] = frozenset()
    """Values with which it is started again; empty for all but `unless`."""
    unless: frozenset[str] = frozenset()
    """Values with which it is not."""
    workloads: tuple[str, ...] = ()
    """The types of artefacts that decide it; others start again whatever they say. Empty for all."""
    fault: str = ""
    """What is wrong with an artefact that leaves it stopped."""
    remedy: str = ""
    obstacle: str = ""
    """Why that cannot be done for the user; "" if it can."""


_NO_SCRIPT_RESTARTS = "a script cannot restart what it runs"
_SUPERVISE = "Run it under systemd, in a container with a restart policy, or with pm2"
_OFF = "`autorestart` is false"
_WHY_OFF = "why it is switched off is not known here"

SWARM = Restarts(
    "Swarm", True, keys=("restart_policy",), unless=frozenset({"none"}),
    fault="its `restart_policy` says so", remedy="Take it away", obstacle=_WHY_OFF,
)  # fmt: skip
"""What holds for a stack in place of what holds for compose: Swarm restarts what ends unless it is told not to, and
does not read `restart`."""


class Format(msgspec.Struct, frozen=True):
    """What prodlint knows of one format."""

    kind: str
    """Of its files, as `prodlint.extract.deployment.classify` gives it."""
    host: Host | None = None
    """None for what starts nothing by itself."""
    part: str = ""
    """What an artefact of a file is called, where a file may have several: "service"."""
    is_shown_by_part: bool = False
    """Whether a message names the artefact rather than the file."""
    restarts: Restarts | None = None
    """None where whoever takes the service decides."""
    decides: str = ""
    """Who that is."""
    copies: str = ""
    """Why it is not known how often a service runs; "" where it runs once if nothing else is said."""
    is_waited_for: bool = True
    """Whether the command is expected to stay in the foreground."""
    background_types: tuple[str, ...] = ()
    """Types of artefacts whose command may go to the background and end."""
    when_it_returns: str = "the container ends at once"
    """What comes of it if the command goes to the background all the same."""
    own_user: str = ""
    """How a service is given a user of its own; "" where its image says which it has."""
    names_services: bool = False
    """Whether its artefacts are called as the services are."""
    names_jobs: bool = False
    """Whether an artefact's name tells that it is meant to end (`migrate`)."""
    says_all: bool = False
    """Whether an artefact says all of how its service is started, the environment too."""
    platform: str = ""
    """The platform whose files these are, and that sets what it sets for all its services."""
    is_image: bool = False
    """Whether a file describes an image, and another may say how that is run."""
    is_package_script: bool = False
    """Whether artefacts are scripts of a package: developers run them too, and what deploys it may not be here."""
    is_console: bool = False
    """Whether more is set at a console, where nobody sees it."""
    is_shell: bool = False
    """Whether the text is a shell's."""
    lists_processes: bool = False
    """Whether a file lists processes for a program that is called as the format is, and that reads it."""
    default_file: str = ""
    """The file that this program reads where it is told none."""
    is_found_anywhere: bool = False
    """Whether the only such file of a project is the one that is meant, wherever it lies."""
    multiplies: bool = False
    """Whether it is there to start a service several times."""


FORMATS = (
    Format(
        "systemd",
        Host.MACHINE,
        # `Restart=`: the others cover single signals or clean exits only.
        restarts=Restarts(
            "systemd",
            when=frozenset({"always", "on-failure", "on-abnormal"}),
            fault="its unit has no `Restart=`",
            remedy="Add `Restart=on-failure`",
        ),
        background_types=("forking", "oneshot"),
        when_it_returns="systemd takes the service for ended, and stops what is left of it",
        own_user="Give it `User=` with an account of its own, or `DynamicUser=yes`.",
        names_services=True,
        names_jobs=True,
        says_all=True,
    ),
    Format(
        "upstart",
        Host.MACHINE,
        restarts=Restarts("Upstart", fault="its job has no `respawn`", remedy="Add it"),
        background_types=("fork", "daemon", "stop", "task"),
        when_it_returns="Upstart takes the job for ended",
        own_user="Give it `setuid` with an account of its own.",
        names_services=True,
        names_jobs=True,
        says_all=True,
    ),
    Format(
        "supervisord",
        Host.MACHINE,
        restarts=Restarts("supervisord", True, unless=frozenset({"false"}), fault=_OFF, remedy="Take it away"),
        when_it_returns="supervisord takes the program for ended, and starts another one",
        own_user="Give its program `user=` with an account of its own.",
        names_services=True,
        says_all=True,
        lists_processes=True,
        default_file="/etc/supervisor/conf.d/supervisord.conf",
        is_found_anywhere=True,
    ),
    Format(
        "kubernetes",
        Host.POD,
        restarts=Restarts(
            "Kubernetes",
            True,
            unless=frozenset({"never"}),
            workloads=("pod",),
            fault="its pod says `restartPolicy: Never`",
            remedy="Run it in a Deployment",
            obstacle="a pod has to become a Deployment",
        ),
    ),
    Format(
        "compose",
        Host.DOCKER,
        "service",
        is_shown_by_part=True,
        restarts=Restarts(
            "Docker",
            keys=("restart", "restart_policy"),
            unless=frozenset({"no", "none", "false"}),
            fault="it has no `restart`",
            remedy="Add `restart: unless-stopped`",
        ),
        names_services=True,
        names_jobs=True,
        says_all=True,
    ),
    Format(
        "pm2",
        Host.MANAGER,
        restarts=Restarts(
            "PM2", True, unless=frozenset({"false"}), fault=_OFF, remedy="Take it away", obstacle=_WHY_OFF
        ),
        is_waited_for=False,
        names_services=True,
        says_all=True,
        lists_processes=True,
        default_file="ecosystem.config.js",
        multiplies=True,
    ),
    Format(
        "forever",
        Host.MANAGER,
        restarts=Restarts("forever", True, unless=frozenset({"false"})),
        is_waited_for=False,
        names_services=True,
        lists_processes=True,
    ),
    Format(
        "dockerfile",
        Host.DOCKER,
        "stage",
        decides="whoever runs the image",
        copies="whoever runs the image decides how often",
        is_image=True,
    ),
    # What a Procfile describes is deployed by Heroku's buildpacks or the like.
    Format(
        "procfile",
        Host.PLATFORM,
        "process",
        is_shown_by_part=True,
        decides="the platform",
        copies="the platform decides how often it runs",
        when_it_returns="the platform takes the process for ended",
        platform="heroku",
    ),
    Format(
        "shell",
        Host.SOMEBODY,
        restarts=Restarts(
            keys=(), fault="this script leaves it in the background", remedy=_SUPERVISE, obstacle=_NO_SCRIPT_RESTARTS
        ),
        is_waited_for=False,
        is_shell=True,
    ),
    Format(
        "package_json",
        Host.SOMEBODY,
        "script",
        is_shown_by_part=True,
        restarts=Restarts(
            keys=(), fault="nothing but this script runs it", remedy=_SUPERVISE, obstacle=_NO_SCRIPT_RESTARTS
        ),
        copies="nothing says how it is deployed",
        is_waited_for=False,
        is_package_script=True,
    ),
)
"""Those of the files that start services: what a reader would look at first, and where a setting is best added, comes
first."""

_OTHERS = (
    Format("heredoc", is_waited_for=False, is_shell=True),
    Format(
        "platform",
        Host.PLATFORM,
        decides="the platform",
        copies="the platform decides how often it runs",
        is_waited_for=False,
        is_console=True,
    ),
)
"""A script that a Dockerfile writes; the settings of a platform, which say little of what it runs."""

_BY_KIND = {each.kind: each for each in (*FORMATS, *_OTHERS)}
KINDS = frozenset(_BY_KIND)
"""Those that have a record."""
_RANKS = {each.kind: number for number, each in enumerate(FORMATS)}


def format_of(kind: str) -> Format:
    """The record of a kind of file; one that says nothing for files that say nothing of how services are run."""
    return _BY_KIND.get(kind) or Format(kind, decides="the platform", is_waited_for=False)


def rank(kind: str) -> int:
    """The place of a kind among those that say how a service is run: what has the last word comes first."""
    return _RANKS.get(kind, len(FORMATS))
