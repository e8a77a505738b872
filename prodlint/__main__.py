"""`python -m prodlint`."""

from prodlint.cli import main

if __name__ == "__main__":
    main()
