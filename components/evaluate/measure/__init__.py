"""Measurements of a classifier.

| module | content |
| --- | --- |
| `predict` | probabilities of a split |
| `scores` | accuracy, F1, log loss and the like |
| `reliability` | how far probabilities match the share of right predictions |
| `intervals` | bootstrap intervals of scores |
| `baselines` | simple classifiers to compare with |
| `comparison` | tests of two classifiers on the same rows |
| `rivals` | the model against every other classifier |
| `slices` | scores on parts of the test split |
| `robustness` | the effect of small changes of a text |
| `mistakes` | the most confident mistakes |
| `label_errors` | rows whose own label is probably wrong |
"""
