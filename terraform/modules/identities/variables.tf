variable "prefix" {
  description = "What names begin with."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}

variable "cluster_name" {
  description = "The cluster whose service accounts these are."
  type        = string

  validation {
    condition     = length(var.cluster_name) > 0
    error_message = "A cluster is needed."
  }
}

variable "cluster_arn" {
  description = "The same, as an ARN."
  type        = string

  validation {
    condition     = startswith(var.cluster_arn, "arn:")
    error_message = "An ARN is expected."
  }
}

variable "workloads" {
  description = "Workload to its namespace, its service account and the policies of its role, by a name."
  type = map(object({
    namespace       = string
    service_account = string
    policies        = map(string)
  }))

  validation {
    condition     = alltrue([for name in keys(var.workloads) : can(regex("^[a-z][a-z0-9-]{1,39}$", name))])
    error_message = "Workloads have short names in lower case: they are part of roles' names."
  }

  validation {
    condition     = length(distinct([for workload in var.workloads : "${workload.namespace}/${workload.service_account}"])) == length(var.workloads)
    error_message = "Two workloads share a service account."
  }
}
