variable "place" {
  description = "Where it is made: what the environment says to each of its parts (the module `platform`)."
  type = object({
    prefix             = string
    vpc_arn            = string
    logs_kms_key_arn   = string
    log_retention_days = number
  })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.place.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}

variable "settings" {
  description = "The names under which the API is reached, their zone, and how much one address may ask."
  type = object({
    # The names under which the shop's API is reached; the first is the certificate's own.
    hosts = list(string)
    # The DNS zone that the hosts are in.
    zone_name = string
    # Whether the zone is made here; otherwise it exists already.
    create_zone = optional(bool, false)
    # How many requests one address may send in five minutes before it is refused.
    requests_per_five_minutes = optional(number, 2000)
  })

  validation {
    condition     = length(var.settings.hosts) > 0 && alltrue([for host in var.settings.hosts : can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", host))])
    error_message = "At least one host name, in lower case."
  }

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.settings.zone_name)) && alltrue([for host in var.settings.hosts : host == var.settings.zone_name || endswith(host, ".${var.settings.zone_name}")])
    error_message = "A domain name that all hosts end with."
  }

  validation {
    condition     = var.settings.requests_per_five_minutes >= 10 && var.settings.requests_per_five_minutes <= 2000000000
    error_message = "AWS WAF counts from 10 on."
  }
}
