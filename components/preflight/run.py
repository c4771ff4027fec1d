"""The preflight step: all that would make the run fail later, found in seconds and told at once."""

import logging
from collections.abc import Mapping
from typing import Any

from components.errors import InputError
from components.preflight.checks import Finding, run_checks
from components.preflight.plan import checks_of
from components.preflight.settings import Place

_SECONDS = 30.0
_log = logging.getLogger(__name__)


def preflight(values: Mapping[str, Any], place: Place) -> None:
    """Refuse a run that could not end well.

    Args:
        values: A value for every parameter of the pipeline.
        place: Where the run takes place.

    Raises:
        InputError: If anything is wrong; it tells all problems.
    """
    findings = run_checks(checks_of(values, place), _SECONDS)
    for finding in findings:
        if finding.unchecked:
            _log.info("preflight: not checked: %s: %s", finding.what, finding.unchecked)
    if problems := _problems(findings):
        for number, problem in enumerate(problems, start=1):
            _log.error("preflight: %s. %s", number, problem)
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        listed = " ".join(f"({n}) {problem}" for n, problem in enumerate(problems, start=1))
        raise InputError(f"preflight found {count}", listed, "Mend them and start the run again")
    good = dict.fromkeys(finding.what for finding in findings if not finding.unchecked)
    _log.info("preflight: in order: %s", ", ".join(good))


def _problems(findings: list[Finding]) -> list[str]:
    """Each problem once: several checks may rest on the same setting."""
    return list(dict.fromkeys(finding.problem for finding in findings if finding.problem))
