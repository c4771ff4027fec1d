"""Default learning rates, and the optimiser of `lora+`."""

from collections.abc import Mapping
from typing import Any

from peft import PeftModel
from peft.optimizers import create_loraplus_optimizer
from torch.optim import Optimizer

from components.train.settings import TrainSettings

_FULL: Mapping[str, float] = {"bert": 5e-5, "distilbert": 5e-5, "electra": 1e-4}
_FULL_OTHERWISE = 2e-5
"""The highest rate of the BERT paper (arXiv 1810.04805) for BERT and its smaller relatives; the
rate of ELECTRA-base (arXiv 2003.10555); for the others a rate from the range in which RoBERTa was
fine-tuned, 1e-5 to 3e-5 (arXiv 1907.11692)."""

_LORA: Mapping[str, float] = dict.fromkeys(("bert", "distilbert", "electra", "mpnet"), 1e-3)
_LORA_OTHERWISE = 5e-4
"""The rate of RoBERTa-base in the LoRA paper (arXiv 2106.09685); twice that for encoders with the
recipe of BERT, where 1e-3 was better than 2e-4 with MiniLM."""

# The sources give the direction; the sizes are starting points, not measurements.
_SHARE_OF_LORA: Mapping[str, float] = {
    "lora": 1,
    "qlora": 1,
    # Its authors recommend a slightly lower rate than for LoRA (github.com/NVlabs/DoRA).
    "dora": 0.7,
    # At ranks 8 to 16 its scale is three to four times that of LoRA (arXiv 2312.03732).
    "rslora": 0.5,
    # The rate of A; B's is 16 times as high, so that their geometric mean is LoRA's rate.
    "lora+": 0.25,
    # The matrices start large, so steps change their product at once (arXiv 2404.02948).
    "pissa": 0.2,
}
_ABSOLUTE: Mapping[str, float] = {
    # T-Few's rate (arXiv 2205.05638).
    "ia3": 3e-3,
    # The default of Adam (arXiv 1412.6980).
    "head": 1e-3,
}


def default_learning_rate(peft_method: str, model_type: str) -> float:
    """Return the peak learning rate of a method, for batches of 16 to 32 texts and AdamW.

    Args:
        peft_method: One of the methods of `TrainSettings`.
        model_type: `model_type` of the transformers configuration.
    """
    if peft_method == "full":
        return _FULL.get(model_type, _FULL_OTHERWISE)
    if peft_method in _ABSOLUTE:
        return _ABSOLUTE[peft_method]
    return _LORA.get(model_type, _LORA_OTHERWISE) * _SHARE_OF_LORA[peft_method]


def loraplus_optimizer(
    model: PeftModel, settings: TrainSettings, kind: type[Optimizer], options: Mapping[str, Any]
) -> Optimizer:
    """Create an optimiser for `lora+`: second matrices and biases learn faster than the rest.

    Args:
        model: A peft model.
        settings: `lora_plus_ratio`, the ratio of the rates, and `weight_decay`.
        kind: Class of the optimiser.
        options: Its options, `lr` (the lower rate) among them, as
            `Trainer.get_optimizer_cls_and_kwargs` gives them.
    """
    return create_loraplus_optimizer(
        model,
        kind,
        loraplus_lr_ratio=settings.lora_plus_ratio,
        loraplus_weight_decay=settings.weight_decay,
        **options,
    )
