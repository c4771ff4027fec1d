"""The merge step: real and synthetic rows become one data set with honest splits.

| module | content |
| --- | --- |
| `run` | the step as one function |
| `sources`, `copies`, `rows` | rows read from files, the hub and the generate step, and checked |
| `split_files`, `split_names`, `card_splits` | which files of a folder hold rows of which split |
| `leftovers` | which hold none: what a training leaves beside data |
| `labels`, `label_files`, `label_lists` | what the ids of a data set mean |
| `splits` | rows of each split, and how many synthetic rows join them |
| `clean`, `agreement` | rows removed from train: duplicates, leaks, doubtful labels |
| `weights` | how much a synthetic row counts |
| `audit` | outcomes of the checks, and removed rows by reason |
| `report`, `pictures`, `measures`, `ledgers` | the data report |
| `sample/` | the embedded data set: sentences written for this project, split 70/10/20 by label |
| `settings`, `component`, `__main__` | the user's choices, the KFP face, the shell |
"""
