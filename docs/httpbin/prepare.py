"""Makes httpbin's own environment in `.venv`, beside this file; a suite's `prepare` runs it.

What is pinned in requirements.txt is installed there, verified by its hashes, and nothing of streamgauge. An
environment that was made from the same file by the same Python stays as it is.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ENVIRONMENT = FOLDER / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
REQUIREMENTS = FOLDER / "requirements.txt"


def main() -> None:
    """Make it, unless it is there."""
    if sys.version_info < (3, 11):  # noqa: UP036  - whichever Python is found runs this
        sys.exit(
            f"httpbin is pinned for Python 3.11 and newer, and {sys.executable} is {sys.version.split()[0]}"
        )
    stamp = ENVIRONMENT / "made-from"
    wanted = f"{sys.version}\n{ENVIRONMENT}\n{REQUIREMENTS.read_text('utf-8')}"
    if stamp.is_file() and stamp.read_text("utf-8") == wanted:
        return
    # an installation elsewhere, or what PYTHONPATH names, is none of it
    variables = {
        name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}
    }
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], env=variables, check=True)
        subprocess.run([str(PYTHON), *install, "-r", str(REQUIREMENTS)], env=variables, check=True)
    except subprocess.CalledProcessError as error:
        sys.exit(f"httpbin's environment could not be made: {shlex.join(error.cmd)} failed")
    stamp.write_text(wanted, "utf-8")


if __name__ == "__main__":
    main()
