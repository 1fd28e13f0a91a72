variable "prefix" {
  description = "What names begin with."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}
variable "mode" {
  description = "managed: Amazon's Prometheus and Grafana. in-cluster: the charts of the Prometheus operator; here are only logs and alarms then."
  type        = string
  default     = "managed"

  validation {
    condition     = contains(["managed", "in-cluster"], var.mode)
    error_message = "The mode is managed or in-cluster."
  }
}

variable "grafana" {
  description = "Whether Amazon's Grafana is made too; it wants IAM Identity Center in the account."
  type        = bool
  default     = true
}

variable "logs_kms_key_arn" {
  description = "The key of the logs and of the metrics."
  type        = string

  validation {
    condition     = startswith(var.logs_kms_key_arn, "arn:")
    error_message = "An ARN is expected."
  }
}

variable "alarms_kms_key_arn" {
  description = "The key of the topic that alarms are sent to."
  type        = string

  validation {
    condition     = startswith(var.alarms_kms_key_arn, "arn:")
    error_message = "An ARN is expected."
  }
}

variable "log_retention_days" {
  description = "How long the services' logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([7, 14, 30, 60, 90, 180, 365, 400, 731], var.log_retention_days)
    error_message = "CloudWatch keeps logs for 7, 14, 30, 60, 90, 180, 365, 400 or 731 days."
  }
}

variable "recipients" {
  description = "E-mail addresses that get alarms and word of the budget; each confirms once."
  type        = set(string)

  validation {
    condition     = length(var.recipients) > 0 && alltrue([for address in var.recipients : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", address))])
    error_message = "At least one e-mail address: an alarm that nobody gets is none."
  }
}

variable "monthly_budget_usd" {
  description = "What a month may cost, in US dollars; word comes at 80 % and 100 %, and when a forecast exceeds it."
  type        = number

  validation {
    condition     = var.monthly_budget_usd > 0
    error_message = "A budget is above 0."
  }
}

variable "kafka" {
  description = "The cluster of brokers and how many there are."
  type        = object({ name = string, brokers = number })

  validation {
    condition     = var.kafka.brokers >= 3
    error_message = "At least three brokers."
  }
}

variable "databases" {
  description = "Servers and replicas by a name: identifier, memory and storage that is to stay free, and whether it is a replica."
  type = map(object({
    identifier       = string
    free_storage_gib = number
    connections      = number
    replica          = bool
  }))

  validation {
    condition     = length(var.databases) > 0
    error_message = "There are no databases to watch."
  }
}

variable "caches" {
  description = "The nodes of the cache, by a name."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for node in values(var.caches) : length(node) > 0])
    error_message = "A node has a name."
  }
}

variable "cost_tag" {
  description = "The tag by which costs are counted, activated as a cost allocation tag: key and value."
  type        = object({ key = string, value = string })
  default     = null

  validation {
    condition     = var.cost_tag == null || try(length(var.cost_tag.key) > 0 && length(var.cost_tag.value) > 0, false)
    error_message = "A tag has a key and a value."
  }
}
