variable "orders_per_second" {
  description = "Orders accepted a second at the peak that is to be carried without a backlog."
  type        = number

  validation {
    condition     = var.orders_per_second >= 1 && var.orders_per_second <= 20000
    error_message = "Between 1 and 20,000 orders a second; beyond that, measure first."
  }
}

variable "services" {
  description = "Each service: the CPU of its processes per confirmed order in milliseconds, and whether it has a database (modules/services, `sizes`)."
  type        = map(object({ cpu_ms = number, database = bool }))

  validation {
    condition     = alltrue([for service in values(var.services) : service.cpu_ms >= 0 && service.cpu_ms < 100])
    error_message = "Milliseconds per order: 0 or more, and below 100."
  }

  validation {
    condition     = anytrue([for service in values(var.services) : service.cpu_ms > 0 && service.database])
    error_message = "Somebody must work on orders and keep them."
  }
}

variable "edge_ms" {
  description = "CPU per confirmed order of the edge, in milliseconds (docs/performance.md, the sustained scenario)."
  type        = number
  default     = 0.26

  validation {
    condition     = var.edge_ms > 0 && var.edge_ms < 100
    error_message = "Milliseconds per order: above 0 and below 100."
  }
}

variable "postgres_ms" {
  description = "CPU per confirmed order of PostgreSQL, in milliseconds."
  type        = number
  default     = 0.87

  validation {
    condition     = var.postgres_ms > 0 && var.postgres_ms < 100
    error_message = "Milliseconds per order: above 0 and below 100."
  }
}

variable "kafka_ms" {
  description = "CPU per confirmed order of one broker that keeps every record once, in milliseconds."
  type        = number
  default     = 0.33

  validation {
    condition     = var.kafka_ms > 0 && var.kafka_ms < 100
    error_message = "Milliseconds per order: above 0 and below 100."
  }
}

variable "small_batch_factor" {
  description = "How much dearer an order is when load is low and batches are small: measured at half of what the machine could do (8.43 ms against 4.20)."
  type        = number
  default     = 2

  validation {
    condition     = var.small_batch_factor >= 1 && var.small_batch_factor <= 15
    error_message = "Between 1 (full batches) and 15 (one event at a time)."
  }
}

variable "utilisation" {
  description = "The share of CPU in use at the peak: 0.65, where pods scale, times two thirds, so that two zones can carry three."
  type        = number
  default     = 0.43

  validation {
    condition     = var.utilisation > 0 && var.utilisation <= 0.8
    error_message = "Above 0 and at most 0.8."
  }
}

variable "average_share" {
  description = "The average rate of a day as a share of its peak: what storage grows by."
  type        = number
  default     = 0.25

  validation {
    condition     = var.average_share > 0 && var.average_share <= 1
    error_message = "Above 0 and at most 1."
  }
}

variable "kafka_bytes_per_order" {
  description = "Bytes of all records of one order with their headers, compression aside. Measure your own: sum of BytesInPerSec over orders a second."
  type        = number
  default     = 8192

  validation {
    condition     = var.kafka_bytes_per_order >= 512
    error_message = "At least 512 bytes: an order has some ten records."
  }
}

variable "postgres_bytes_per_order" {
  description = "Bytes that an order leaves in all databases with their indexes. Measure your own: growth of pg_database_size over orders."
  type        = number
  default     = 16384

  validation {
    condition     = var.postgres_bytes_per_order >= 1024
    error_message = "At least 1,024 bytes."
  }
}

variable "retention_days" {
  description = "How long topics keep records."
  type        = number
  default     = 7

  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 90
    error_message = "Between 1 and 90 days."
  }
}

variable "growth_days" {
  description = "For how many days of orders the databases have room before their storage grows by itself."
  type        = number
  default     = 7

  validation {
    condition     = var.growth_days >= 1 && var.growth_days <= 366
    error_message = "Between 1 and 366 days."
  }
}
