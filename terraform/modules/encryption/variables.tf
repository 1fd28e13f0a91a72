variable "prefix" {
  description = "What names begin with."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}

variable "deletion_window_in_days" {
  description = "How long a key that is to be deleted can still be kept."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_window_in_days >= 7 && var.deletion_window_in_days <= 30
    error_message = "AWS keeps a key between 7 and 30 days."
  }
}

variable "copies_region" {
  description = "The region that what keeps data is copied to, which has a key of its own; empty without copies."
  type        = string
  default     = ""

  validation {
    condition     = var.copies_region == "" || can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.copies_region))
    error_message = "A region looks like eu-west-1."
  }
}

variable "purposes" {
  description = "What keys are made for."
  type        = set(string)
  default     = ["alarms", "cluster", "data", "logs", "secrets"]

  validation {
    condition     = length(var.purposes) > 0 && length(setsubtract(var.purposes, ["alarms", "cluster", "data", "logs", "registry", "secrets"])) == 0
    error_message = "Purposes are alarms, cluster, data, logs, registry and secrets."
  }
}
