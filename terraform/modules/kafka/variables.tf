variable "place" {
  description = "Where it is made: what the environment says to each of its parts (the module `platform`)."
  type = object({
    prefix                    = string
    vpc_id                    = string
    subnet_ids                = list(string)
    client_security_group_ids = map(string)
    kms_key_arn               = string
    logs_kms_key_arn          = string
    log_retention_days        = number
    guarded                   = bool
  })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.place.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}

variable "settings" {
  description = "The brokers: their version, how many they are, how large, and how long they keep records."
  type = object({
    # The version of Kafka, as MSK writes it (`aws kafka list-kafka-versions`).
    kafka_version = optional(string, "4.1.x.kraft")
    # The class of a broker.
    instance_type = optional(string, "kafka.m7g.large")
    # How many brokers each zone has.
    brokers_per_zone = optional(number, 1)
    # What a broker starts with.
    storage_gib = optional(number, 100)
    # How far its storage grows by itself; it never shrinks.
    storage_most_gib = optional(number, 1000)
    # How long records are kept.
    retention_hours = optional(number, 168)
  })
  default = {}

  validation {
    condition     = can(regex("^(3\\.[7-9]|4\\.[0-9])\\.x\\.kraft$", var.settings.kafka_version))
    error_message = "A version without ZooKeeper, from 3.7 on, such as 4.1.x.kraft."
  }

  validation {
    condition     = can(regex("^kafka\\.(m7g|t3)\\.[0-9]*x?(large|small)$", var.settings.instance_type))
    error_message = "A class of standard brokers, such as kafka.m7g.large (kafka.t3.small to try things out)."
  }

  validation {
    condition     = var.settings.brokers_per_zone >= 1 && var.settings.brokers_per_zone <= 10 && floor(var.settings.brokers_per_zone) == var.settings.brokers_per_zone
    error_message = "Between 1 and 10."
  }

  validation {
    condition     = var.settings.storage_gib >= 1 && var.settings.storage_gib <= 16384
    error_message = "Between 1 and 16,384 GiB."
  }

  validation {
    condition     = var.settings.storage_most_gib >= var.settings.storage_gib && var.settings.storage_most_gib <= 16384
    error_message = "At least what it starts with, and at most 16,384 GiB."
  }

  validation {
    condition     = var.settings.retention_hours >= 1 && var.settings.retention_hours <= 2160
    error_message = "Between an hour and 90 days."
  }
}

variable "access" {
  description = "Service to the topics it writes, the topics it reads, and its consumer group (the module `services`)."
  type = map(object({
    write = set(string)
    read  = set(string)
    group = string
  }))

  validation {
    condition     = length(var.access) > 0
    error_message = "Nobody would use the brokers."
  }
}

variable "topics" {
  description = "The topics that the job `topics` makes."
  type        = set(string)

  validation {
    condition     = length(var.topics) > 0
    error_message = "There are no topics."
  }
}
