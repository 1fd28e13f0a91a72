# An environment: what is in all of them alike. Production has these files by links to here, and its own values.tf.

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = module.naming.tags
  }
}

module "naming" {
  source = "../../modules/naming"

  environment = local.environment
  owner       = var.owner
}

locals {
  services_path = "${path.root}/../../../services/services.yaml"
}

module "platform" {
  source = "../../modules/platform"

  environment        = local.environment
  tags               = module.naming.tags
  services_path      = local.services_path
  chart_path         = "${path.root}/../../../helm/souk/values.yaml"
  copies             = var.second_region == null ? null : { region = var.second_region }
  guarded            = local.values.guarded
  log_retention_days = local.values.log_retention_days
  pods               = local.values.pods
  kafka              = local.values.kafka
  postgres           = local.values.postgres
  redis              = local.values.redis

  network = merge(local.values.network, { zones = [for letter in var.zone_letters : "${var.region}${letter}"] })

  cluster = merge(local.values.cluster, {
    administrators   = var.administrators
    api_client_cidrs = var.api_client_cidrs
  })

  edge = merge(local.values.edge, {
    hosts       = ["api.${var.domain}"]
    zone_name   = var.domain
    create_zone = var.create_zone
  })

  observability = merge(local.values.observability, {
    grafana            = var.grafana
    recipients         = var.recipients
    monthly_budget_usd = var.monthly_budget_usd
  })

  ci = var.jenkins == null ? null : {
    issuer          = var.jenkins.issuer
    signing_key_arn = var.jenkins.signing_key_arn
    state           = { bucket_arn = var.jenkins.state_bucket_arn, key = "souk/${local.environment}.tfstate", kms_key_arn = var.jenkins.state_kms_arn }
    subjects        = { for role in ["plan", "deploy", "apply"] : role => [for build in local.values.builds : "${var.jenkins.job}job/${build}"] }
  }
}
