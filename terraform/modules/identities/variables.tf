variable "prefix" {
  description = "What names begin with."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}

variable "mode" {
  description = "irsa: a service account names its role in an annotation. pod-identity: EKS knows which role it has."
  type        = string
  default     = "irsa"

  validation {
    condition     = contains(["irsa", "pod-identity"], var.mode)
    error_message = "The mode is irsa or pod-identity."
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

variable "oidc_provider" {
  description = "ARN and issuer of the cluster's identity provider."
  type        = object({ arn = string, issuer = string })

  validation {
    condition     = startswith(var.oidc_provider.arn, "arn:") && !startswith(var.oidc_provider.issuer, "https://")
    error_message = "An ARN, and an issuer without https://."
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
