# The registry of services, read: nothing else in terraform/ names a service, a database, a topic or an image. Needs no provider.

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

  # A record that can't be handled goes to dead-letter, so whoever consumes may write there, and replays from there.
  dead_letter = "dead-letter"

  topics = {
    for name, topic in local.registry.topics : name => { partitions = topic.partitions, key = topic.key }
  }

  named = toset(flatten([for service in local.services : [tolist(service.publishes), tolist(service.consumes)]]))
}
