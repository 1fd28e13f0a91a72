variable "prefix" {
  description = "What names begin with."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}
variable "issuer" {
  description = "The issuer of Jenkins' identity tokens (its OpenID Connect Provider plugin), such as https://jenkins.example/oidc."
  type        = string

  validation {
    condition     = can(regex("^https://[a-z0-9.-]+(/[A-Za-z0-9._/-]*[A-Za-z0-9._-])?$", var.issuer))
    error_message = "An issuer is an https URL without a slash at its end."
  }
}

variable "audience" {
  description = "Whom the tokens are for, as the credentials in Jenkins say."
  type        = string
  default     = "sts.amazonaws.com"

  validation {
    condition     = length(var.audience) > 0
    error_message = "A token is for somebody."
  }
}

variable "subjects" {
  description = "Role (publish, plan, deploy, apply) to the jobs that may take it: the `sub` of their tokens, `*` for a part of it."
  type        = map(set(string))

  validation {
    condition     = length(var.subjects) > 0 && length(setsubtract(keys(var.subjects), ["publish", "plan", "deploy", "apply"])) == 0
    error_message = "The roles are publish, plan, deploy and apply."
  }

  validation {
    condition     = alltrue(flatten([for jobs in var.subjects : [for job in jobs : can(regex("^https://[^*]+/job/[^*]+/", job))]]))
    error_message = "A subject begins with the whole address of a job: nothing before it may be a wildcard."
  }
}

variable "repository_arns" {
  description = "The repositories that builds push to."
  type        = list(string)

  validation {
    condition     = length(var.repository_arns) > 0 && alltrue([for arn in var.repository_arns : startswith(arn, "arn:")])
    error_message = "At least one ARN."
  }
}

variable "signing_key_arn" {
  description = "The key that signs releases: who publishes signs with it, who deploys verifies; empty where nothing is signed."
  type        = string
  default     = ""

  validation {
    condition     = var.signing_key_arn == "" || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.signing_key_arn))
    error_message = "The ARN of a key is expected, not of an alias."
  }
}

variable "create_provider" {
  description = "Whether the account learns here to trust the issuer; it does so once, so only one of its environments says true."
  type        = bool
  default     = false
}

variable "prometheus_arn" {
  description = "The managed Prometheus that the error budget is read from; empty where there is none."
  type        = string
  default     = ""

  validation {
    condition     = var.prometheus_arn == "" || startswith(var.prometheus_arn, "arn:")
    error_message = "An ARN is expected."
  }
}

variable "cluster_arn" {
  description = "The cluster that is deployed to; empty where there is none."
  type        = string
  default     = ""

  validation {
    condition     = var.cluster_arn == "" || startswith(var.cluster_arn, "arn:")
    error_message = "An ARN is expected."
  }

  validation {
    condition     = var.cluster_arn != "" || !contains(keys(var.subjects), "deploy")
    error_message = "Who deploys has to be told where."
  }
}

variable "state" {
  description = "Where the state of this environment is: the bucket's ARN, the key of the state in it, and the key that encrypts it."
  type        = object({ bucket_arn = string, key = string, kms_key_arn = string })

  validation {
    condition     = startswith(var.state.bucket_arn, "arn:") && startswith(var.state.kms_key_arn, "arn:") && endswith(var.state.key, ".tfstate")
    error_message = "Two ARNs, and a key that ends with .tfstate."
  }
}
