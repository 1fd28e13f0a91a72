# Production, sized for 1,000 orders a second (docs/aws.md says why, and what to change for other rates).

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = module.naming.tags
  }
}

locals {
  services_path = "${path.root}/../../../services/services.yaml"
}

module "naming" {
  source = "../../modules/naming"

  environment = "prod"
  owner       = var.owner
}

module "platform" {
  source = "../../modules/platform"

  environment        = "prod"
  tags               = module.naming.tags
  services_path      = local.services_path
  guarded            = true
  log_retention_days = 365

  network = {
    zones    = [for letter in var.zone_letters : "${var.region}${letter}"]
    vpc_cidr = "10.40.0.0/16"
  }

  cluster = {
    administrators   = var.administrators
    api_client_cidrs = var.api_client_cidrs
    node_groups = {
      base = { capacity_type = "ON_DEMAND", instance_types = ["m7g.xlarge"], min_size = 3, desired_size = 3, max_size = 6 }
      spot = { capacity_type = "SPOT", instance_types = ["m7g.xlarge", "m6g.xlarge", "c7g.xlarge", "r7g.xlarge"], min_size = 0, desired_size = 8, max_size = 16 }
    }
  }

  kafka = {
    instance_type    = module.sizing.kafka.instance_type
    storage_gib      = module.sizing.kafka.storage_gib
    storage_most_gib = min(16384, 4 * module.sizing.kafka.storage_gib)
    retention_hours  = 168
  }

  postgres = {
    for name, server in module.sizing.postgres : name => {
      # One called `shared` has all services; otherwise each is called after the service it has.
      services         = name == "shared" ? [] : [name]
      instance_class   = server.instance_class
      storage_gib      = server.storage_gib
      storage_most_gib = min(65536, 4 * server.storage_gib)
      replicas         = 1
    }
  }
  connections           = 2700
  backup_retention_days = 35

  redis = {
    node_type = "cache.m7g.large"
    nodes     = 3
  }

  edge = {
    hosts       = ["api.${var.domain}"]
    zone_name   = var.domain
    create_zone = var.create_zone
  }

  observability = {
    grafana            = var.grafana
    recipients         = var.recipients
    monthly_budget_usd = var.monthly_budget_usd
  }

  ci = var.jenkins == null ? null : {
    issuer          = var.jenkins.issuer
    signing_key_arn = var.jenkins.signing_key_arn
    state           = { bucket_arn = var.jenkins.state_bucket_arn, key = "souk/prod.tfstate", kms_key_arn = var.jenkins.state_kms_arn }
    # Releases alone come here: what the Jenkinsfile does in production, it does in builds of tags.
    subjects = { for role in ["plan", "deploy", "apply"] : role => ["${var.jenkins.job}job/v*"] }
  }
}

module "services" {
  source = "../../modules/services"

  path = local.services_path
}

module "sizing" {
  source = "../../modules/sizing"

  orders_per_second = 1000
  services          = module.services.sizes
}
