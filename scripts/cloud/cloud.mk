# AWS by Terraform: docs/aws.md leads through it. ENV is shared, dev or prod; DRY_RUN=1 says what would be run and runs nothing.
CLOUD := $(VENV_PYTHON) -m scripts.cloud

.PHONY: tf-bootstrap tf-plan tf-apply tf-unguard tf-destroy values credentials

tf-bootstrap: setup ## make the bucket of Terraform's state, once for an account
	@$(CLOUD) bootstrap

tf-plan: setup ## what Terraform would change (ENV=)
	@$(CLOUD) plan "$(ENV)"

tf-apply: setup ## change exactly what the plan says (ENV=)
	@$(CLOUD) apply "$(ENV)"

tf-unguard: setup ## let Terraform destroy what must not be destroyed (ENV=)
	@$(CLOUD) unguard "$(ENV)"

tf-destroy: setup ## destroy an environment (ENV=)
	@$(CLOUD) destroy "$(ENV)"

values: setup ## Terraform's outputs as the chart's values (ENV=)
	@$(CLOUD) values "$(ENV)"

credentials: setup ## fill the secrets, by a job in the cluster (ENV=, VERSION=)
	@$(CLOUD) credentials "$(ENV)" "$(VERSION)"
