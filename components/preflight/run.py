"""The preflight step: every reason why the run would fail later, found in seconds."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from components.artifacts.registry import generation_of
from components.errors import InputError, listed
from components.generate.focus import REGISTRY
from components.preflight.checks import Finding, run_checks
from components.preflight.plan import checks_of
from components.preflight.settings import Place

_SECONDS = 30.0
_log = logging.getLogger(__name__)


def preflight(place: Place, **parameters: Any) -> str:
    """Refuse a run that would fail.

    Args:
        place: Where the run happens.
        parameters: A value for every parameter of the pipeline.

    Returns:
        The generation of the champion in `deploy_registry`; `none` without a registry.

    Raises:
        InputError: If anything is wrong; it lists all problems.
    """
    findings = run_checks(checks_of(place, parameters), _SECONDS)
    for finding in findings:
        if finding.unchecked:
            _log.info("preflight: not checked: %s: %s", finding.what, finding.unchecked)
    if problems := _problems(findings):
        for number, problem in enumerate(problems, start=1):
            _log.error("preflight: %s. %s", number, problem)
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        fix = "Fix them and start the run again"
        raise InputError(f"preflight found {count}", listed(problems), fix)
    good = dict.fromkeys(finding.what for finding in findings if not finding.unchecked)
    _log.info("preflight: in order: %s", ", ".join(good))
    return generation_of(parameters.get("deploy_registry", ""))


def branches_of(
    models: Sequence[str], shards: int, options: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """What each branch of generate must know, since a loop's items cannot read other parameters.

    Where generate aims at a registry's champion, an item holds the generation of that too, so that
    KFP's cache sees that it has moved.

    Args:
        models: The LLMs.
        shards: Branches of each LLM.
        options: The parameter `generate_options`.
    """
    focus = str(options.get("focus", ""))
    registry = focus.removeprefix(REGISTRY)
    aimed_at = {"aimed_at": generation_of(registry)} if registry != focus else {}
    known = {"generate_models": list(models), "generate_shards": shards, **aimed_at}
    return [
        {"generate_model": each, "generate_shard": number, **known}
        for each in models
        for number in range(shards)
    ]


def _problems(findings: list[Finding]) -> list[str]:
    """Each problem once: several checks may rest on the same setting."""
    return list(dict.fromkeys(finding.problem for finding in findings if finding.problem))
