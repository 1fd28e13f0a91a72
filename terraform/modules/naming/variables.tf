variable "project" {
  description = "What everything is called after."
  type        = string
  default     = "souk"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,9}$", var.project))
    error_message = "A project's name is 2 to 10 lower-case letters and digits: it is part of names that AWS keeps short."
  }
}

variable "environment" {
  description = "Which of the environments this is, such as dev or prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,7}$", var.environment))
    error_message = "An environment's name is 2 to 8 lower-case letters and digits."
  }
}

variable "owner" {
  description = "The team that answers for what is made here: the tag `owner`."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9 _.:/=+@-]{1,64}$", var.owner))
    error_message = "The owner is a tag: 1 to 64 of the characters that AWS allows in tags."
  }
}

variable "tags" {
  description = "More tags for everything, such as a cost centre."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:")])
    error_message = "Tags that begin with aws: belong to AWS."
  }
}
