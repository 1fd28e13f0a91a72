variable "project" {
  description = "What repositories' names begin with."
  type        = string
  default     = "souk"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,9}$", var.project))
    error_message = "A project's name is 2 to 10 lower-case letters and digits."
  }
}

variable "images" {
  description = "The images (the module `services`); the package of charts has a repository too."
  type        = set(string)

  validation {
    condition     = length(var.images) > 0 && alltrue([for name in var.images : can(regex("^[a-z][a-z0-9-]*$", name))])
    error_message = "Images have names in lower-case letters, digits and hyphens."
  }
}

variable "kms_key_arn" {
  description = "The key of what is kept."
  type        = string

  validation {
    condition     = startswith(var.kms_key_arn, "arn:")
    error_message = "An ARN is expected."
  }
}

variable "copies" {
  description = "A second region, which gets every image that is pushed from now on, with its signature; null without."
  type        = object({ region = string })
  default     = null

  validation {
    condition     = var.copies == null || can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.copies.region))
    error_message = "A region looks like eu-west-1."
  }
}

variable "builds_kept" {
  description = "How many builds of commits that were never released are kept of each image; the newest of them runs in development."
  type        = number
  default     = 50

  validation {
    condition     = var.builds_kept >= 5 && var.builds_kept <= 500
    error_message = "Between 5 and 500: a roll-back needs some."
  }
}

variable "untagged_days" {
  description = "How long images are kept that neither a tag nor an index names any more."
  type        = number
  default     = 14

  validation {
    condition     = var.untagged_days >= 1 && var.untagged_days <= 365
    error_message = "Between 1 and 365 days."
  }
}

variable "force_delete" {
  description = "Whether a repository that has images may be deleted."
  type        = bool
  default     = false
}
