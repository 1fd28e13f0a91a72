variable "enabled" {
  description = "Whether what stands in `ids` may not be destroyed or replaced."
  type        = bool
}

variable "ids" {
  description = "The ids of what is guarded. An id that a plan no longer knows means that its owner is to be replaced."
  type        = list(string)

  validation {
    condition     = length(var.ids) > 0
    error_message = "A guard guards something."
  }
}
