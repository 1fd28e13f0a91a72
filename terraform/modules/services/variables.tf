variable "path" {
  description = "The registry of services, services/services.yaml."
  type        = string

  validation {
    condition     = can(yamldecode(file(var.path)).services) && can(yamldecode(file(var.path)).topics)
    error_message = "There is no registry at that path, or it lacks services or topics."
  }
}

variable "chart_path" {
  description = "The chart's values, helm/souk/values.yaml: what its services are told of the systems outside. Empty where nobody asks for that."
  type        = string
  default     = ""

  validation {
    condition     = var.chart_path == "" || can(yamldecode(file(var.chart_path)).outside)
    error_message = "There are no values at that path, or they lack `outside`."
  }
}
