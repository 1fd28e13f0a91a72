variable "prefix" {
  description = "What names begin with."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}

variable "vpc_cidr" {
  description = "The addresses of the network (address_plan says what becomes of them)."
  type        = string

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0))
    error_message = "The network is an IPv4 range in CIDR notation."
  }
}

variable "zones" {
  description = "The availability zones, in a fixed order."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 4
    error_message = "Between two and four zones."
  }
}

variable "cluster_name" {
  description = "The EKS cluster whose controllers find subnets by their tags."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$", var.cluster_name))
    error_message = "A cluster's name is up to 100 letters, digits, hyphens and underscores."
  }
}

variable "single_nat_gateway" {
  description = "One NAT gateway for all zones: cheaper, and without a way out when its zone is away."
  type        = bool
  default     = false
}

variable "interface_endpoints" {
  description = "AWS services that are reached inside the network; S3 always is, by a gateway that costs nothing."
  type        = set(string)
  default     = ["ecr.api", "ecr.dkr", "eks-auth", "secretsmanager", "sns", "logs"]

  validation {
    condition     = alltrue([for name in var.interface_endpoints : can(regex("^[a-z0-9.-]+$", name))])
    error_message = "An endpoint is the last part of its service name, such as ecr.api."
  }
}

variable "logs_kms_key_arn" {
  description = "The key of the flow logs."
  type        = string

  validation {
    condition     = startswith(var.logs_kms_key_arn, "arn:")
    error_message = "An ARN is expected."
  }
}

variable "flow_log_retention_days" {
  description = "How long flow logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([7, 14, 30, 60, 90, 180, 365, 400, 731], var.flow_log_retention_days)
    error_message = "CloudWatch keeps logs for 7, 14, 30, 60, 90, 180, 365, 400 or 731 days."
  }
}
