# One environment, whole: what its roots differ in is size alone.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

# The public half of what releases are signed with: the cluster lets in what bears it.
data "aws_kms_public_key" "signing" {
  count = local.signed ? 1 : 0

  key_id = var.ci.signing_key_arn
}

locals {
  prefix  = "${var.project}-${var.environment}"
  nodes   = { nodes = module.cluster.security_group_id }
  account = data.aws_caller_identity.current.account_id
  region  = data.aws_region.current.region
  # Where the shop's pages come from.
  shop_origins = ["https://${var.edge.zone_name}"]
  # Whether there is a key that signs releases.
  signed   = try(var.ci.signing_key_arn, "") != ""
  registry = "${local.account}.dkr.ecr.${local.region}.${data.aws_partition.current.dns_suffix}"

  repositories = "arn:${data.aws_partition.current.partition}:ecr:${local.region}:${local.account}:repository/${var.project}"
  image_arns   = [for name in keys(module.services.images) : "${local.repositories}/${name}"]

  # What parts are told that are made everywhere alike, and those that are reached inside the network alone.
  everywhere = {
    prefix                   = local.prefix
    logs_kms_key_arn         = module.encryption.arns.logs
    log_retention_days       = var.log_retention_days
    guarded                  = var.guarded
    permissions_boundary_arn = module.boundary.arn
    copies                   = module.encryption.copies
    tags                     = var.tags
  }
  inside = merge(local.everywhere, {
    vpc_id                    = module.network.vpc_id
    subnet_ids                = values(module.network.intra_subnet_ids)
    client_security_group_ids = local.nodes
    kms_key_arn               = module.encryption.arns.data
  })

  # A server whose services are not named has all that no other has.
  placed = flatten([for server in var.postgres.servers : try(tolist(server.services), [])])
  servers = {
    for name, server in var.postgres.servers : name => merge(server, {
      services = toset(length(try(server.services, [])) > 0 ? server.services : tolist(setsubtract(keys(module.services.databases), local.placed)))
    })
  }
}

module "services" {
  source = "../services"

  path       = var.services_path
  chart_path = var.chart_path
}

module "encryption" {
  source = "../encryption"

  prefix                  = local.prefix
  deletion_window_in_days = var.guarded ? 30 : 7
  copies_region           = try(var.copies.region, "")
}

# Every role but Jenkins' own carries it.
module "boundary" {
  source = "../boundary"

  prefix       = local.prefix
  secrets_path = "${var.project}/${var.environment}"
}

module "network" {
  source = "../network"

  place    = merge(local.everywhere, { cluster_name = local.prefix })
  settings = var.network
}

module "cluster" {
  source = "../cluster"

  place    = merge(local.everywhere, { kms_key_arn = module.encryption.arns.cluster, subnet_ids = values(module.network.private_subnet_ids) })
  settings = var.cluster

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

  place    = local.inside
  settings = var.kafka
  access   = module.services.access
  topics   = toset(keys(module.services.topics))
}

module "postgres" {
  source = "../postgres"

  place     = merge(local.inside, { secrets_kms_key_arn = module.encryption.arns.secrets })
  settings  = merge(var.postgres, { servers = local.servers })
  databases = module.services.databases
}

module "redis" {
  source = "../redis"

  place    = local.inside
  settings = var.redis
}

module "opensearch" {
  source = "../opensearch"
  count  = var.opensearch == null ? 0 : 1

  place    = local.inside
  settings = var.opensearch
  client_role_arns = [
    for name, service in module.services.services : module.identities.role_arns[name] if contains(service.outside, "opensearch")
  ]
}

module "secrets" {
  source = "../secrets"

  place    = merge(local.everywhere, { path = "${var.project}/${var.environment}", kms_key_arn = module.encryption.arns.secrets })
  services = module.services.services
  outside  = module.services.outside

  rotated = {
    master_secret_arns    = [for server in module.postgres.servers : server.master_secret]
    replication_group_arn = module.redis.arn
  }
}

module "edge" {
  source = "../edge"

  place    = merge(local.everywhere, { vpc_arn = module.network.vpc_arn })
  settings = var.edge
}

