# The registry of services, and of the chart's values what they say of the systems outside: nothing else in terraform/ names a service,
# a database, a topic, an image or a system's secret. Needs no provider.

locals {
  registry = yamldecode(file(var.path))

  services = {
    for name, service in local.registry.services : name => {
      stores    = toset(try(service.stores, []))
      publishes = toset(try(service.publishes, []))
      consumes  = toset(try(service.consumes, []))
      outside   = toset(try(service.outside, []))
      cpu_ms    = try(service.cpu_ms, 0)
    }
  }

  outside = var.chart_path == "" ? {} : {
    for name, system in yamldecode(file(var.chart_path)).outside : name => toset([for secret in system.secrets : secret.name])
  }

  # A record that can't be handled goes to dead-letter, so whoever consumes may write there, and replays from there.
  dead_letter = "dead-letter"

  topics = {
    for name, topic in local.registry.topics : name => { partitions = topic.partitions, key = topic.key }
  }

  named = toset(flatten([for service in local.services : [tolist(service.publishes), tolist(service.consumes)]]))
}
