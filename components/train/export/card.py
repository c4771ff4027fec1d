"""The model card in the model folder."""

from components.artifacts.model.history import History
from components.artifacts.task import Task
from components.train.settings import TrainSettings

_CARD = """\
---
library_name: peft
pipeline_tag: text-classification
---

# Text classifier for the task "{task.name}"

Predicts {task.description}: {labels}.

| | |
| --- | --- |
| base model | `{settings.base_model}` {settings.base_model_revision} |
| method | {settings.peft_method} |
| recipe | learning rate {settings.learning_rate:g}, batch {settings.batch_size}, \
{settings.epochs} epochs (kept: epoch {best_epoch:g}), weight decay {settings.weight_decay:g}, \
seed {settings.seed} |
| validation | accuracy {accuracy:.3f}, macro-F1 {macro_f1:.3f} |

`merged/` holds the model for transformers, `adapter/` only its adapter if the method has one, and
`onnx/` the model for ONNX Runtime in float32 and int8. `manifest.json` holds every setting and the
sha256 of every file. The evaluate step writes the full model card.
"""


def model_card(task: Task, settings: TrainSettings, history: History) -> str:
    """Render the card as Markdown with a Hugging Face header."""
    return _CARD.format(
        task=task,
        labels=", ".join(task.names),
        settings=settings,
        best_epoch=history.best_epoch,
        accuracy=history.best["accuracy"],
        macro_f1=history.best["macro_f1"],
    )
