"""The entry point, also of `python -m prodlint`."""

import os
import signal
import sys


def main() -> None:
    """Runs the command line. Until its modules are there, Ctrl-C just ends the process."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from prodlint.cli import main as run

    run()


if __name__ == "__main__":
    # Python puts the working directory first, where what is linted would stand in for modules of the same name.
    if sys.path[:1] == [os.getcwd()]:  # noqa: PTH109 - pathlib costs start-up time
        del sys.path[0]
    main()
