variable "path" {
  description = "The registry of services, services/services.yaml."
  type        = string

  validation {
    condition     = can(yamldecode(file(var.path)).services) && can(yamldecode(file(var.path)).topics)
    error_message = "There is no registry at that path, or it lacks services or topics."
  }
}
