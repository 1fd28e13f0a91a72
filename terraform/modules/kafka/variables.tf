variable "prefix" {
  description = "What names begin with."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,18}$", var.prefix))
    error_message = "A prefix is 4 to 19 lower-case letters, digits and hyphens."
  }
}

variable "vpc_id" {
  description = "The network."
  type        = string

  validation {
    condition     = length(var.vpc_id) > 0
    error_message = "A network is needed."
  }
}

variable "subnet_ids" {
  description = "The subnets without a way out, one per zone."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "At least two zones."
  }
}

variable "client_security_group_ids" {
  description = "Who may connect, by a name for the rule: the nodes of the cluster."
  type        = map(string)

  validation {
    condition     = length(var.client_security_group_ids) > 0
    error_message = "Nobody could connect."
  }
}

variable "kms_key_arn" {
  description = "The key of what is kept on disks."
  type        = string

  validation {
    condition     = startswith(var.kms_key_arn, "arn:")
    error_message = "An ARN is expected."
  }
}

variable "logs_kms_key_arn" {
  description = "The key of the logs."
  type        = string

  validation {
    condition     = startswith(var.logs_kms_key_arn, "arn:")
    error_message = "An ARN is expected."
  }
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([7, 14, 30, 60, 90, 180, 365, 400, 731], var.log_retention_days)
    error_message = "CloudWatch keeps logs for 7, 14, 30, 60, 90, 180, 365, 400 or 731 days."
  }
}

variable "guarded" {
  description = "Whether a plan that destroys or replaces it is refused."
  type        = bool
  default     = true
}

variable "kafka_version" {
  description = "The version of Kafka, as MSK writes it (`aws kafka list-kafka-versions`)."
  type        = string
  default     = "4.1.x.kraft"

  validation {
    condition     = can(regex("^(3\\.[7-9]|4\\.[0-9])\\.x\\.kraft$", var.kafka_version))
    error_message = "A version without ZooKeeper, from 3.7 on, such as 4.1.x.kraft."
  }
}

variable "instance_type" {
  description = "The class of a broker."
  type        = string
  default     = "kafka.m7g.large"

  validation {
    condition     = can(regex("^kafka\\.(m7g|t3)\\.[0-9]*x?(large|small)$", var.instance_type))
    error_message = "A class of standard brokers, such as kafka.m7g.large (kafka.t3.small to try things out)."
  }
}

variable "brokers_per_zone" {
  description = "How many brokers each zone has."
  type        = number
  default     = 1

  validation {
    condition     = var.brokers_per_zone >= 1 && var.brokers_per_zone <= 10 && floor(var.brokers_per_zone) == var.brokers_per_zone
    error_message = "Between 1 and 10."
  }
}

variable "storage_gib" {
  description = "What a broker starts with."
  type        = number
  default     = 100

  validation {
    condition     = var.storage_gib >= 1 && var.storage_gib <= 16384
    error_message = "Between 1 and 16,384 GiB."
  }
}

variable "storage_most_gib" {
  description = "How far its storage grows by itself; it never shrinks."
  type        = number
  default     = 1000

  validation {
    condition     = var.storage_most_gib >= var.storage_gib && var.storage_most_gib <= 16384
    error_message = "At least what it starts with, and at most 16,384 GiB."
  }
}

variable "retention_hours" {
  description = "How long records are kept."
  type        = number
  default     = 168

  validation {
    condition     = var.retention_hours >= 1 && var.retention_hours <= 2160
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
