variable "prefix" {
  description = "What names begin with."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}

variable "secrets_path" {
  description = "What the names of this environment's secrets begin with, such as souk/prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+/[a-z0-9-]+$", var.secrets_path))
    error_message = "A path of two names, without slashes around it."
  }
}
