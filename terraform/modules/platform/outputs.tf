output "values" {
  description = "What the chart is installed with besides values-aws.yaml: the same names as there."
  value = merge({
    imageRegistry = local.registry
    awsRegion     = local.region

    kafka = {
      bootstrap        = module.kafka.bootstrap
      securityProtocol = "SASL_SSL"
      saslMechanism    = "AWS_MSK_IAM"
      replication      = module.kafka.replication
      egress           = [{ to = [for cidr in module.network.intra_cidrs : { ipBlock = { cidr = cidr } }], ports = [module.kafka.port] }]
    }
    postgres = {
      egress = [{ to = [for cidr in module.network.intra_cidrs : { ipBlock = { cidr = cidr } }], ports = [5432] }]
    }
    redis = {
      egress = [{ to = [for cidr in module.network.intra_cidrs : { ipBlock = { cidr = cidr } }], ports = [6379] }]
    }

    secrets = {
      externalSecrets = {
        enabled = true
        store   = { name = "aws-secrets-manager", kind = "ClusterSecretStore" }
        path    = "${var.project}/${var.environment}"
      }
    }

    outside = merge(
      {
        sns = { egress = [{ to = [for block in local.sns : { ipBlock = block }], ports = [443] }] }
        s3 = {
          environment = { CATALOG_IMAGES_BUCKET = module.images.bucket, CATALOG_IMAGES_URL = module.images.url }
          egress      = [{ to = [{ ipBlock = local.world }], ports = [443] }]
        }
      },
      local.engine,
    )

    # Where lists may be read that may be a moment old: without a login, which is the database's.
    services = {
      for service, database in module.postgres.databases : service => {
        environment = { "${upper(service)}_REPLICA_URL" = "postgresql://${database.replica}:5432" }
      } if database.replica != null
    }

    tokens = { issuer = "https://${var.edge.hosts[0]}" }
    edge = merge({
      from           = [for cidr in module.network.public_cidrs : { ipBlock = { cidr = cidr } }]
      allowedOrigins = local.shop_origins
      ingress = {
        enabled        = true
        hosts          = var.edge.hosts
        certificateArn = module.edge.certificate_arn
        wafArn         = module.edge.waf_arn
        # Names and certificates of the shop hang on its address.
        deletionProtection = var.guarded
      }
    }, try(local.sizes.edge, {}))
  }, { for role, size in local.sizes : role => size if role != "edge" })
}

# Where SNS is: at its endpoint inside the network, else anywhere but in private networks. S3 is always the latter: the endpoint inside
# the network only routes to its public addresses, and AWS adds some when it likes.
locals {
  world = { cidr = "0.0.0.0/0", except = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"] }
  sns   = [for block in contains(module.network.endpoints, "sns") ? [for cidr in module.network.private_cidrs : { cidr = cidr, except = null }] : [local.world] : { for key, value in block : key => value if value != null }]
}

# The engine of search: OpenSearch where there is one, with a copy of each shard in two more zones. Search signs its requests.
locals {
  engine = var.opensearch == null ? {} : {
    opensearch = {
      environment = {
        SEARCH_ENGINE                = "opensearch"
        SEARCH_OPENSEARCH_URL        = module.opensearch[0].url
        SEARCH_OPENSEARCH_AWS_REGION = local.region
        SEARCH_OPENSEARCH_REPLICAS   = "2"
      }
      egress = [{ to = [for cidr in module.network.intra_cidrs : { ipBlock = { cidr = cidr } }], ports = [443] }]
    }
  }
}

# How many pods there are and what they ask for, as the chart's values say it.
locals {
  sizes = var.pods == null ? {} : {
    for role, pods in var.pods : role => {
      autoscaling = { minReplicas = pods.least, maxReplicas = pods.most }
      resources   = { requests = { cpu = pods.cpu } }
    }
  }
}

output "credentials" {
  description = "What the job needs that makes databases, roles and secrets (scripts/cloud): addresses and names, and no secret."
  value = {
    region          = local.region
    secrets         = "${var.project}/${var.environment}"
    databases       = { for service, database in module.postgres.databases : service => { server = database.server, name = database.database } }
    servers         = { for name, server in module.postgres.servers : name => { address = server.address, port = server.port, master_secret = server.master_secret } }
    cache           = { id = module.redis.id, address = module.redis.address, port = 6379 }
    service_account = module.identities.service_accounts["credentials"]
    image           = "${local.registry}/${var.project}/tools"
    by_operator     = module.secrets.by_operator
  }
}

output "cluster" {
  description = "The cluster: what `aws eks update-kubeconfig` is told, and where its API answers."
  value       = { name = module.cluster.name, region = local.region, endpoint = module.cluster.endpoint }
}

output "controllers" {
  description = "What the cluster's controllers are installed with: each one's namespace, service account and role."
  value = {
    for name in keys(local.controllers) : name => {
      namespace       = module.identities.service_accounts[name].namespace
      service_account = module.identities.service_accounts[name].name
      role_arn        = module.identities.role_arns[name]
    }
  }
}

output "admission" {
  description = "What the cluster lets in: images of this registry that bear a signature by this key; null where nothing is signed."
  value       = local.signed ? { registry = "${local.registry}/${var.project}", public_key = data.aws_kms_public_key.signing[0].public_key_pem } : null
}

output "karpenter" {
  description = "What Karpenter is installed with."
  value       = module.cluster.karpenter
}

output "network" {
  description = "The network, and the addresses under which the platform is seen outside."
  value       = { vpc_id = module.network.vpc_id, egress_addresses = module.network.egress_addresses }
}

output "edge" {
  description = "The names of the API, their zone, and the name servers to give to the registrar if the zone is new."
  value       = { hosts = module.edge.hosts, zone_id = module.edge.zone_id, name_servers = module.edge.name_servers }
}

output "observability" {
  description = "Where logs, metrics and alarms are."
  value = {
    log_group        = module.observability.log_group
    alarms_topic_arn = module.observability.alarms_topic_arn
    prometheus       = module.observability.prometheus
    grafana          = module.observability.grafana
  }
}

output "opensearch" {
  description = "Where OpenSearch answers; null without it."
  value       = one([for domain in module.opensearch : domain.url])
}

output "copies" {
  description = "Where copies are: the region, the bucket of images; null without."
  value       = var.copies == null ? null : { region = var.copies.region, images_bucket = module.images.copy }
}

output "jenkins_role_arns" {
  description = "Jenkins' roles for this environment; empty without it."
  value       = try(module.ci[0].role_arns, {})
}
