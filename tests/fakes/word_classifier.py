"""A classifier that adds up weights of words."""

import numpy as np


class WordClassifier:
    """A classifier whose logits are the sums of the weights of a text's words, any case.

    It cannot show how a real model tokenises, batches and rounds: tests/steps/evaluate does.
    """

    def __init__(self, labels, weights, temperature=1.0):
        self.labels, self.temperature = labels, temperature
        self._weights = {word: np.array(each, np.float32) for word, each in weights.items()}

    def logits(self, texts):
        nothing = np.zeros(len(self.labels), np.float32)
        return np.array(
            [
                sum((self._weights.get(word, nothing) for word in text.lower().split()), nothing)
                for text in texts
            ]
        )

    def probabilities(self, texts):
        powers = np.exp(self.logits(texts) / self.temperature)
        return powers / powers.sum(axis=1, keepdims=True)
