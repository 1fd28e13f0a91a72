variable "region" {
  description = "The region."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A region looks like eu-central-1."
  }
}

variable "second_region" {
  description = "Another region, for copies of what nothing can make again (docs/aws.md, a lost region); null without copies."
  type        = string
  default     = null

  validation {
    condition     = var.second_region == null || var.second_region != var.region
    error_message = "Another region than the first."
  }
}

variable "zone_letters" {
  description = "The three zones of the region, by their letters."
  type        = list(string)
  default     = ["a", "b", "c"]

  validation {
    condition     = length(var.zone_letters) == 3 && length(distinct(var.zone_letters)) == 3
    error_message = "Three different zones: brokers and databases spread over them."
  }
}

variable "account_id" {
  description = "The account that this environment is in; Terraform refuses to work in another."
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

variable "administrators" {
  description = "Roles that administer the cluster, by a name."
  type        = map(string)

  validation {
    condition     = length(var.administrators) > 0 && alltrue([for arn in values(var.administrators) : startswith(arn, "arn:")])
    error_message = "At least one role, as an ARN."
  }
}

variable "api_client_cidrs" {
  description = "Networks that are routed to this one and may reach the cluster's API: a VPN, the network of the builds."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.api_client_cidrs : can(cidrhost(cidr, 0)) && cidr != "0.0.0.0/0"])
    error_message = "Ranges in CIDR notation, and not the whole internet."
  }
}

variable "domain" {
  description = "The DNS zone of the shop; the API is api.DOMAIN."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain))
    error_message = "A domain name in lower case."
  }
}

variable "create_zone" {
  description = "Whether the zone is made here; otherwise it exists already."
  type        = bool
  default     = false
}

variable "recipients" {
  description = "E-mail addresses that get alarms and word of the budget."
  type        = set(string)

  validation {
    condition     = length(var.recipients) > 0
    error_message = "At least one address."
  }
}

variable "monthly_budget_usd" {
  description = "What a month may cost, in US dollars: by the formula in docs/aws.md, with your region's prices."
  type        = number

  validation {
    condition     = var.monthly_budget_usd > 0
    error_message = "A budget is above 0."
  }
}

variable "grafana" {
  description = "Whether Amazon's Grafana is made where metrics go to Amazon's Prometheus; it takes an account with IAM Identity Center."
  type        = bool
  default     = false
}

variable "jenkins" {
  description = "Jenkins' issuer, the address of the pipeline's job, and where the state is; null without Jenkins."
  type = object({
    issuer           = string
    job              = string
    state_bucket_arn = string
    state_kms_arn    = string
    signing_key_arn  = string
  })
  default = null

  validation {
    condition     = var.jenkins == null || try(startswith(var.jenkins.issuer, "https://") && startswith(var.jenkins.job, "https://") && endswith(var.jenkins.job, "/"), false)
    error_message = "Both begin with https://, and the job's address ends with a slash."
  }
}
