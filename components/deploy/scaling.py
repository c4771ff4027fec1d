"""The number of a service's predictors: KServe's fields for it, in each deployment mode.

| metric | mode | what scales | target, for each predictor |
| --- | --- | --- | --- |
| `concurrency` | Knative | Knative's autoscaler | requests under way, of which it aims at 70 % |
| `rps` | Knative | the same | requests per second, of which it aims at 70 % |
| `cpu` | Standard | a HorizontalPodAutoscaler | percent of the CPU that it requests |
| `queue` | Standard | KEDA | texts that wait; beside it, `cpu` with its default |

docs/scaling.md measures the default targets.

Source: ComponentExtensionSpec, validateAutoScalingCompExtension (pkg/apis/serving/v1beta1) and
getKedaMetrics (reconcilers/keda) in kserve/kserve; https://knative.dev/docs/serving/autoscaling/
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.deploy.inference_service import AUTO, KNATIVE, STANDARD, Manifest
from components.errors import InputError, require_between, require_one_of

CPU, CONCURRENCY, QUEUE, RPS = "cpu", "concurrency", "queue", "rps"
HPA, KEDA = "hpa", "keda"
"""KServe's names of the autoscalers of Standard mode."""

_CLASS = "serving.kserve.io/autoscalerClass"
_MODES = {CONCURRENCY: KNATIVE, RPS: KNATIVE, CPU: STANDARD, QUEUE: STANDARD}
_DEFAULT_METRICS = {KNATIVE: CONCURRENCY, STANDARD: CPU}
_DEFAULT_TARGETS = {CONCURRENCY: 3, CPU: 100, QUEUE: 2}
_MOST_REPLICAS = 1000


@dataclass(frozen=True)
class Scaling:
    """A number of predictors, which is fixed or follows the load.

    Args:
        mode: `Knative`, `Standard`, or `auto` as long as it is not known.
        min_replicas: Fewest predictors; None leaves it to what the service has. Without
            `max_replicas` it is also the most.
        max_replicas: Most predictors; None for `min_replicas`, or what the service has.
        metric: What they follow; empty for `concurrency` in Knative mode, `cpu` in Standard mode.
        target: Value of the metric for each predictor; 0 for the metric's default.

    Raises:
        InputError: If the values contradict each other or the mode.
    """

    mode: str = AUTO
    min_replicas: int | None = None
    max_replicas: int | None = None
    metric: str = ""
    target: int = 0

    def __post_init__(self) -> None:
        require_between("min_replicas", self._least, 0, _MOST_REPLICAS)
        require_between("max_replicas", self._most, 1, _MOST_REPLICAS)
        if self._least > self._most:
            rule = f"is more than max_replicas={self._most}"
            raise InputError(f"min_replicas={self._least}", rule, "Raise max_replicas")
        if self.mode == STANDARD and not self._least:
            rule = "needs Knative mode: in Standard mode nothing keeps a request until one runs"
            raise InputError("min_replicas=0", rule, "Keep at least one predictor")
        require_one_of("scale_metric", self.metric, ("", *_MODES))
        # KServe takes up to 100 % of the CPU.
        require_between("scale_target", self.target, 0, 100 if self.metric == CPU else 1_000_000)
        self._require_effect()
        self._require_mode()

    def _require_effect(self) -> None:
        if self.target and not self.metric:
            rule, fix = "does not say of what", f"Set scale_metric to {', '.join(_MODES)}"
            raise InputError(f"scale_target={self.target}", rule, fix)
        if self.metric and not self._is_elastic:
            rule = "scales nothing, since max_replicas is not above min_replicas"
            raise InputError(f"scale_metric={self.metric!r}", rule, "Raise max_replicas")
        if self.metric == RPS and not self.target:
            rule = "has no default target: what one answers depends on the CPU and the texts"
            raise InputError(f"scale_metric={RPS!r}", rule, "Set scale_target")

    def _require_mode(self) -> None:
        if self.metric and self.mode not in (AUTO, _MODES[self.metric]):
            fitting = [metric for metric, mode in _MODES.items() if mode == self.mode]
            rule = f"needs {_MODES[self.metric]} mode, and this is {self.mode} mode"
            fix = f"Set scale_metric to {' or '.join(fitting)}"
            raise InputError(f"scale_metric={self.metric!r}", rule, fix)

    @property
    def autoscaler(self) -> str:
        """The autoscaler of Standard mode that it needs; empty for whichever there is."""
        return {CPU: HPA, QUEUE: KEDA}.get(self._followed, "")

    def applied_to(self, service: Manifest, namespace: str, prometheus: str) -> Manifest:
        """Copy a service, with its number of predictors.

        The release of the service stays the same, since KServe needs no new model for it.

        Args:
            service: The service, in this mode.
            namespace: Its namespace.
            prometheus: URL of the Prometheus that scrapes it, for `queue`.
        """
        scaled = copy.deepcopy(service)
        predictor = scaled["spec"]["predictor"]
        if self.min_replicas is not None:
            predictor["minReplicas"] = self.min_replicas
        if self.min_replicas is not None or self.max_replicas is not None:
            predictor["maxReplicas"] = self._most
        if self._followed == QUEUE:
            labels = {"namespace": namespace, "inference_service": service["metadata"]["name"]}
            scaled["metadata"]["annotations"][_CLASS] = KEDA
            predictor["autoScaling"] = {
                "metrics": [_cpu(_DEFAULT_TARGETS[CPU]), _waiting(self._target, prometheus, labels)]
            }
        elif self._followed:
            predictor |= {"scaleMetric": self._followed, "scaleTarget": self._target}
        return scaled

    @property
    def _least(self) -> int:
        return 1 if self.min_replicas is None else self.min_replicas

    @property
    def _most(self) -> int:
        return max(self._least, 1) if self.max_replicas is None else self.max_replicas

    @property
    def _is_elastic(self) -> bool:
        return self._least < self._most

    @property
    def _followed(self) -> str:
        return self.metric or (_DEFAULT_METRICS.get(self.mode, "") if self._is_elastic else "")

    @property
    def _target(self) -> int:
        return self.target or _DEFAULT_TARGETS[self._followed]


def autoscaler_of(service: Mapping[str, Any]) -> str:
    """Read which autoscaler of Standard mode a service names or needs; empty if neither."""
    named = str((service["metadata"].get("annotations") or {}).get(_CLASS, ""))
    return named or (HPA if service["spec"]["predictor"].get("scaleMetric") == CPU else "")


def _cpu(percent: int) -> Manifest:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def _waiting(texts: int, prometheus: str, labels: Mapping[str, str]) -> Manifest:
    """Build the metric of the queue: KEDA divides the texts of all predictors by their number."""
    selector = ",".join(f'{name}="{value}"' for name, value in labels.items())
    metric = {
        "backend": "prometheus",
        "serverAddress": prometheus,
        "query": f"sum(rate(classifier_queue_seconds_sum{{{selector}}}[1m]))",
    }
    target = {"type": "Value", "value": str(texts)}
    return {"type": "External", "external": {"metric": metric, "target": target}}
