variable "prefix" {
  description = "What names begin with."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}

variable "vpc_id" {
  description = "The network."
  type        = string

  validation {
    condition     = length(var.vpc_id) > 0
    error_message = "A network is needed."
  }
}

variable "subnet_ids" {
  description = "The subnets without a way out, one per zone."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "At least two zones."
  }
}

variable "client_security_group_ids" {
  description = "Who may connect, by a name for the rule: the nodes of the cluster."
  type        = map(string)

  validation {
    condition     = length(var.client_security_group_ids) > 0
    error_message = "Nobody could connect."
  }
}

variable "kms_key_arn" {
  description = "The key of what is kept on disks."
  type        = string

  validation {
    condition     = startswith(var.kms_key_arn, "arn:")
    error_message = "An ARN is expected."
  }
}

variable "logs_kms_key_arn" {
  description = "The key of the logs."
  type        = string

  validation {
    condition     = startswith(var.logs_kms_key_arn, "arn:")
    error_message = "An ARN is expected."
  }
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([7, 14, 30, 60, 90, 180, 365, 400, 731], var.log_retention_days)
    error_message = "CloudWatch keeps logs for 7, 14, 30, 60, 90, 180, 365, 400 or 731 days."
  }
}

variable "guarded" {
  description = "Whether a plan that destroys or replaces it is refused."
  type        = bool
  default     = true
}
variable "engine_version" {
  description = "PostgreSQL's major version, or an exact one; minor upgrades happen in the maintenance window."
  type        = string
  default     = "18"

  validation {
    condition     = can(regex("^(16|17|18)(\\.[0-9]+)?$", var.engine_version))
    error_message = "PostgreSQL 16 to 18."
  }
}

variable "servers" {
  description = "The servers, by name: which services keep their databases there, and how large each is. One named `shared` does for most."
  type = map(object({
    services         = set(string)
    instance_class   = string
    storage_gib      = number
    storage_most_gib = number
    multi_az         = optional(bool, true)
    replicas         = optional(number, 0)
  }))

  validation {
    condition     = length(var.servers) > 0
    error_message = "There is no server."
  }

  validation {
    condition     = length(flatten([for server in var.servers : tolist(server.services)])) == length(distinct(flatten([for server in var.servers : tolist(server.services)])))
    error_message = "A service's database is on one server."
  }

  validation {
    condition     = length(setsubtract(keys(var.databases), flatten([for server in var.servers : tolist(server.services)]))) == 0 && length(setsubtract(flatten([for server in var.servers : tolist(server.services)]), keys(var.databases))) == 0
    error_message = "The servers' services are not those with a database in services/services.yaml."
  }

  validation {
    condition     = alltrue([for server in var.servers : can(regex("^db\\.[a-z0-9]+\\.[0-9]*[a-z]+$", server.instance_class))])
    error_message = "A class looks like db.r7g.large."
  }

  validation {
    condition     = alltrue([for server in var.servers : server.storage_gib >= 20 && server.storage_most_gib > server.storage_gib && server.storage_most_gib <= 65536])
    error_message = "Storage starts with at least 20 GiB and may grow, to at most 65,536."
  }

  validation {
    condition     = alltrue([for server in var.servers : server.replicas >= 0 && server.replicas <= 5])
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

variable "backup_retention_days" {
  description = "For how many days a server can be restored to any second."
  type        = number
  default     = 14

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 35
    error_message = "AWS restores up to 35 days back; 0 would be no backup."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete a server; a last snapshot is taken then, too."
  type        = bool
  default     = true
}

variable "secrets_kms_key_arn" {
  description = "The key of the masters' passwords."
  type        = string

  validation {
    condition     = startswith(var.secrets_kms_key_arn, "arn:")
    error_message = "An ARN is expected."
  }
}

variable "connections" {
  description = "Connections that a server takes, at most."
  type        = number
  default     = 500

  validation {
    condition     = var.connections >= 50 && var.connections <= 5000
    error_message = "Between 50 and 5,000; every connection takes about 10 MB."
  }
}

variable "permissions_boundary_arn" {
  description = "The boundary that roles carry (the module `boundary`)."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:policy/", var.permissions_boundary_arn))
    error_message = "The ARN of a policy is expected."
  }
}
