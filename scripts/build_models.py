"""Makes the models of Python packages anew: `prodlint/models/python/`, from the releases in `modelled_packages.txt`.

The wheels are downloaded with pip, without what they depend on, and read; nothing of them is installed or run. A
package that builds on others of the list stands behind them. Run it once a week, read the difference, and commit it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from prodlint.analysis.package_models import build_model, packages_of_wheel  # noqa: E402
from prodlint.models.packages import MODELS, PackageModels  # noqa: E402

LIST = Path(__file__).with_name("modelled_packages.txt")


def releases() -> list[list[str]]:
    """The releases of the list, in groups: each builds on those before it only."""
    groups: list[list[str]] = [[]]
    for line in LIST.read_text().splitlines():
        if not line.strip():
            groups.append([])
        elif not line.startswith("#"):
            groups[-1].append(line.strip())
    return [group for group in groups if group]


def download(release: str, folder: Path) -> Path | None:
    """The wheel of a release such as `openai==1.99.0`; None if it cannot be had."""
    name = release.partition("==")[0]
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", str(folder)]
    found = _wheel(name, folder)
    if found is None:
        subprocess.run([*command, release], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = _wheel(name, folder)
    return found


def _wheel(name: str, folder: Path) -> Path | None:
    wanted = name.replace("-", "_").lower()
    return next((wheel for wheel in sorted(folder.glob("*.whl")) if wheel.name.split("-")[0].lower() == wanted), None)


def build(wheel: Path) -> list[tuple[str, str]]:
    """The models of a wheel's packages, each with the package's name."""
    title = " ".join(wheel.name.split("-")[:2])
    known = PackageModels()
    return [(name, build_model(name, title, files, known)) for name, files in packages_of_wheel(wheel)]


def main() -> int:
    """Build the models of the releases that are named, or of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only these distributions")
    parser.add_argument("--wheels", type=Path, help="keep the wheels here, and use those that are here")
    options = parser.parse_args()
    missing = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.wheels or Path(temporary)
        for group in releases():
            chosen = [each for each in group if not options.names or each.partition("==")[0] in options.names]
            wheels = {release: download(release, folder) for release in chosen}
            missing += [release for release, wheel in wheels.items() if wheel is None]
            with ProcessPoolExecutor(2) as pool:
                for models in pool.map(build, [wheel for wheel in wheels.values() if wheel is not None]):
                    for name, text in models:
                        path = MODELS / f"{name}.txt"
                        if text:
                            path.write_text(text, encoding="utf-8")
                        else:
                            path.unlink(missing_ok=True)
                        print(f"{name}: {len(text)} bytes")
    for release in missing:
        print(f"{release}: no wheel", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
