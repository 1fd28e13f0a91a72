output "services" {
  description = "Each service: its stores, the topics it publishes and consumes, and what it talks to outside."
  value       = local.services

  precondition {
    condition     = length(setsubtract(local.named, keys(local.topics))) == 0
    error_message = "Services name topics that the registry does not have: ${join(", ", setsubtract(local.named, keys(local.topics)))}."
  }
}

output "outside" {
  description = "The secrets that the chart's services read to reach systems outside: none of those that they reach by a role."
  value       = toset(flatten([for service in local.services : [for system in service.outside : tolist(try(local.outside[system], []))]]))

  precondition {
    condition     = var.chart_path == "" || alltrue([for service in local.services : length(setsubtract(service.outside, keys(local.outside))) == 0])
    error_message = "Services talk to systems that the chart's values do not have."
  }
}

output "databases" {
  description = "Service to the name of its database and role."
  value       = { for name, service in local.services : name => "souk_${name}" if contains(service.stores, "postgres") }
}

output "cached" {
  description = "The services that keep data in Redis."
  value       = toset([for name, service in local.services : name if contains(service.stores, "redis")])
}

output "topics" {
  description = "Each topic: how many partitions it starts with, and what its records' key is."
  value       = local.topics
}

output "access" {
  description = "Service to the topics it writes, the topics it reads, and its consumer group; nothing for one without topics."
  value = {
    for name, service in local.services : name => {
      write = setunion(service.publishes, length(service.consumes) > 0 ? [local.dead_letter] : [])
      read  = service.consumes
      group = name
    } if length(setunion(service.publishes, service.consumes)) > 0
  }
}

output "sizes" {
  description = "Service to the CPU of its processes per confirmed order in milliseconds, and whether it has a database: what modules/sizing takes."
  value       = { for name, service in local.services : name => { cpu_ms = service.cpu_ms, database = contains(service.stores, "postgres") } }
}

output "partitions" {
  description = "How many partitions there are in all, copies not counted."
  value       = sum([for topic in local.topics : topic.partitions])
}

output "images" {
  description = "The images that the charts run; true for those that only a development cluster has."
  value       = { for name, image in local.registry.images : name => try(image.development, false) }
}
