variable "path" {
  description = "What secrets' names begin with, such as souk/prod: the chart's secrets.externalSecrets.path."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(/[a-z][a-z0-9]*)+$", var.path))
    error_message = "A path of lower-case words, such as souk/prod."
  }
}

variable "services" {
  description = "Each service with its stores and what it talks to outside (the module `services`)."
  type        = map(object({ stores = set(string), outside = set(string) }))

  validation {
    condition     = length(var.services) > 0
    error_message = "There is no service."
  }
}

variable "kms_key_arn" {
  description = "The key of the secrets."
  type        = string

  validation {
    condition     = startswith(var.kms_key_arn, "arn:")
    error_message = "An ARN is expected."
  }
}

variable "recovery_window_in_days" {
  description = "How long a deleted secret can be brought back; 0 deletes at once, so that an environment can be made again the same day."
  type        = number
  default     = 30

  validation {
    condition     = var.recovery_window_in_days == 0 || (var.recovery_window_in_days >= 7 && var.recovery_window_in_days <= 30)
    error_message = "0, or between 7 and 30 days."
  }
}

variable "master_secret_arns" {
  description = "The secrets of the database masters, which the job that makes roles reads."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.master_secret_arns : startswith(arn, "arn:")])
    error_message = "ARNs are expected."
  }
}

variable "replication_group_arn" {
  description = "The cache whose password the job rotates; empty without one."
  type        = string
  default     = ""

  validation {
    condition     = var.replication_group_arn == "" || startswith(var.replication_group_arn, "arn:")
    error_message = "An ARN is expected."
  }
}
