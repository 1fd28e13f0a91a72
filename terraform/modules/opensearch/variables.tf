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
  description = "The version of OpenSearch."
  type        = string
  default     = "OpenSearch_2.19"

  validation {
    condition     = can(regex("^OpenSearch_[23]\\.[0-9]+$", var.engine_version))
    error_message = "A version looks like OpenSearch_2.19."
  }
}

variable "instance_type" {
  description = "The class of a data node."
  type        = string
  default     = "r7g.large.search"

  validation {
    condition     = can(regex("^[a-z0-9]+\\.[0-9]*[a-z]+\\.search$", var.instance_type))
    error_message = "A class looks like r7g.large.search."
  }
}

variable "volume_gib" {
  description = "The volume of a data node."
  type        = number
  default     = 100

  validation {
    condition     = var.volume_gib >= 10 && var.volume_gib <= 3072
    error_message = "Between 10 and 3,072 GiB."
  }
}

variable "client_role_arns" {
  description = "The roles that may read and write indexes."
  type        = list(string)

  validation {
    condition     = length(var.client_role_arns) > 0 && alltrue([for arn in var.client_role_arns : startswith(arn, "arn:")])
    error_message = "At least one ARN of a role."
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
