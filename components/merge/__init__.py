"""The merge step: real and synthetic rows become one data set with honest splits.

| module | content |
| --- | --- |
| `run` | the step as one function |
| `reading` | real rows as people have them, with certain splits and labels |
| `feedback` | rows that people labelled |
| `rows` | rows of all sources as the task's, checked |
| `splits` | rows of each split, and how many synthetic rows join them |
| `clean`, `agreement` | rows removed from train: duplicates, leaks, doubtful labels |
| `weights` | how much a synthetic row counts |
| `audit` | outcomes of the checks, and removed rows by reason |
| `report`, `pictures`, `measures`, `ledgers` | the data report |
| `sample/` | the embedded data set: sentences written for this project, split 70/10/20 by label |
| `settings`, `component`, `__main__` | the user's choices, the KFP face, the shell |
"""
