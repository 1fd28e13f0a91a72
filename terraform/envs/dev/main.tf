# Development: the same parts as production, small, on spot, with one NAT gateway, and nothing that refuses to be destroyed.

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = module.naming.tags
  }
}

module "naming" {
  source = "../../modules/naming"

  environment = "dev"
  owner       = var.owner
}

module "platform" {
  source = "../../modules/platform"

  environment        = "dev"
  tags               = module.naming.tags
  services_path      = "${path.root}/../../../services/services.yaml"
  guarded            = false
  log_retention_days = 30

  network = {
    zones              = [for letter in var.zone_letters : "${var.region}${letter}"]
    vpc_cidr           = "10.20.0.0/16"
    single_nat_gateway = true
  }

  cluster = {
    administrators   = var.administrators
    api_client_cidrs = var.api_client_cidrs
    node_groups = {
      base = { capacity_type = "ON_DEMAND", instance_types = ["t4g.large"], min_size = 1, desired_size = 1, max_size = 2 }
      spot = { capacity_type = "SPOT", instance_types = ["t4g.xlarge", "m6g.xlarge", "m7g.xlarge", "c7g.xlarge"], min_size = 0, desired_size = 2, max_size = 4 }
    }
  }

  # The chart's values-aws.yaml would fill nodes three times as large.
  pods = {
    serve = { least = 1, most = 2, cpu = "100m" }
    work  = { least = 1, most = 2, cpu = "100m" }
    edge  = { least = 2, most = 3, cpu = "100m" }
  }

  kafka = {
    instance_type    = "kafka.t3.small"
    storage_gib      = 20
    storage_most_gib = 100
    retention_hours  = 48
  }

  postgres = {
    shared = { instance_class = "db.t4g.medium", storage_gib = 20, storage_most_gib = 100, multi_az = false }
  }
  connections           = 450
  backup_retention_days = 1

  redis = {
    node_type               = "cache.t4g.small"
    nodes                   = 1
    snapshot_retention_days = 0
  }

  edge = {
    hosts       = ["api.${var.domain}"]
    zone_name   = var.domain
    create_zone = var.create_zone
    # The load test of a release comes from one address.
    requests_per_five_minutes = 10000
  }

  observability = {
    grafana            = var.grafana
    recipients         = var.recipients
    monthly_budget_usd = var.monthly_budget_usd
  }

  ci = var.jenkins == null ? null : {
    issuer          = var.jenkins.issuer
    signing_key_arn = var.jenkins.signing_key_arn
    state           = { bucket_arn = var.jenkins.state_bucket_arn, key = "souk/dev.tfstate", kms_key_arn = var.jenkins.state_kms_arn }
    # Main and releases come here, as the Jenkinsfile says; another branch has no business in AWS.
    subjects = { for role in ["plan", "deploy", "apply"] : role => ["${var.jenkins.job}job/main/", "${var.jenkins.job}job/v*"] }
  }
}
