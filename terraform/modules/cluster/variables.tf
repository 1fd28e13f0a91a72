variable "prefix" {
  description = "What names begin with."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}

variable "kubernetes_version" {
  description = "The minor version of Kubernetes."
  type        = string
  default     = "1.35"

  validation {
    condition     = can(regex("^1\\.(3[3-9]|4[0-9])$", var.kubernetes_version))
    error_message = "A minor version from 1.33 on, such as 1.35."
  }
}

variable "subnet_ids" {
  description = "The subnets of nodes and pods, one per zone."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "At least two zones."
  }
}

variable "public_access_cidrs" {
  description = "Who may reach the API server from outside the network; nobody by default (docs/aws.md says how to reach it then)."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.public_access_cidrs : can(cidrhost(cidr, 0)) && tonumber(split("/", cidr)[1]) >= 24])
    error_message = "Ranges of at most 256 addresses: an API server is for an office, not for the world."
  }
}

variable "api_client_cidrs" {
  description = "Networks that are routed to this one (a VPN, the network of the builds) and may reach the API server."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.api_client_cidrs : can(cidrhost(cidr, 0)) && cidr != "0.0.0.0/0"])
    error_message = "Ranges in CIDR notation, and not the whole internet."
  }
}

variable "kms_key_arn" {
  description = "The key of Kubernetes secrets and of the nodes' volumes."
  type        = string

  validation {
    condition     = startswith(var.kms_key_arn, "arn:")
    error_message = "An ARN is expected."
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
  description = "How long the control plane's logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([7, 14, 30, 60, 90, 180, 365, 400, 731], var.log_retention_days)
    error_message = "CloudWatch keeps logs for 7, 14, 30, 60, 90, 180, 365, 400 or 731 days."
  }
}

variable "node_groups" {
  description = "Nodes by group: a small base on demand, for what must not be moved, and the rest on spot. Graviton throughout."
  type = map(object({
    capacity_type  = string
    instance_types = list(string)
    min_size       = number
    desired_size   = number
    max_size       = number
    volume_gib     = optional(number, 50)
    labels         = optional(map(string), {})
    taints         = optional(map(object({ value = string, effect = string })), {})
  }))

  validation {
    condition     = alltrue([for group in var.node_groups : contains(["ON_DEMAND", "SPOT"], group.capacity_type)])
    error_message = "A group is ON_DEMAND or SPOT."
  }

  validation {
    condition     = anytrue([for group in var.node_groups : group.capacity_type == "ON_DEMAND" && group.min_size >= 1])
    error_message = "At least one group is on demand and never empty: spot nodes can all go at once."
  }

  validation {
    condition     = alltrue([for group in var.node_groups : group.min_size <= group.desired_size && group.desired_size <= group.max_size])
    error_message = "A group's sizes are minimum, desired and maximum, in that order."
  }

  validation {
    condition     = alltrue(flatten([for group in var.node_groups : [for type in group.instance_types : can(regex("^[a-z]+[0-9]+g[a-z]*\\.", type))]]))
    error_message = "The images are also built for arm64, and the groups run Graviton: types such as m7g.xlarge."
  }

  validation {
    condition     = alltrue([for group in var.node_groups : group.capacity_type == "ON_DEMAND" || length(group.instance_types) >= 3])
    error_message = "A spot group names at least three types, so that one that is short does not empty it."
  }

  validation {
    condition     = alltrue([for group in var.node_groups : group.volume_gib >= 20 && group.volume_gib <= 1000])
    error_message = "A node's volume has 20 to 1,000 GiB."
  }
}

variable "addon_versions" {
  description = "Versions of add-ons that are not to be EKS's default for the cluster's version."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for version in values(var.addon_versions) : can(regex("^v[0-9]+\\.[0-9]+\\.[0-9]+-eksbuild\\.[0-9]+$", version))])
    error_message = "A version of an add-on looks like v1.20.4-eksbuild.2."
  }
}

variable "access" {
  description = "Who may use the cluster, by a name: the role, what it may do (admin, edit or view), and in which namespaces (none: in all)."
  type = map(object({
    principal_arn = string
    level         = string
    namespaces    = optional(list(string), [])
  }))
  default = {}

  validation {
    condition     = alltrue([for entry in var.access : contains(["admin", "edit", "view"], entry.level)])
    error_message = "A level is admin, edit or view."
  }

  validation {
    condition     = alltrue([for entry in var.access : startswith(entry.principal_arn, "arn:")])
    error_message = "A principal is the ARN of a role."
  }
}

variable "karpenter" {
  description = "Whether what Karpenter needs is made: its roles, its queue of interruptions, the tags it finds subnets and groups by."
  type        = bool
  default     = true
}

variable "karpenter_service_account" {
  description = "Namespace and service account of Karpenter."
  type        = object({ namespace = string, name = string })
  default     = { namespace = "kube-system", name = "karpenter" }

  validation {
    condition     = length(var.karpenter_service_account.namespace) > 0 && length(var.karpenter_service_account.name) > 0
    error_message = "Both have names."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the cluster."
  type        = bool
  default     = true
}

variable "tags" {
  description = "The tags of nodes and their volumes, which the provider's default_tags do not reach."
  type        = map(string)

  validation {
    condition     = length(var.tags) > 0
    error_message = "Everything has tags."
  }
}

variable "permissions_boundary_arn" {
  description = "The boundary that roles carry (the module `boundary`)."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:policy/", var.permissions_boundary_arn))
    error_message = "The ARN of a policy is expected."
  }
}
