"""From a fine-tuned teacher to a smaller student that is faster to serve.

| module | content |
| --- | --- |
| `distil` | a student's training, from its teacher to a trained model |
| `student` | the student: some of the teacher's layers |
| `lessons` | what it learns from: texts, and what the teacher sees in them |
| `variants` | more texts, made of those there are |
"""
