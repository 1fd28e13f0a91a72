output "nodes" {
  description = "Type, number and cores of the nodes that services and edge need, at least one per zone."
  value       = { instance_type = local.node_type, count = local.nodes, cores = ceil(local.service_cores * 100) / 100 }
}

output "postgres" {
  description = "Server to cores, instance class and storage: one named `shared`, or one for each service."
  value       = local.servers
}

output "kafka" {
  description = "Class of each of the three brokers, the cores it needs, and its storage with half as much again to spare."
  value = {
    instance_type = local.broker_classes[tostring(tonumber([for size in local.broker_sizes : size if tonumber(size) >= min(64, local.broker_cores)][0]))]
    cores         = ceil(local.broker_cores * 100) / 100
    storage_gib   = min(16384, max(100, ceil(local.broker_gib * 1.5)))
  }
}

output "partitions" {
  description = "How many partitions the busiest topic needs at least; services/services.yaml has how many it gets."
  value       = local.partitions
}
