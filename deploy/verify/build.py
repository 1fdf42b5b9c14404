"""Builds the wheel ``hallmark-verify`` from the project's own modules: ``python -m deploy.verify.build OUT``.

The modules are copied below one package, and their imports of each other say so; there is no second copy of the code to
keep alike. ``tests/deploy/test_verify_wheel.py`` uses the wheel where nothing else is installed.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "hallmark_verify"
MODULES = (
    "resources/clock.py",
    "resources/digests.py",
    "resources/errors.py",
    "resources/passkey.py",
    "resources/signer.py",
    "assets/release/loader.py",
    "assets/release/pointer.py",
    "assets/release/safety.py",
    "assets/release/signed.py",
    "assets/release/tree.py",
    "assets/served/approval/grants.py",
)
_IMPORT = re.compile(r"^(\s*from )(resources|assets)\.", re.MULTILINE)


def assemble(folder: Path) -> Path:
    """Write the package and its pyproject into ``folder``."""
    package = folder / PACKAGE
    for name in MODULES:
        target = package / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_renamed((ROOT / name).read_text(encoding="utf-8")), encoding="utf-8")
    for parent in {(package / name).parent for name in MODULES} | {package / "assets"}:
        (parent / "__init__.py").touch()
    for name in ("__init__.py", "__main__.py"):
        source = (ROOT / "deploy" / "verify" / name).read_text(encoding="utf-8")
        (package / name).write_text(_renamed(source), encoding="utf-8")
    shutil.copy(ROOT / "deploy" / "verify" / "pyproject.toml", folder)
    return package


def build(out: Path) -> Path:
    """Build the wheel into ``out`` with the installed setuptools; its path."""
    with tempfile.TemporaryDirectory() as staging:
        assemble(Path(staging))
        options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check"]
        subprocess.run(
            [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", str(out), staging], check=True
        )  # fmt: skip
    return max(out.glob(f"{PACKAGE}-*.whl"), key=lambda path: path.stat().st_mtime)


def _renamed(source: str) -> str:
    return _IMPORT.sub(rf"\g<1>{PACKAGE}.\g<2>.", source)


if __name__ == "__main__":
    print(build(Path(sys.argv[1])))
