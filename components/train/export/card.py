"""The model card that travels with the model."""

from components.artifacts.model.history import History
from components.artifacts.task import Task
from components.train.settings import TrainSettings

_CARD = """\
---
library_name: peft
pipeline_tag: text-classification
---

# Text classifier for the task "{task.name}"

Says {task.description}: {labels}.

| | |
| --- | --- |
| base model | `{settings.base_model}` {settings.base_model_revision} |
| method | {settings.peft_method} |
| recipe | learning rate {settings.learning_rate:g}, batch {settings.batch_size}, \
{settings.epochs} epochs (kept: epoch {best_epoch:g}), weight decay {settings.weight_decay:g}, \
seed {settings.seed} |
| validation | accuracy {accuracy:.3f}, macro-F1 {macro_f1:.3f} |

`merged/` is the full model for transformers, `adapter/` the adapter alone if the method has one,
`onnx/` the full model for ONNX Runtime in float32 and int8. `manifest.json` holds every setting and
the sha256 of every file. The evaluate step writes the full model card.
"""


def model_card(task: Task, settings: TrainSettings, history: History) -> str:
    """The card as Markdown with a Hugging Face header."""
    return _CARD.format(
        task=task,
        labels=", ".join(task.names),
        settings=settings,
        best_epoch=history.best_epoch,
        accuracy=history.best["accuracy"],
        macro_f1=history.best["macro_f1"],
    )
