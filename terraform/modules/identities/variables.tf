variable "place" {
  description = "Where roles are made: what the environment says to each of its parts (the module `platform`), and the cluster."
  type = object({
    prefix                   = string
    cluster_name             = string
    cluster_arn              = string
    permissions_boundary_arn = string
  })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.place.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }

  validation {
    condition     = length(var.place.cluster_name) > 0 && startswith(var.place.cluster_arn, "arn:")
    error_message = "A cluster is needed, by its name and its ARN."
  }

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:policy/", var.place.permissions_boundary_arn))
    error_message = "The ARN of a policy is expected as the boundary."
  }
}

variable "workloads" {
  description = "Workload to its namespace, its service accounts and the policies of its role, by a name."
  type = map(object({
    namespace        = string
    service_accounts = list(string)
    policies         = map(string)
  }))

  validation {
    condition     = alltrue([for name in keys(var.workloads) : can(regex("^[a-z][a-z0-9-]{1,39}$", name))])
    error_message = "Workloads have short names in lower case: they are part of roles' names."
  }

  validation {
    condition     = alltrue([for workload in var.workloads : length(workload.service_accounts) > 0])
    error_message = "A workload without a service account could never take its role."
  }

  validation {
    condition     = length(distinct(flatten([for workload in var.workloads : [for account in workload.service_accounts : "${workload.namespace}/${account}"]]))) == length(flatten([for workload in var.workloads : workload.service_accounts]))
    error_message = "Two workloads share a service account."
  }
}
