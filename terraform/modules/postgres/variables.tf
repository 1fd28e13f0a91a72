variable "place" {
  description = "Where it is made: what the environment says to each of its parts (the module `platform`)."
  type = object({
    prefix                    = string
    vpc_id                    = string
    subnet_ids                = list(string)
    client_security_group_ids = map(string)
    kms_key_arn               = string
    logs_kms_key_arn          = string
    secrets_kms_key_arn       = string
    log_retention_days        = number
    guarded                   = bool
    permissions_boundary_arn  = string
    # Where back-ups are copied to, and the key that they have there; null without copies.
    copies = optional(object({ region = string, kms_key_arn = string }))
  })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.place.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}

variable "settings" {
  description = "The database servers: their version and sizes, their connections, and how far back they can be restored."
  type = object({
    # PostgreSQL's major version, or an exact one; minor upgrades happen in the maintenance window.
    engine_version = optional(string, "18")
    # Connections that a server takes, at most.
    connections = optional(number, 500)
    # For how many days a server can be restored to any second.
    backup_retention_days = optional(number, 14)
    # The servers, by name: which services keep their databases there, and how large each is. One named `shared` does for most.
    servers = map(object({
      services         = set(string)
      instance_class   = string
      storage_gib      = number
      storage_most_gib = number
      multi_az         = optional(bool, true)
      replicas         = optional(number, 0)
      # The copied back-ups of another region's server that it begins with (their ARN); empty for an empty server.
      restored_from = optional(string, "")
      # The moment that it is restored to, as 2026-01-31T11:55:00Z: the same for all servers. Empty for the latest that there is.
      restored_to = optional(string, "")
    }))
  })

  validation {
    condition     = can(regex("^(16|17|18)(\\.[0-9]+)?$", var.settings.engine_version))
    error_message = "PostgreSQL 16 to 18."
  }

  validation {
    condition     = var.settings.connections >= 50 && var.settings.connections <= 5000
    error_message = "Between 50 and 5,000; every connection takes about 10 MB."
  }

  validation {
    condition     = var.settings.backup_retention_days >= 1 && var.settings.backup_retention_days <= 35
    error_message = "AWS restores up to 35 days back; 0 would be no backup."
  }

  validation {
    condition     = length(var.settings.servers) > 0
    error_message = "There is no server."
  }

  validation {
    condition     = length(flatten([for server in var.settings.servers : tolist(server.services)])) == length(distinct(flatten([for server in var.settings.servers : tolist(server.services)])))
    error_message = "A service's database is on one server."
  }

  validation {
    condition     = length(setsubtract(keys(var.databases), flatten([for server in var.settings.servers : tolist(server.services)]))) == 0 && length(setsubtract(flatten([for server in var.settings.servers : tolist(server.services)]), keys(var.databases))) == 0
    error_message = "The servers' services are not those with a database in services/services.yaml."
  }

  validation {
    condition     = alltrue([for server in var.settings.servers : can(regex("^db\\.[a-z0-9]+\\.[0-9]*[a-z]+$", server.instance_class))])
    error_message = "A class looks like db.r7g.large."
  }

  validation {
    condition     = alltrue([for server in var.settings.servers : server.storage_gib >= 20 && server.storage_most_gib > server.storage_gib && server.storage_most_gib <= 65536])
    error_message = "Storage starts with at least 20 GiB and may grow, to at most 65,536."
  }

  validation {
    condition     = alltrue([for server in var.settings.servers : server.restored_from == "" || can(regex("^arn:[a-z-]+:rds:[a-z0-9-]+:[0-9]{12}:auto-backup:", server.restored_from))])
    error_message = "A server begins with back-ups that were copied here: arn:aws:rds:REGION:ACCOUNT:auto-backup:ab-..."
  }

  validation {
    condition     = alltrue([for server in var.settings.servers : server.restored_to == "" || (server.restored_from != "" && can(formatdate("YYYY", server.restored_to)))])
    error_message = "A moment looks like 2026-01-31T11:55:00Z, and belongs to back-ups."
  }

  validation {
    condition     = alltrue([for server in var.settings.servers : server.replicas >= 0 && server.replicas <= 5])
    error_message = "Up to five replicas."
  }
}

variable "databases" {
  description = "Service to its database (the module `services`)."
  type        = map(string)

  validation {
    condition     = alltrue([for name in values(var.databases) : can(regex("^[a-z][a-z0-9_]{0,62}$", name))])
    error_message = "A database's name is an identifier of PostgreSQL without quotes."
  }
}
