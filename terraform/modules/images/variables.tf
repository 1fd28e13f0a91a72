variable "prefix" {
  description = "What names begin with."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}

variable "host" {
  description = "The name under which images are read. It is part of their addresses for ever: products keep them."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.host))
    error_message = "A host name, in lower case."
  }
}

variable "zone_id" {
  description = "The DNS zone that the host is in."
  type        = string

  validation {
    condition     = length(var.zone_id) > 0
    error_message = "The id of a zone is expected."
  }
}

variable "origins" {
  description = "The pages from which images are uploaded, such as https://souk.example."
  type        = set(string)

  validation {
    condition     = length(var.origins) > 0 && alltrue([for origin in var.origins : can(regex("^https://[a-z0-9.-]+(:[0-9]+)?$", origin))])
    error_message = "At least one origin, with https:// and without a path."
  }
}

variable "deleted_kept_days" {
  description = "For how many days a deleted image can be brought back by an operator."
  type        = number
  default     = 30

  validation {
    condition     = var.deleted_kept_days >= 1 && var.deleted_kept_days <= 365
    error_message = "Between 1 and 365 days."
  }
}

variable "price_class" {
  description = "Where CloudFront keeps copies: 100 is Europe and North America, All is everywhere."
  type        = string
  default     = "PriceClass_100"

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "PriceClass_100, PriceClass_200 or PriceClass_All."
  }
}

variable "guarded" {
  description = "Whether Terraform refuses to destroy or to replace the bucket; without it, it is destroyed with all that is in it."
  type        = bool
  default     = true
}
