variable "place" {
  description = "Where it is made: what the environment says to each of its parts (the module `platform`)."
  type = object({
    prefix                    = string
    vpc_id                    = string
    subnet_ids                = list(string)
    client_security_group_ids = map(string)
    kms_key_arn               = string
    logs_kms_key_arn          = string
    log_retention_days        = number
    guarded                   = bool
  })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.place.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}

variable "settings" {
  description = "The cache: its version, its nodes, and its snapshots."
  type = object({
    # The version of Valkey.
    engine_version = optional(string, "8.1")
    # The class of a node.
    node_type = optional(string, "cache.m7g.large")
    # The primary and its replicas; from two on, another takes over when the primary fails.
    nodes = optional(number, 2)
    # How long daily snapshots are kept; 0 for none: what is here can be read again from PostgreSQL.
    snapshot_retention_days = optional(number, 1)
  })
  default = {}

  validation {
    condition     = can(regex("^(7\\.2|8\\.[0-9])$", var.settings.engine_version))
    error_message = "Valkey 7.2 or 8."
  }

  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[0-9]*[a-z]+$", var.settings.node_type))
    error_message = "A class looks like cache.m7g.large."
  }

  validation {
    condition     = var.settings.nodes >= 1 && var.settings.nodes <= 6
    error_message = "Between 1 and 6."
  }

  validation {
    condition     = var.settings.snapshot_retention_days >= 0 && var.settings.snapshot_retention_days <= 35
    error_message = "Up to 35 days."
  }
}
