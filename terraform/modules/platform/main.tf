# One environment, whole: what its roots differ in is size alone.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  prefix  = "${var.project}-${var.environment}"
  nodes   = { nodes = module.cluster.security_group_id }
  account = data.aws_caller_identity.current.account_id
  region  = data.aws_region.current.region
  # Where the shop's pages come from.
  shop_origins = ["https://${var.edge.zone_name}"]
  registry     = "${local.account}.dkr.ecr.${local.region}.${data.aws_partition.current.dns_suffix}"

  placed = flatten([for server in var.postgres : tolist(server.services)])
  servers = {
    for name, server in var.postgres : name => merge(server, {
      services = length(server.services) > 0 ? server.services : toset(setsubtract(keys(module.services.databases), local.placed))
    })
  }
}

module "services" {
  source = "../services"

  path = var.services_path
}

module "encryption" {
  source = "../encryption"

  prefix                  = local.prefix
  deletion_window_in_days = var.guarded ? 30 : 7
}

# Every role but Jenkins' own carries it.
module "boundary" {
  source = "../boundary"

  prefix            = local.prefix
  secrets_path      = "${var.project}/${var.environment}"
  images_bucket_arn = module.images.bucket_arn
}

module "network" {
  source = "../network"

  permissions_boundary_arn = module.boundary.arn
  prefix                   = local.prefix
  vpc_cidr                 = var.network.vpc_cidr
  zones                    = var.network.zones
  cluster_name             = local.prefix
  single_nat_gateway       = var.network.single_nat_gateway
  interface_endpoints      = var.network.interface_endpoints
  logs_kms_key_arn         = module.encryption.arns.logs
  flow_log_retention_days  = var.log_retention_days
}

module "cluster" {
  source = "../cluster"

  permissions_boundary_arn = module.boundary.arn
  prefix                   = local.prefix
  kubernetes_version       = var.cluster.kubernetes_version
  subnet_ids               = values(module.network.private_subnet_ids)
  public_access_cidrs      = var.cluster.public_access_cidrs
  api_client_cidrs         = var.cluster.api_client_cidrs
  kms_key_arn              = module.encryption.arns.cluster
  logs_kms_key_arn         = module.encryption.arns.logs
  log_retention_days       = var.log_retention_days
  node_groups              = var.cluster.node_groups
  deletion_protection      = var.guarded
  tags                     = var.tags

  access = merge(
    { for name, arn in var.cluster.administrators : name => { principal_arn = arn, level = "admin" } },
    # The role's own ARN, so that the role is there first: EKS refuses an entry for one that does not exist.
    var.ci == null ? {} : {
      for role in setintersection(["deploy"], keys(var.ci.subjects)) : "jenkins" => {
        principal_arn = module.ci[0].role_arns[role]
        level         = "admin"
        namespaces    = [var.release.namespace]
      }
    },
  )
}

module "kafka" {
  source = "../kafka"

  prefix                    = local.prefix
  vpc_id                    = module.network.vpc_id
  subnet_ids                = values(module.network.intra_subnet_ids)
  client_security_group_ids = local.nodes
  kms_key_arn               = module.encryption.arns.data
  logs_kms_key_arn          = module.encryption.arns.logs
  log_retention_days        = var.log_retention_days
  guarded                   = var.guarded
  kafka_version             = var.kafka.version
  instance_type             = var.kafka.instance_type
  brokers_per_zone          = var.kafka.brokers_per_zone
  storage_gib               = var.kafka.storage_gib
  storage_most_gib          = var.kafka.storage_most_gib
  retention_hours           = var.kafka.retention_hours
  access                    = module.services.access
  topics                    = toset(keys(module.services.topics))
}

module "postgres" {
  source = "../postgres"

  permissions_boundary_arn  = module.boundary.arn
  prefix                    = local.prefix
  vpc_id                    = module.network.vpc_id
  subnet_ids                = values(module.network.intra_subnet_ids)
  client_security_group_ids = local.nodes
  kms_key_arn               = module.encryption.arns.data
  logs_kms_key_arn          = module.encryption.arns.logs
  secrets_kms_key_arn       = module.encryption.arns.secrets
  log_retention_days        = var.log_retention_days
  guarded                   = var.guarded
  deletion_protection       = var.guarded
  engine_version            = var.postgres_version
  servers                   = local.servers
  databases                 = module.services.databases
  backup_retention_days     = var.backup_retention_days
  connections               = var.connections
}

module "redis" {
  source = "../redis"

  prefix                    = local.prefix
  vpc_id                    = module.network.vpc_id
  subnet_ids                = values(module.network.intra_subnet_ids)
  client_security_group_ids = local.nodes
  kms_key_arn               = module.encryption.arns.data
  logs_kms_key_arn          = module.encryption.arns.logs
  log_retention_days        = var.log_retention_days
  guarded                   = var.guarded
  node_type                 = var.redis.node_type
  nodes                     = var.redis.nodes
  snapshot_retention_days   = var.redis.snapshot_retention_days
}

module "opensearch" {
  source = "../opensearch"
  count  = var.opensearch == null ? 0 : 1

  permissions_boundary_arn  = module.boundary.arn
  prefix                    = local.prefix
  vpc_id                    = module.network.vpc_id
  subnet_ids                = values(module.network.intra_subnet_ids)
  client_security_group_ids = local.nodes
  kms_key_arn               = module.encryption.arns.data
  logs_kms_key_arn          = module.encryption.arns.logs
  log_retention_days        = var.log_retention_days
  guarded                   = var.guarded
  instance_type             = var.opensearch.instance_type
  volume_gib                = var.opensearch.volume_gib
  client_role_arns          = [for service in var.opensearch.services : module.identities.role_arns[service]]
}

