variable "region" {
  description = "The region of the state, and of everything else."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A region looks like eu-central-1."
  }
}

variable "project" {
  description = "What the bucket is called after; the account's number makes its name unique."
  type        = string
  default     = "souk"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,9}$", var.project))
    error_message = "A project's name is 2 to 10 lower-case letters and digits."
  }
}

variable "owner" {
  description = "The team that answers for it: the tag `owner`."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9 _.:/=+@-]{1,64}$", var.owner))
    error_message = "The owner is a tag: 1 to 64 of the characters that AWS allows in tags."
  }
}

variable "versions_kept_days" {
  description = "How long older versions of a state are kept."
  type        = number
  default     = 365

  validation {
    condition     = var.versions_kept_days >= 30
    error_message = "At least 30 days: an older state is what one goes back to."
  }
}

variable "service_linked_roles" {
  description = "AWS services that get their own role in this account before anything needs it. Leave out those that have one already (`aws iam list-roles --path-prefix /aws-service-role/`)."
  type        = set(string)
  default = [
    "autoscaling.amazonaws.com",
    "eks-nodegroup.amazonaws.com",
    "eks.amazonaws.com",
    "elasticache.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "kafka.amazonaws.com",
    "kafka.application-autoscaling.amazonaws.com",
    "opensearchservice.amazonaws.com",
    "rds.amazonaws.com",
    "spot.amazonaws.com",
    "wafv2.amazonaws.com",
  ]

  validation {
    condition     = alltrue([for service in var.service_linked_roles : endswith(service, ".amazonaws.com")])
    error_message = "Services are named as in trust policies, such as rds.amazonaws.com."
  }
}
