variable "place" {
  description = "Where it is made: what the environment says to each of its parts (the module `platform`)."
  type = object({
    prefix                   = string
    guarded                  = bool
    permissions_boundary_arn = string
    copies                   = optional(object({ region = string, kms_key_arn = string }))
  })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.place.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}

variable "settings" {
  description = "The images: under which name they are read, from which pages they come, and how long they are kept."
  type = object({
    # The name under which images are read. It is part of their addresses for ever: products keep them.
    host = string
    # The DNS zone that the host is in.
    zone_id = string
    # The pages from which images are uploaded, such as https://souk.example.
    origins = set(string)
    # For how many days a deleted image can be brought back by an operator.
    deleted_kept_days = optional(number, 30)
    # Where CloudFront keeps copies: 100 is Europe and North America, All is everywhere.
    price_class = optional(string, "PriceClass_100")
  })

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.settings.host))
    error_message = "A host name, in lower case."
  }

  validation {
    condition     = length(var.settings.zone_id) > 0
    error_message = "The id of a zone is expected."
  }

  validation {
    condition     = length(var.settings.origins) > 0 && alltrue([for origin in var.settings.origins : can(regex("^https://[a-z0-9.-]+(:[0-9]+)?$", origin))])
    error_message = "At least one origin, with https:// and without a path."
  }

  validation {
    condition     = var.settings.deleted_kept_days >= 1 && var.settings.deleted_kept_days <= 365
    error_message = "Between 1 and 365 days."
  }

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.settings.price_class)
    error_message = "PriceClass_100, PriceClass_200 or PriceClass_All."
  }
}
