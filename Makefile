# `make` alone says what there is to do. Everything happens in .venv and .souk; nothing needs root or Docker.
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

SHELL := /bin/sh

# The first Python that is new enough; PYTHON=... chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV_PYTHON := .venv/bin/python
LOCAL := $(VENV_PYTHON) -m scripts.stack
CLUSTER := $(VENV_PYTHON) -m scripts.cluster
# Compiled modules are kept, and in .souk: where nobody keeps them, each process compiles some 1,300 of them as it starts.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.souk/cache/bytecode
unexport PYTHONDONTWRITEBYTECODE
# A release on a cluster, for status and smoke.
RELEASE ?=
NAMESPACE ?= $(or $(RELEASE),souk)
TOGETHER_FLAG := $(if $(filter-out 0 no false,$(TOGETHER)),--together)
# What to test: TESTS=tests/unit for a part, K='an expression' for those whose names match.
TESTS ?= tests
K ?=

.PHONY: help setup proto run down clean status logs audit reindex test tools test-cluster test-node test-cloud lint format typecheck chart cluster-up cluster-down smoke bench \
	lock generate new-service compose images

help: ## what there is to do
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv with everything in requirements.lock, and the stubs of the contract
	@if [ -z "$(PYTHON)" ]; then \
		echo "setup: Souk needs Python 3.11 or newer and found none: install it, or say which with make PYTHON=..." >&2; exit 1; fi
	@$(PYTHON) -m scripts.stack.bootstrap
	@$(VENV_PYTHON) -m scripts.generate.proto

proto: setup ## build the Python stubs and the descriptors from proto/

run: setup ## start everything, fill the shop, place the first order (TOGETHER=1: all services in one process; MESH_TLS=1: mutual TLS)
	@$(LOCAL) run $(TOGETHER_FLAG)

down: .venv/bin/python ## stop what `make run` started; data stays
	@$(LOCAL) down

clean: setup ## stop it, and the stacks of tests, and remove their data; downloads stay
	@$(LOCAL) clean --every
	@for name in $(notdir $(wildcard .souk/cluster/*)); do $(CLUSTER) down --name "$$name"; done

status: .venv/bin/python ## each process with its health, memory and log (RELEASE=souk: a release on the cluster of KUBECONFIG)
	@$(if $(RELEASE),$(CLUSTER) status --release "$(RELEASE)" --namespace "$(NAMESPACE)",$(LOCAL) status)

logs: .venv/bin/python ## follow the logs of all processes
	@$(LOCAL) logs

audit: .venv/bin/python ## do orders, money and stock agree, by everybody's books? (ORDER_DATABASE_URL=... and so on: elsewhere)
	@$(if $(ORDER_DATABASE_URL),,set -a; . .souk/env;) $(VENV_PYTHON) -m scripts.operate.audit

reindex: .venv/bin/python ## build the search index anew, while searches go on, and wait for it (EDGE_URL=... ADMIN_EMAIL=... ADMIN_PASSWORD=...: elsewhere)
	@$(VENV_PYTHON) -m scripts.operate.reindex

.venv/bin/python:
	@echo "nothing is set up here yet: make run" >&2; exit 1

# The tests' stack stands beside the main one, on its own ports and data, and is stopped whatever the tests say.
# loadfile: what the tests of one file share is made once, by one process.
test: setup ## run every test against a stack of its own (TESTS=path, K=expression, JUNIT=folder, COVERAGE=folder)
	@$(LOCAL) --stack test test $(TOGETHER_FLAG) $(REPORTS) -- -n 2 --dist=loadfile $(TESTS) $(if $(K),-k "$(K)")

tools: setup ## build what the tests of cluster and cloud need, once for a machine (the first time: about 20 minutes)
	@$(VENV_PYTHON) -m scripts.cloud.tools
	@$(CLUSTER) tools

test-cluster: setup ## the chart: its checks, and its life on a Kubernetes API with simulated nodes and on a real one (the first time builds tools)
	@$(CLUSTER) tools
	@$(VENV_PYTHON) -m pytest -n 0 $(wildcard tests/deploy/charts tests/deploy/images) tests/deploy/cluster tests/deploy/node \
		$(if $(JUNIT),--junitxml=$(JUNIT)/cluster.xml)

test-node: setup ## of the same, the release on one real node of this machine: containers, probes, packets (Linux, root)
	@$(CLUSTER) tools
	@$(VENV_PYTHON) -m pytest -n 0 tests/deploy/node

test-cloud: setup ## what the cloud is made of and how releases get there, without an account
	@$(VENV_PYTHON) -m scripts.cloud.tools
	@$(VENV_PYTHON) -m pytest -n 2 --dist loadfile tests/deploy/cloud tests/deploy/jenkins $(if $(K),-k "$(K)") \
		$(if $(JUNIT),--junitxml=$(JUNIT)/cloud.xml) \
		$(if $(COVERAGE),--cov --cov-report= --cov-report=xml:$(COVERAGE)/coverage-cloud.xml)

lint: setup ## what CI holds the code to: ruff, mypy --strict, buf
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m ruff format --check .
	@$(VENV_PYTHON) -m mypy
	@.venv/bin/buf lint .souk/gen/souk.binpb --config proto/buf.yaml

format: setup ## let ruff mend what it can
	@$(VENV_PYTHON) -m ruff check --fix .
	@$(VENV_PYTHON) -m ruff format .

typecheck: setup ## mypy alone
	@$(VENV_PYTHON) -m mypy

chart: setup ## write what of the chart is generated, and package it: .souk/charts/souk-VERSION.tgz (VERSION=...)
	@$(VENV_PYTHON) -m scripts.generate.chart package $(if $(VERSION),--version "$(VERSION)")

cluster-up: setup ## start a Kubernetes control plane with simulated nodes in three zones
	@$(CLUSTER) up

cluster-down: .venv/bin/python ## stop it and remove its data; its tools stay
	@$(CLUSTER) down

smoke: .venv/bin/python ## wait for a roll-out, then order (RELEASE=souk NAMESPACE=souk EDGE_URL=https://... PAYMENT_METHOD=token)
	@$(CLUSTER) smoke --release "$(or $(RELEASE),souk)" --namespace "$(NAMESPACE)" \
		$(if $(PAYMENT_METHOD),--payment-method "$(PAYMENT_METHOD)")

bench: setup ## orders a second, latency and CPU per order, as JSON in .souk/bench
	@$(VENV_PYTHON) -m scripts.bench

generate: setup ## write everything anew that is generated: compose, the chart's registry, topics and users, reference pages, pictures
	@$(VENV_PYTHON) -m scripts.generate

new-service: setup ## a service more (NAME=word, STORES=postgres,redis, CONSUMES=topics, PUBLISHES=topic): docs/adding-a-service.md
	@$(VENV_PYTHON) -m scripts.generate.new_service "$(NAME)" --stores "$(STORES)" --consumes "$(CONSUMES)" --publishes "$(PUBLISHES)"
	@$(VENV_PYTHON) -m scripts.generate.proto
	@$(VENV_PYTHON) -m scripts.generate

compose: setup ## write docker-compose.yml anew from services/services.yaml
	@$(VENV_PYTHON) -m scripts.generate.compose

images: setup ## build all images with Docker, or with buildah as root where there is no engine (VERSION=tag)
	@$(VENV_PYTHON) -m scripts.release.build $(IMAGES)

lock: setup ## resolve pyproject.toml into the lock files anew
	@$(VENV_PYTHON) -m scripts.generate.locks

include scripts/release/release.mk
include scripts/cloud/cloud.mk
