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
  description = "The version of Valkey."
  type        = string
  default     = "8.1"

  validation {
    condition     = can(regex("^(7\\.2|8\\.[0-9])$", var.engine_version))
    error_message = "Valkey 7.2 or 8."
  }
}

variable "node_type" {
  description = "The class of a node."
  type        = string
  default     = "cache.m7g.large"

  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[0-9]*[a-z]+$", var.node_type))
    error_message = "A class looks like cache.m7g.large."
  }
}

variable "nodes" {
  description = "The primary and its replicas; from two on, another takes over when the primary fails."
  type        = number
  default     = 2

  validation {
    condition     = var.nodes >= 1 && var.nodes <= 6
    error_message = "Between 1 and 6."
  }
}

variable "snapshot_retention_days" {
  description = "How long daily snapshots are kept; 0 for none: what is here can be read again from PostgreSQL."
  type        = number
  default     = 1

  validation {
    condition     = var.snapshot_retention_days >= 0 && var.snapshot_retention_days <= 35
    error_message = "Up to 35 days."
  }
}
