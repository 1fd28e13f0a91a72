# Development: the same parts as production, small, on spot, with one NAT gateway, and nothing that refuses to be destroyed.

locals {
  environment = "dev"

  values = {
    guarded            = false
    log_retention_days = 30

    network = { vpc_cidr = "10.20.0.0/16", single_nat_gateway = true }

    cluster = {
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
      backup_retention_days = 1
      connections           = 550
      servers = {
        shared = { instance_class = "db.t4g.medium", storage_gib = 20, storage_most_gib = 100, multi_az = false }
      }
    }

    redis = {
      node_type               = "cache.t4g.small"
      nodes                   = 1
      snapshot_retention_days = 0
    }

    # The load test of a release comes from one address.
    edge          = { requests_per_five_minutes = 10000 }
    observability = {}

    # Main and releases come here, as the Jenkinsfile says; another branch has no business in AWS.
    builds = ["main/", "v*"]
  }
}
