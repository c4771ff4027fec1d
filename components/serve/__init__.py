"""The KServe predictor: one model behind V1 and V2, over HTTP and gRPC.

| module | content |
| --- | --- |
| `settings` | the settings, with their defaults and ranges |
| `signature` | the check of the model folder's signature, before anything is loaded |
| `server` | the process: listening, draining at SIGTERM |
| `connections`, `bounds` | bounds of a connection, and of a request |
| `heads`, `upgrades`, `cloud_events` | rules of HTTP that uvicorn lacks, and of CloudEvents |
| `application` | all HTTP routes, the page for people, the OpenAPI document |
| `v1`, `v2`, `grpc_service` | the protocols |
| `schemas`, `bodies`, `parameters`, `tensors` | their bodies and tensors |
| `answers` | refusals and other HTTP answers |
| `predictor` | from texts to calibrated probabilities |
| `batching` | batches across requests, run in threads |
| `exchanges` | reports of requests and answers, over either protocol |
| `metrics`, `payloads` | reports to Prometheus and to a collector of CloudEvents |
"""
