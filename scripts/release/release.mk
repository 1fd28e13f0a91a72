# From a commit to a rolled-out release: what the Jenkinsfile's stages call. docs/release.md tells the way.
# DRY_RUN=1 prints the commands instead of running them; ENV names an environment of scripts/release/environments.yaml.
RELEASING := $(VENV_PYTHON) -m scripts.release
# Folders for reports of tests: JUNIT for results as JUnit XML, COVERAGE for coverage as Cobertura XML.
JUNIT ?=
COVERAGE ?=
REPORTS = $(if $(JUNIT),--junit $(JUNIT)) $(if $(COVERAGE),--coverage $(COVERAGE))
# What the targets read from the environment, so that `make deploy ENV=dev` passes it on.
export DRY_RUN ENV EDGE_URL PAYMENT_METHOD PROMETHEUS_URL REGISTRY SIGNING_KEY STATUS VERSION
export LOAD_RATE LOAD_SECONDS LOAD_FAILED LOAD_ACCEPT_P95_MS LOAD_SETTLE_S

.PHONY: version breaking migrations-check release-images sbom scan images-push images-sign chart-package chart-push
.PHONY: canary deploy rollback release-smoke load-test budget verified notify release-clean test-unit jenkins

test-unit: setup ## the tests that need no stack: unit and architecture (JUNIT=folder, COVERAGE=folder)
	@$(VENV_PYTHON) -m pytest -n 2 tests/unit tests/architecture $(if $(K),-k "$(K)") \
		$(if $(JUNIT),--junitxml=$(JUNIT)/unit.xml) \
		$(if $(COVERAGE),--cov --cov-report= --cov-report=xml:$(COVERAGE)/coverage-unit.xml)

version: setup ## the version of this commit, from its tags
	@$(RELEASING) version

breaking: setup ## hold the contract against the last release's (buf breaking)
	@$(RELEASING) breaking

migrations-check: setup ## may the migrations since the last release run beside its code?
	@$(RELEASING) migrations

release-images: setup ## build all images for amd64 and arm64 with BuildKit, into .souk/release/images
	@$(RELEASING) images

sbom: setup ## bills of materials (CycloneDX) from the hash locks, into .souk/release/sbom
	@$(RELEASING) sbom

scan: setup ## the vulnerability gate over the built images (scripts/release/trivy.yaml)
	@$(RELEASING) scan

images-push: setup ## push the images to REGISTRY and note their digests
	@$(RELEASING) push

images-sign: setup ## sign the pushed digests under SIGNING_KEY, with their bills of materials
	@$(RELEASING) sign

chart-package: setup ## package the chart under this commit's version
	@$(RELEASING) chart-package

chart-push: setup ## push the chart to REGISTRY and sign it
	@$(RELEASING) chart-push

canary: setup ## give the pushed release a growing share of ENV's requests, judged by the error budget after each step
	@$(RELEASING) canary

deploy: setup ## roll the pushed release out to ENV, by digest
	@$(RELEASING) deploy

rollback: setup ## bring back what ENV had before `make deploy`
	@$(RELEASING) rollback

release-smoke: setup ## wait for ENV's roll-out and place an order through its edge
	@$(RELEASING) smoke

load-test: setup ## send orders to ENV's edge (or EDGE_URL) and hold it to its thresholds
	@$(RELEASING) load-test

budget: setup ## watch ENV's error ratio in Prometheus after a roll-out
	@$(RELEASING) budget

verified: setup ## note that ENV took this release well, so that it may go further
	@$(RELEASING) verified

jenkins: setup ## install Jenkins as code in the cluster that kubectl speaks to (docs/release.md)
	@$(RELEASING) jenkins

notify: setup ## tell how the build ended: STATUS, and where NOTIFY_WEBHOOK says
	@$(RELEASING) notify

release-clean: setup ## remove the registry's token
	@$(RELEASING) sign-out
