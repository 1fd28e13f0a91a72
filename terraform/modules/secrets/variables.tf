variable "place" {
  description = "Where it is made: what the environment says to each of its parts (the module `platform`)."
  type = object({
    path        = string
    kms_key_arn = string
    guarded     = bool
    copies      = optional(object({ region = string, kms_key_arn = string }))
  })

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(/[a-z][a-z0-9]*)+$", var.place.path))
    error_message = "Secrets' names begin with a path of lower-case words, such as souk/prod: the chart's secrets.externalSecrets.path."
  }
}

variable "services" {
  description = "Each service with its stores (the module `services`)."
  type        = map(object({ stores = set(string) }))

  validation {
    condition     = length(var.services) > 0
    error_message = "There is no service."
  }
}

variable "outside" {
  description = "The secrets of systems outside, as the chart calls them (the module `services`)."
  type        = set(string)

  validation {
    condition     = alltrue([for name in var.outside : can(regex("^[a-z][a-z0-9-]*$", name))])
    error_message = "Secrets have names in lower-case letters, digits and hyphens."
  }
}

variable "rotated" {
  description = "What the job that makes and rotates credentials works on: the secrets of the databases' masters, and the cache, empty without one."
  type        = object({ master_secret_arns = list(string), replication_group_arn = string })

  validation {
    condition     = alltrue([for arn in var.rotated.master_secret_arns : startswith(arn, "arn:")])
    error_message = "The masters' secrets are ARNs."
  }

  validation {
    condition     = var.rotated.replication_group_arn == "" || startswith(var.rotated.replication_group_arn, "arn:")
    error_message = "The cache is an ARN."
  }
}
