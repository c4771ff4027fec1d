"""Texts for people to label, in Label Studio's format of tasks with predictions.

Sources: https://labelstud.io/guide/tasks#Basic-Label-Studio-JSON-format,
https://labelstud.io/guide/predictions, https://labelstud.io/tags/choices
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

from components.artifacts.model.classifier import Classifier
from components.texts import fold
from components.watch.traffic import Traffic

TASKS, CONFIG = "tasks.json", "config.xml"
"""Files of the artifact `labelling`: what is imported, and the project's labelling interface."""


def write_tasks(
    traffic: Traffic,
    classifier: Classifier,
    most: int,
    redacted: Callable[[str], str],
    folder: Path,
) -> int:
    """Write the texts that the model is least sure of (least confidence: Lewis and Gale 1994).

    Args:
        traffic: The texts, of which none is written twice.
        classifier: Names the labels and the version.
        most: Number of texts at most.
        redacted: Takes personal data out of a text.
        folder: Receives the files.

    Returns:
        The number of texts.
    """
    tasks: list[dict[str, Any]] = []
    seen: set[str] = set()
    for row in np.argsort(traffic.probabilities.max(axis=1), kind="stable"):
        text = traffic.texts[row]
        if len(tasks) == most or fold(text) in seen:
            continue
        seen.add(fold(text))
        shares = traffic.probabilities[row]
        result = {
            "from_name": "label",
            "to_name": "text",
            "type": "choices",
            "value": {"choices": [classifier.labels[int(shares.argmax())]]},
        }
        prediction = {
            "model_version": classifier.version,
            "score": round(float(shares.max()), 4),
            "result": [result],
        }
        tasks.append({"data": {"text": redacted(text)}, "predictions": [prediction]})
    content = json.dumps(tasks, indent=2, ensure_ascii=False) + "\n"
    (folder / TASKS).write_text(content, encoding="utf-8", errors="replace")
    choices = "".join(f"    <Choice value={quoteattr(name)}/>\n" for name in classifier.labels)
    (folder / CONFIG).write_text(
        '<View>\n  <Text name="text" value="$text"/>\n'
        '  <Choices name="label" toName="text" choice="single" showInLine="true">\n'
        f"{choices}  </Choices>\n</View>\n",
        encoding="utf-8",
    )
    return len(tasks)
