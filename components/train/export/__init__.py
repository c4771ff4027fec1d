"""From a trained model to a sealed model folder.

| module | content |
| --- | --- |
| `package` | the model folder, file by file, with its card |
| `weights` | the adapter, and the merged model |
| `onnx_file` | the merged model as ONNX |
| `encoder` | a pretrained encoder as a sentence encoder, for generate and merge |
| `embeddings` | its embeddings in 8 bits |
| `quantise` | the ONNX model in 8 bits, and the temperature that calibrates it |
"""
