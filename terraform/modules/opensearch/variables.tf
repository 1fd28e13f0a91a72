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
    permissions_boundary_arn  = string
  })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.place.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }

  validation {
    condition     = length(var.place.subnet_ids) >= 3
    error_message = "Three zones: a data node in each."
  }
}

variable "settings" {
  description = "The domain: its version, and the class and volume of its data nodes."
  type = object({
    engine_version = optional(string, "OpenSearch_2.19")
    # The class of a data node.
    instance_type = optional(string, "r7g.large.search")
    # The volume of a data node.
    volume_gib = optional(number, 100)
  })

  validation {
    condition     = can(regex("^OpenSearch_[23]\\.[0-9]+$", var.settings.engine_version))
    error_message = "A version looks like OpenSearch_2.19."
  }

  validation {
    condition     = can(regex("^[a-z0-9]+\\.[0-9]*[a-z]+\\.search$", var.settings.instance_type))
    error_message = "A class looks like r7g.large.search."
  }

  validation {
    condition     = var.settings.volume_gib >= 10 && var.settings.volume_gib <= 3072
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
