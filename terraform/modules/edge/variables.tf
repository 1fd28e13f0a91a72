variable "prefix" {
  description = "What names begin with."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}
variable "hosts" {
  description = "The names under which the shop's API is reached; the first is the certificate's own."
  type        = list(string)

  validation {
    condition     = length(var.hosts) > 0 && alltrue([for host in var.hosts : can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", host))])
    error_message = "At least one host name, in lower case."
  }
}

variable "zone_name" {
  description = "The DNS zone that the hosts are in."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.zone_name)) && alltrue([for host in var.hosts : host == var.zone_name || endswith(host, ".${var.zone_name}")])
    error_message = "A domain name that all hosts end with."
  }
}

variable "create_zone" {
  description = "Whether the zone is made here; otherwise it exists already."
  type        = bool
  default     = false
}

variable "requests_per_five_minutes" {
  description = "How many requests one address may send in five minutes before it is refused."
  type        = number
  default     = 2000

  validation {
    condition     = var.requests_per_five_minutes >= 10 && var.requests_per_five_minutes <= 2000000000
    error_message = "AWS WAF counts from 10 on."
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
  description = "How long the firewall's log is kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([7, 14, 30, 60, 90, 180, 365, 400, 731], var.log_retention_days)
    error_message = "CloudWatch keeps logs for 7, 14, 30, 60, 90, 180, 365, 400 or 731 days."
  }
}

variable "vpc_arn" {
  description = "The network that load balancers are made in."
  type        = string

  validation {
    condition     = startswith(var.vpc_arn, "arn:")
    error_message = "An ARN is expected."
  }
}
