"""Runs the unit tests of the alert rules: `python -m tests.manifests.run_promtool [PROMTOOL]`.

promtool comes with Prometheus (Debian: package prometheus) and with no Python package, so these
tests are not part of `make test`.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from tests.manifests.rendering import of_kind, overlay

TESTS = Path(__file__).with_name("alerts.yaml")


def main() -> None:
    """Exit with promtool's status."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else "promtool"
    if (promtool := shutil.which(wanted)) is None:
        sys.exit(f"{wanted}: is not on the path; install Prometheus, or name promtool's place")
    with TemporaryDirectory() as folder:
        (rules,) = of_kind(overlay("gke"), "PrometheusRule")
        Path(folder, "rules.yaml").write_text(yaml.safe_dump(rules["spec"]), encoding="utf-8")
        tests = shutil.copy(TESTS, folder)
        command = [promtool, "test", "rules", tests]
        sys.exit(subprocess.run(command, timeout=300, check=False).returncode)


if __name__ == "__main__":
    main()