module "secrets" {
  source = "../secrets"

  path                    = "${var.project}/${var.environment}"
  services                = module.services.services
  kms_key_arn             = module.encryption.arns.secrets
  recovery_window_in_days = var.guarded ? 30 : 0
  master_secret_arns      = [for server in module.postgres.servers : server.master_secret]
  replication_group_arn   = module.redis.arn
}

module "edge" {
  source = "../edge"

  prefix                    = local.prefix
  hosts                     = var.edge.hosts
  zone_name                 = var.edge.zone_name
  create_zone               = var.edge.create_zone
  requests_per_five_minutes = var.edge.requests_per_five_minutes
  logs_kms_key_arn          = module.encryption.arns.logs
  log_retention_days        = var.log_retention_days
  vpc_arn                   = module.network.vpc_arn
}

module "images" {
  source = "../images"

  prefix  = local.prefix
  host    = "images.${var.edge.zone_name}"
  zone_id = module.edge.zone_id
  origins = local.shop_origins
  guarded = var.guarded
}

module "observability" {
  source = "../observability"

  permissions_boundary_arn = module.boundary.arn
  prefix                   = local.prefix
  mode                     = var.observability.mode
  grafana                  = var.observability.grafana
  logs_kms_key_arn         = module.encryption.arns.logs
  alarms_kms_key_arn       = module.encryption.arns.alarms
  log_retention_days       = var.log_retention_days
  recipients               = var.observability.recipients
  monthly_budget_usd       = var.observability.monthly_budget_usd
  cost_tag                 = { key = "environment", value = var.environment }
  kafka                    = { name = module.kafka.name, brokers = module.kafka.brokers }
  caches                   = { for at in range(var.redis.nodes) : "cache-${at + 1}" => module.redis.nodes[at] }

  databases = merge(
    {
      for name, server in local.servers : name => {
        identifier       = "${local.prefix}-${name}"
        free_storage_gib = max(1, min(32, floor(server.storage_gib / 25)))
        connections      = var.connections
        replica          = false
      }
    },
    merge([
      for name, server in local.servers : {
        for at in range(server.replicas) : "${name}-${at + 1}" => {
          identifier       = "${local.prefix}-${name}-${at + 1}"
          free_storage_gib = max(1, min(32, floor(server.storage_gib / 25)))
          connections      = var.connections
          replica          = true
        }
      }
    ]...),
  )
}

# Who runs in the cluster and needs something of AWS.
locals {
  service_accounts = {
    for name, service in module.services.services : name => {
      namespace       = var.release.namespace
      service_account = "${var.release.name}-${name}"
      policies = merge(
        length(setunion(service.publishes, service.consumes)) > 0 ? { kafka = module.kafka.policies[name] } : {},
        contains(service.outside, "sns") ? { messages = local.messages_policy } : {},
        contains(service.outside, "s3") ? { images = module.images.policy } : {},
      )
    }
  }

  # Text messages go to numbers, which have no ARN; push messages go to endpoints of this account.
  messages_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid         = "TextMessages"
      Effect      = "Allow"
      Action      = ["sns:Publish"]
      NotResource = "arn:${data.aws_partition.current.partition}:sns:*:*:*"
      }, {
      Sid      = "PushMessages"
      Effect   = "Allow"
      Action   = ["sns:Publish"]
      Resource = "arn:${data.aws_partition.current.partition}:sns:${local.region}:${local.account}:endpoint/*"
    }]
  })

  controllers = merge(
    {
      topics           = { namespace = var.release.namespace, service_account = "${var.release.name}-topics", policies = { administer = module.kafka.administration_policy } }
      keda             = { namespace = "keda", service_account = "keda-operator", policies = { lag = module.kafka.lag_policy } }
      external-secrets = { namespace = "external-secrets", service_account = "external-secrets", policies = { read = module.secrets.reader_policy } }
      load-balancer    = { namespace = "kube-system", service_account = "aws-load-balancer-controller", policies = { balancers = module.edge.balancer_policy } }
      external-dns     = { namespace = "kube-system", service_account = "external-dns", policies = { names = module.edge.names_policy } }
      logs             = { namespace = "monitoring", service_account = "fluent-bit", policies = { write = module.observability.logs_policy } }
      credentials      = { namespace = var.release.namespace, service_account = "${var.release.name}-credentials", policies = { write = module.secrets.writer_policy } }
    },
    var.observability.mode != "managed" ? {} : {
      metrics = { namespace = "monitoring", service_account = "prometheus", policies = { write = module.observability.metrics_policy } }
    },
  )
}

module "identities" {
  source = "../identities"

  permissions_boundary_arn = module.boundary.arn
  prefix                   = local.prefix
  cluster_name             = module.cluster.name
  cluster_arn              = module.cluster.arn
  workloads                = merge(local.service_accounts, local.controllers)
}

module "ci" {
  source = "../ci"
  count  = var.ci == null ? 0 : 1

  permissions_boundary_arn = module.boundary.arn
  prefix                   = local.prefix
  issuer                   = var.ci.issuer
  subjects                 = var.ci.subjects
  state                    = var.ci.state
  signing_key_arn          = var.ci.signing_key_arn
  prometheus_arn           = try(module.observability.prometheus.arn, "")
  cluster_arn              = "arn:${data.aws_partition.current.partition}:eks:${local.region}:${local.account}:cluster/${local.prefix}"
  repository_arns          = [for name in concat(keys(module.services.images), ["charts/${var.project}"]) : "arn:${data.aws_partition.current.partition}:ecr:${local.region}:${local.account}:repository/${var.project}/${name}"]
}
