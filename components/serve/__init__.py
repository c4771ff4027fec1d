"""The KServe predictor: one model behind V1 and V2, over HTTP and gRPC.

| module | content |
| --- | --- |
| `settings` | the settings, with their defaults and ranges |
| `server` | the process: listening, draining at SIGTERM |
| `connections`, `bounds` | bounds of a connection, and of a request |
| `application`, `page` | all HTTP routes, and the page for people |
| `v1`, `v2`, `grpc_service` | the protocols |
| `schemas`, `tensors`, `answers` | their bodies, tensors and HTTP answers |
| `predictor` | from texts to calibrated probabilities |
| `batching` | batches across requests, run in threads |
| `refusal` | the refusal of a request, with a status and a sentence |
| `metrics`, `payloads` | reports to Prometheus and to a collector of CloudEvents |
"""
