variable "place" {
  description = "Where the roles are made, and what they work on: what the environment says to each of its parts (the module `platform`)."
  type = object({
    prefix = string
    # The repositories that builds push to.
    repository_arns = list(string)
    # The cluster that is deployed to; empty where there is none.
    cluster_arn = optional(string, "")
    # The managed Prometheus that the error budget is read from; empty where there is none.
    prometheus_arn = optional(string, "")
    # The boundary of every role that apply may make or change; empty where there is no apply.
    permissions_boundary_arn = optional(string, "")
  })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.place.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }

  validation {
    condition     = length(var.place.repository_arns) > 0 && alltrue([for arn in var.place.repository_arns : startswith(arn, "arn:")])
    error_message = "At least one ARN of a repository."
  }

  validation {
    condition     = alltrue([for arn in [var.place.cluster_arn, var.place.prometheus_arn] : arn == "" || startswith(arn, "arn:")])
    error_message = "ARNs of a cluster and of a Prometheus are expected."
  }

  validation {
    condition     = var.place.cluster_arn != "" || !contains(keys(var.settings.subjects), "deploy")
    error_message = "Who deploys has to be told where."
  }

  validation {
    condition     = var.place.permissions_boundary_arn != "" || !contains(keys(var.settings.subjects), "apply")
    error_message = "Who makes roles has to be told their boundary: otherwise it could give itself every right."
  }
}

variable "settings" {
  description = "Jenkins: who issues its tokens, which jobs may take which role, where the state is, and what signs."
  type = object({
    # The issuer of Jenkins' identity tokens (its OpenID Connect Provider plugin), such as https://jenkins.example/oidc.
    issuer = string
    # Whom the tokens are for, as the credentials in Jenkins say.
    audience = optional(string, "sts.amazonaws.com")
    # Role (publish, plan, deploy, apply) to the jobs that may take it: the `sub` of their tokens, `*` for a part of it.
    subjects = map(set(string))
    # Where the state of this environment is: the bucket, the key of the state in it, and the key that encrypts it.
    state = object({ bucket_arn = string, key = string, kms_key_arn = string })
    # The key that signs releases: who publishes signs with it, who deploys verifies; empty where nothing is signed.
    signing_key_arn = optional(string, "")
    # Whether the account learns here to trust the issuer; it does so once, so only one of its environments says true.
    create_provider = optional(bool, false)
  })

  validation {
    condition     = can(regex("^https://[a-z0-9.-]+(/[A-Za-z0-9._/-]*[A-Za-z0-9._-])?$", var.settings.issuer))
    error_message = "An issuer is an https URL without a slash at its end."
  }

  validation {
    condition     = length(var.settings.audience) > 0
    error_message = "A token is for somebody."
  }

  validation {
    condition     = length(var.settings.subjects) > 0 && length(setsubtract(keys(var.settings.subjects), ["publish", "plan", "deploy", "apply"])) == 0
    error_message = "The roles are publish, plan, deploy and apply."
  }

  validation {
    condition     = alltrue(flatten([for jobs in var.settings.subjects : [for job in jobs : can(regex("^https://[^*]+/job/[^*]+/", job))]]))
    error_message = "A subject begins with the whole address of a job: nothing before it may be a wildcard."
  }

  validation {
    condition     = startswith(var.settings.state.bucket_arn, "arn:") && startswith(var.settings.state.kms_key_arn, "arn:") && endswith(var.settings.state.key, ".tfstate")
    error_message = "The state is two ARNs, and a key that ends with .tfstate."
  }

  validation {
    condition     = var.settings.signing_key_arn == "" || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.settings.signing_key_arn))
    error_message = "The ARN of a key is expected, not of an alias."
  }
}
