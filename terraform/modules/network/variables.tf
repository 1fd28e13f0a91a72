variable "place" {
  description = "Where it is made: what the environment says to each of its parts (the module `platform`)."
  type = object({
    prefix                   = string
    logs_kms_key_arn         = string
    permissions_boundary_arn = string
    cluster_name             = string
    log_retention_days       = number
  })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.place.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}

variable "settings" {
  description = "The network of the environment: its addresses and zones, and its ways out."
  type = object({
    # The addresses of the network (address_plan says what becomes of them).
    vpc_cidr = string
    # The availability zones, in a fixed order.
    zones = list(string)
    # One NAT gateway for all zones: cheaper, and without a way out when its zone is away.
    single_nat_gateway = optional(bool, false)
    # AWS services that are reached inside the network; S3 always is, by a gateway that costs nothing.
    interface_endpoints = optional(set(string), ["ecr.api", "ecr.dkr", "eks-auth", "secretsmanager", "sns", "logs"])
  })

  validation {
    condition     = can(cidrhost(var.settings.vpc_cidr, 0))
    error_message = "The network is an IPv4 range in CIDR notation."
  }

  validation {
    condition     = length(var.settings.zones) >= 2 && length(var.settings.zones) <= 4
    error_message = "Between two and four zones."
  }

  validation {
    condition     = alltrue([for name in var.settings.interface_endpoints : can(regex("^[a-z0-9.-]+$", name))])
    error_message = "An endpoint is the last part of its service name, such as ecr.api."
  }
}