module "images" {
  source = "../images"

  place    = local.everywhere
  settings = { host = "${try(var.edge.images, "images")}.${var.edge.zone_name}", zone_id = module.edge.zone_id, origins = local.shop_origins }
}

module "observability" {
  source = "../observability"

  place    = merge(local.everywhere, { alarms_kms_key_arn = module.encryption.arns.alarms })
  settings = var.observability
  cost_tag = { key = "environment", value = var.environment }
  kafka    = { name = module.kafka.name, brokers = module.kafka.brokers }
  caches   = { for at, node in module.redis.nodes : "cache-${at + 1}" => node }

  databases = merge(
    {
      for name, server in local.servers : name => {
        identifier       = "${local.prefix}-${name}"
        free_storage_gib = max(1, min(32, floor(server.storage_gib / 25)))
        connections      = module.postgres.connections
        replica          = false
      }
    },
    merge([
      for name, server in local.servers : {
        for at in range(try(server.replicas, 0)) : "${name}-${at + 1}" => {
          identifier       = "${local.prefix}-${name}-${at + 1}"
          free_storage_gib = max(1, min(32, floor(server.storage_gib / 25)))
          connections      = module.postgres.connections
          replica          = true
        }
      }
    ]...),
  )
}

# Who runs in the cluster and needs something of AWS.
locals {
  # A release, and the canary of the next one beside it.
  releases = [var.release.name, "${var.release.name}-canary"]

  service_accounts = {
    for name, service in module.services.services : name => {
      namespace        = var.release.namespace
      service_accounts = [for release in local.releases : "${release}-${name}"]
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

  # Signatures lie beside the images.
  signatures_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      # Signing in knows no narrower resource.
      Sid      = "SignIn"
      Effect   = "Allow"
      Action   = ["ecr:GetAuthorizationToken"]
      Resource = "*"
      }, {
      Sid      = "Signatures"
      Effect   = "Allow"
      Action   = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Resource = local.image_arns
    }]
  })

  controllers = merge(
    {
      topics           = { namespace = var.release.namespace, service_accounts = [for release in local.releases : "${release}-topics"], policies = { administer = module.kafka.administration_policy } }
      keda             = { namespace = "keda", service_accounts = ["keda-operator"], policies = { lag = module.kafka.lag_policy } }
      external-secrets = { namespace = "external-secrets", service_accounts = ["external-secrets"], policies = { read = module.secrets.reader_policy } }
      load-balancer    = { namespace = "kube-system", service_accounts = ["aws-load-balancer-controller"], policies = { balancers = module.edge.balancer_policy } }
      external-dns     = { namespace = "kube-system", service_accounts = ["external-dns"], policies = { names = module.edge.names_policy } }
      logs             = { namespace = "monitoring", service_accounts = ["fluent-bit"], policies = { write = module.observability.logs_policy } }
      credentials      = { namespace = var.release.namespace, service_accounts = ["${var.release.name}-credentials"], policies = { write = module.secrets.writer_policy } }
    },
    !module.observability.managed ? {} : {
      metrics = { namespace = "monitoring", service_accounts = ["prometheus"], policies = { write = module.observability.metrics_policy } }
    },
    !local.signed ? {} : {
      admission = { namespace = "kyverno", service_accounts = ["kyverno-admission-controller"], policies = { read = local.signatures_policy } }
    },
  )
}

module "identities" {
  source = "../identities"

  place     = merge(local.everywhere, { cluster_name = module.cluster.name, cluster_arn = module.cluster.arn })
  workloads = merge(local.service_accounts, local.controllers)
}

module "ci" {
  source = "../ci"
  count  = var.ci == null ? 0 : 1

  settings = var.ci

  place = merge(local.everywhere, {
    prometheus_arn  = try(module.observability.prometheus.arn, "")
    cluster_arn     = "arn:${data.aws_partition.current.partition}:eks:${local.region}:${local.account}:cluster/${local.prefix}"
    repository_arns = concat(local.image_arns, ["${local.repositories}/charts/${var.project}"])
  })
}
