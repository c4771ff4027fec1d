"""Payload logs and references for a watch, written by a test."""

import json
from dataclasses import asdict

import pandas as pd

from components.artifacts.model.classifier import Classifier
from components.artifacts.model.profiling import profile_of
from tests.support_tickets import TICKETS

TYPE = "org.kubeflow.serving.inference.request"


def other():
    """Texts of another domain than the embedded sample's."""
    return [text for texts in TICKETS.values() for text in texts]


def similar(dataset, count=300):
    """Texts like those of the data set's test split, which are not in it."""
    train = pd.read_parquet(dataset / "train.parquet")
    return train["text"][train["source"] == "real"].sample(count, random_state=0).tolist()


def write_log(folder, texts):
    """A log of requests with one text each, without their answers."""
    folder.mkdir(parents=True)
    events = [
        {"id": str(number), "type": TYPE, "data": {"instances": [text]}}
        for number, text in enumerate(texts)
    ]
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, events)))
    return folder


def write_reference(model, dataset, path):
    """The part of a model's evaluation that watch reads."""
    classifier = Classifier(model)
    texts = pd.read_parquet(dataset / "test.parquet")["text"].tolist()
    profile = profile_of(classifier, texts, classifier.probabilities(texts))
    content = {"model_version": classifier.version, "profile": asdict(profile)}
    path.write_text(json.dumps(content))
    return path
