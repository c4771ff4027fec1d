"""Virtual environments of the contestants, and the one that the serve image would have."""

import logging
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements"
_DONE = ".requirements"
_ON_TOP_OF_OURS = {"litserve.txt"}
"""Requirements that agree with the bench's own environment: its packages are seen from theirs."""


def interpreter(requirements: str, work: Path) -> Path:
    """The Python of a contestant's environment, which is made if it is not there.

    Args:
        requirements: A file of `requirements/`; empty for the bench's own environment.
        work: Folder for environments.
    """
    if not requirements:
        return Path(sys.executable)
    file = REQUIREMENTS / requirements
    folder, wanted = work / f"venv-{file.stem}", file.read_text(encoding="utf-8")
    if requirements not in _ON_TOP_OF_OURS:
        return _environment(folder, wanted, ["--requirement", str(file)])
    python = _environment(folder, wanted, ["--no-deps", "--requirement", str(file)])
    ours = sysconfig.get_path("purelib")
    theirs = folder / Path(ours).relative_to(sys.prefix)
    (theirs / "ours.pth").write_text(ours + "\n", encoding="utf-8")
    return python


def serve_megabytes(work: Path) -> float:
    """Size of a fresh environment with what the predictor needs and nothing else."""
    wanted = "".join(Path(name).read_text() for name in ("pyproject.toml", "constraints.txt"))
    arguments = [".[serve]", "--constraint", "constraints.txt"]
    python = _environment(work / "venv-serve", wanted, arguments)
    return megabytes(python.parents[1])


def megabytes(folder: Path) -> float:
    """Sum of the sizes of all files in a folder, in MB."""
    files = (each for each in folder.rglob("*") if each.is_file() and not each.is_symlink())
    return sum(each.stat().st_size for each in files) / 1e6


def _environment(folder: Path, wanted: str, arguments: list[str]) -> Path:
    python = (folder / "bin" / "python").absolute()
    done = folder / _DONE
    if done.is_file() and done.read_text(encoding="utf-8") == wanted:
        return python
    logging.info("making %s", folder)
    venv.create(folder, clear=True, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "-qq", *arguments], check=True)
    done.write_text(wanted, encoding="utf-8")
    return python
