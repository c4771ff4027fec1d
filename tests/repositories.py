"""Git repositories of tests."""

import subprocess
from pathlib import Path

_AUTHOR = ("-c", "user.name=author", "-c", "user.email=author@example.com")


def commit(folder: Path) -> str:
    """Commit all that is in a folder, which becomes a repository if it is none; the commit."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, *_AUTHOR, "commit", "--quiet", "--allow-empty", "--message=change")
    return git(folder, "rev-parse", "HEAD")


def git(folder: Path, *words: str) -> str:
    """Run git in a folder; what it printed."""
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
