"""Measurements of a classifier.

| module | content |
| --- | --- |
| `scores` | predictions on a split; accuracy, F1, calibration error and the like |
| `intervals` | bootstrap intervals of scores |
| `comparison` | tests of two classifiers on the same rows |
| `rivals` | the model against every other classifier, simple baselines among them |
| `slices` | scores on parts of the test split |
| `robustness` | the effect of small changes of a text |
| `mistakes` | the most confident mistakes, and rows whose own label is probably wrong |
"""
