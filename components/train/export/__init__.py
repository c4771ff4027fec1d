"""From a trained model to a sealed model folder.

| module | content |
| --- | --- |
| `package` | the model folder, file by file |
| `weights` | the adapter, and the merged model |
| `onnx_file` | the merged model as ONNX |
| `quantise` | the ONNX model in 8 bits |
| `temperature` | the temperature that calibrates probabilities |
| `card` | the model card |
"""
