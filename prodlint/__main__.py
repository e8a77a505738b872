"""`python -m prodlint`."""

import os
import sys

if __name__ == "__main__":
    # Python puts the working directory first, where what is linted would stand in for modules of the same name.
    if sys.path[:1] == [os.getcwd()]:  # noqa: PTH109 - pathlib costs start-up time
        del sys.path[0]
    from prodlint.cli import main

    main()
