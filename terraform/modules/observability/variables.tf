variable "place" {
  description = "Where it is made: what the environment says to each of its parts (the module `platform`)."
  type = object({
    prefix                   = string
    logs_kms_key_arn         = string
    alarms_kms_key_arn       = string
    log_retention_days       = number
    permissions_boundary_arn = string
  })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.place.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}

variable "settings" {
  description = "Where metrics go, who gets alarms, and what a month may cost."
  type = object({
    # managed: Amazon's Prometheus and Grafana. in-cluster: the charts of the Prometheus operator; here are only logs and alarms then.
    mode = optional(string, "managed")
    # Whether Amazon's Grafana is made too; it wants IAM Identity Center in the account.
    grafana = optional(bool, true)
    # E-mail addresses that get alarms and word of the budget; each confirms once.
    recipients = set(string)
    # What a month may cost, in US dollars; word comes at 80 % and 100 %, and when a forecast exceeds it.
    monthly_budget_usd = number
  })

  validation {
    condition     = contains(["managed", "in-cluster"], var.settings.mode)
    error_message = "The mode is managed or in-cluster."
  }

  validation {
    condition     = length(var.settings.recipients) > 0 && alltrue([for address in var.settings.recipients : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", address))])
    error_message = "At least one e-mail address: an alarm that nobody gets is none."
  }

  validation {
    condition     = var.settings.monthly_budget_usd > 0
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
