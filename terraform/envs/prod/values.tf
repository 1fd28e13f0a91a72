# Production, sized for 1,000 orders a second (docs/aws.md says why, and what to change for other rates).

locals {
  environment = "prod"

  values = {
    guarded            = true
    log_retention_days = 365

    network = { vpc_cidr = "10.40.0.0/16" }

    cluster = {
      node_groups = {
        base = { capacity_type = "ON_DEMAND", instance_types = ["m7g.xlarge"], min_size = 3, desired_size = 3, max_size = 6 }
        spot = { capacity_type = "SPOT", instance_types = ["m7g.xlarge", "m6g.xlarge", "c7g.xlarge", "r7g.xlarge"], min_size = 0, desired_size = 10, max_size = 18 }
      }
    }

    # As the chart's values-aws.yaml has them.
    pods = null

    kafka = {
      instance_type    = module.sizing.kafka.instance_type
      storage_gib      = module.sizing.kafka.storage_gib
      storage_most_gib = min(16384, 4 * module.sizing.kafka.storage_gib)
      retention_hours  = 168
    }

    postgres = {
      backup_retention_days = 35
      connections           = 3400
      servers = {
        for name, server in module.sizing.postgres : name => {
          # One called `shared` has all services; otherwise each is called after the service it has.
          services         = name == "shared" ? [] : [name]
          instance_class   = server.instance_class
          storage_gib      = server.storage_gib
          storage_most_gib = min(65536, 4 * server.storage_gib)
          replicas         = 1
        }
      }
    }

    redis = {
      node_type = "cache.m7g.large"
      nodes     = 3
    }

    edge          = {}
    observability = {}

    # Releases alone come here: what the Jenkinsfile does in production, it does in builds of tags.
    builds = ["v*"]
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
