variable "region" {
  description = "The region."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A region looks like eu-central-1."
  }
}

variable "second_region" {
  description = "Another region, which has a copy of every image, of the chart and of the key that signs; null without copies."
  type        = string
  default     = null

  validation {
    condition     = var.second_region == null || (try(can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.second_region)), false) && var.second_region != var.region)
    error_message = "Another region than the first, such as eu-west-1."
  }
}

variable "account_id" {
  description = "The account; Terraform refuses to work in another."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account's number has twelve digits."
  }
}

variable "owner" {
  description = "The team that answers for it."
  type        = string

  validation {
    condition     = length(var.owner) > 0
    error_message = "Somebody answers for it."
  }
}

variable "verifying_accounts" {
  description = "Other accounts whose clusters run these releases: they may verify signatures."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for account in var.verifying_accounts : can(regex("^[0-9]{12}$", account))])
    error_message = "An account's number has twelve digits."
  }
}

variable "jenkins" {
  description = "Jenkins' issuer, the address of the pipeline's job, and where the state is; null without Jenkins."
  type = object({
    issuer           = string
    job              = string
    state_bucket_arn = string
    state_kms_arn    = string
  })
  default = null

  validation {
    condition     = var.jenkins == null || try(startswith(var.jenkins.issuer, "https://") && startswith(var.jenkins.job, "https://") && endswith(var.jenkins.job, "/"), false)
    error_message = "Both begin with https://, and the job's address ends with a slash."
  }
}
