# From orders a second to machines: the arithmetic of docs/aws.md, in one place, tested, and without a provider.
#
#   cores = orders a second x CPU ms per order / 1000 x small_batch_factor / utilisation

locals {
  cores_per_ms = var.orders_per_second / 1000 * var.small_batch_factor / var.utilisation

  # Nodes: Graviton with four cores, of which system pods take about 0.5.
  node_type     = "m7g.xlarge"
  node_cores    = 3.5
  service_ms    = [for service in values(var.services) : service.cpu_ms]
  service_cores = (sum(local.service_ms) + var.edge_ms) * local.cores_per_ms
  nodes         = max(3, ceil(local.service_cores / local.node_cores))

  # PostgreSQL: one server until it needs more than 16 cores, then one for each service, by its share of the work.
  classes        = { "2" = "db.r7g.large", "4" = "db.r7g.xlarge", "8" = "db.r7g.2xlarge", "16" = "db.r7g.4xlarge", "32" = "db.r7g.8xlarge", "48" = "db.r7g.12xlarge", "64" = "db.r7g.16xlarge" }
  sizes          = sort([for size in keys(local.classes) : format("%03d", size)])
  postgres_cores = var.postgres_ms * local.cores_per_ms
  stores         = { for name, service in var.services : name => service.cpu_ms if service.database }
  split          = local.postgres_cores > 16
  shares         = local.split ? { for name, ms in local.stores : name => ms / sum(values(local.stores)) } : { shared = 1 }
  servers = {
    for name, share in local.shares : name => {
      cores          = ceil(share * local.postgres_cores * 100) / 100
      instance_class = local.classes[tostring(tonumber([for size in local.sizes : size if tonumber(size) >= min(64, share * local.postgres_cores)][0]))]
      storage_gib    = min(16384, max(20, ceil(share * local.postgres_gib)))
    }
  }
  orders_per_day = var.orders_per_second * var.average_share * 86400
  postgres_gib   = local.orders_per_day * var.growth_days * var.postgres_bytes_per_order / pow(1024, 3)

  # Kafka: three brokers, one per zone; each of them keeps every record.
  broker_classes = { "2" = "kafka.m7g.large", "4" = "kafka.m7g.xlarge", "8" = "kafka.m7g.2xlarge", "16" = "kafka.m7g.4xlarge", "32" = "kafka.m7g.8xlarge", "64" = "kafka.m7g.16xlarge" }
  broker_sizes   = sort([for size in keys(local.broker_classes) : format("%03d", size)])
  broker_cores   = var.kafka_ms * local.cores_per_ms
  broker_gib     = local.orders_per_day * var.retention_days * var.kafka_bytes_per_order / pow(1024, 3)

  # One process consumes a partition, with one core at most, of which it uses 65 %.
  partitions = ceil(var.orders_per_second * max(local.service_ms...) / 1000 * var.small_batch_factor / 0.65)
}
