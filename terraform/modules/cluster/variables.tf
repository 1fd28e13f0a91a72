variable "place" {
  description = "Where it is made: what the environment says to each of its parts (the module `platform`)."
  type = object({
    prefix                   = string
    subnet_ids               = list(string)
    kms_key_arn              = string
    logs_kms_key_arn         = string
    log_retention_days       = number
    permissions_boundary_arn = string
    tags                     = map(string)
    guarded                  = bool
  })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.place.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}

variable "settings" {
  description = "The cluster: its version, its nodes, and who reaches its API."
  type = object({
    # The minor version of Kubernetes.
    kubernetes_version = optional(string, "1.35")
    # Who may reach the API server from outside the network; nobody by default (docs/aws.md says how to reach it then).
    public_access_cidrs = optional(list(string), [])
    # Networks that are routed to this one (a VPN, the network of the builds) and may reach the API server.
    api_client_cidrs = optional(list(string), [])
    # Nodes by group: a small base on demand, for what must not be moved, and the rest on spot. Graviton throughout.
    node_groups = map(object({
      capacity_type  = string
      instance_types = list(string)
      min_size       = number
      desired_size   = number
      max_size       = number
      volume_gib     = optional(number, 50)
      labels         = optional(map(string), {})
      taints         = optional(map(object({ value = string, effect = string })), {})
    }))
    # Versions of add-ons that are not to be EKS's default for the cluster's version.
    addon_versions = optional(map(string), {})
    # Whether what Karpenter needs is made: its roles, its queue of interruptions, the tags it finds subnets and groups by.
    karpenter = optional(bool, true)
  })

  validation {
    condition     = can(regex("^1\\.(3[3-9]|4[0-9])$", var.settings.kubernetes_version))
    error_message = "A minor version from 1.33 on, such as 1.35."
  }

  validation {
    condition     = alltrue([for cidr in var.settings.public_access_cidrs : can(cidrhost(cidr, 0)) && tonumber(split("/", cidr)[1]) >= 24])
    error_message = "Ranges of at most 256 addresses: an API server is for an office, not for the world."
  }

  validation {
    condition     = alltrue([for cidr in var.settings.api_client_cidrs : can(cidrhost(cidr, 0)) && cidr != "0.0.0.0/0"])
    error_message = "Ranges in CIDR notation, and not the whole internet."
  }

  validation {
    condition     = alltrue([for group in var.settings.node_groups : contains(["ON_DEMAND", "SPOT"], group.capacity_type)])
    error_message = "A group is ON_DEMAND or SPOT."
  }

  validation {
    condition     = anytrue([for group in var.settings.node_groups : group.capacity_type == "ON_DEMAND" && group.min_size >= 1])
    error_message = "At least one group is on demand and never empty: spot nodes can all go at once."
  }

  validation {
    condition     = alltrue([for group in var.settings.node_groups : group.min_size <= group.desired_size && group.desired_size <= group.max_size])
    error_message = "A group's sizes are minimum, desired and maximum, in that order."
  }

  validation {
    condition     = alltrue(flatten([for group in var.settings.node_groups : [for type in group.instance_types : can(regex("^[a-z]+[0-9]+g[a-z]*\\.", type))]]))
    error_message = "The images are also built for arm64, and the groups run Graviton: types such as m7g.xlarge."
  }

  validation {
    condition     = alltrue([for group in var.settings.node_groups : group.capacity_type == "ON_DEMAND" || length(group.instance_types) >= 3])
    error_message = "A spot group names at least three types, so that one that is short does not empty it."
  }

  validation {
    condition     = alltrue([for group in var.settings.node_groups : group.volume_gib >= 20 && group.volume_gib <= 1000])
    error_message = "A node's volume has 20 to 1,000 GiB."
  }

  validation {
    condition     = alltrue([for version in values(var.settings.addon_versions) : can(regex("^v[0-9]+\\.[0-9]+\\.[0-9]+-eksbuild\\.[0-9]+$", version))])
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

variable "karpenter_service_account" {
  description = "Namespace and service account of Karpenter."
  type        = object({ namespace = string, name = string })
  default     = { namespace = "kube-system", name = "karpenter" }

  validation {
    condition     = length(var.karpenter_service_account.namespace) > 0 && length(var.karpenter_service_account.name) > 0
    error_message = "Both have names."
  }
}
