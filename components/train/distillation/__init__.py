"""From a fine-tuned teacher to a smaller student that is faster to serve.

| module | content |
| --- | --- |
| `distil` | a student's training, from its teacher to a trained model |
| `student` | the student: a part of the teacher's layers, and of the units in them |
| `texts` | the texts that it learns from |
| `lessons` | what it learns from: these texts, and what the teacher sees in them |
| `variants` | more texts, made of those there are |
"""
