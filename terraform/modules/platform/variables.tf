variable "project" {
  description = "What everything is called after."
  type        = string
  default     = "souk"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,9}$", var.project))
    error_message = "A project's name is 2 to 10 lower-case letters and digits."
  }
}

variable "environment" {
  description = "Which of the environments this is."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,7}$", var.environment))
    error_message = "An environment's name is 2 to 8 lower-case letters and digits."
  }
}

variable "tags" {
  description = "The tags of everything (the module `naming`), for what default_tags do not reach."
  type        = map(string)

  validation {
    condition     = length(var.tags) > 0
    error_message = "Everything has tags."
  }
}

variable "services_path" {
  description = "The registry of services, services/services.yaml."
  type        = string

  validation {
    condition     = fileexists(var.services_path)
    error_message = "There is no such file."
  }
}

variable "chart_path" {
  description = "The chart's values, helm/souk/values.yaml: which systems outside are reached with a secret."
  type        = string

  validation {
    condition     = fileexists(var.chart_path)
    error_message = "There is no such file."
  }
}

variable "copies" {
  description = "A second region, which has copies of what nothing can make again: back-ups of databases, secrets, images of products. Null without."
  type        = object({ region = string })
  default     = null

  validation {
    condition     = var.copies == null || can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.copies.region))
    error_message = "A region looks like eu-west-1."
  }

  validation {
    condition     = try(var.copies.region, "") != data.aws_region.current.region
    error_message = "A copy in the same region is lost with it."
  }
}

variable "guarded" {
  description = "Whether what keeps data is protected: by AWS against deletion, and by Terraform against a plan that destroys or replaces it."
  type        = bool
  default     = true
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

variable "network" {
  description = "The network, as the module `network` takes it."
  type        = any

  validation {
    condition     = can(var.network.vpc_cidr) && can(var.network.zones)
    error_message = "The module `network` says what belongs here."
  }
}

variable "cluster" {
  description = "The cluster, as the module `cluster` takes it; and the roles that administer it, by a name."
  type        = any

  validation {
    condition     = can(var.cluster.administrators) && can(var.cluster.node_groups)
    error_message = "The module `cluster` says what belongs here."
  }

  validation {
    condition     = length(var.cluster.administrators) > 0 && alltrue([for arn in values(var.cluster.administrators) : startswith(arn, "arn:")])
    error_message = "At least one role that administers the cluster, as an ARN: nobody could install anything."
  }
}

variable "kafka" {
  description = "The brokers, as the module `kafka` takes them."
  type        = any

  validation {
    condition     = can(keys(var.kafka))
    error_message = "The module `kafka` says what belongs here."
  }
}

variable "postgres" {
  description = "The database servers, as the module `postgres` takes them; one whose services are not named has all that no other has."
  type        = any

  validation {
    condition     = can(var.postgres.servers)
    error_message = "The module `postgres` says what belongs here."
  }

  validation {
    condition     = length([for server in var.postgres.servers : server if length(try(server.services, [])) == 0]) <= 1
    error_message = "At most one server takes what the others don't."
  }
}

variable "pods" {
  description = "The least and the most pods of each deployment and the CPU that each asks for, where values-aws.yaml is too large; null leaves it as it is."
  type = object({
    serve = object({ least = number, most = number, cpu = string })
    work  = object({ least = number, most = number, cpu = string })
    edge  = object({ least = number, most = number, cpu = string })
  })
  default = null

  validation {
    condition     = var.pods == null || try(alltrue([for role in values(var.pods) : role.least >= 1 && role.least <= role.most]), false)
    error_message = "At least one pod of each, and no fewer at most than at least."
  }
}

variable "redis" {
  description = "The cache, as the module `redis` takes it."
  type        = any

  validation {
    condition     = can(keys(var.redis))
    error_message = "The module `redis` says what belongs here."
  }
}

variable "opensearch" {
  description = "OpenSearch: null for none, which is right until search has outgrown PostgreSQL; or its class and volume. With it, the chart's values make it the engine of the services whose registry block names it."
  type = object({
    instance_type = optional(string, "r7g.large.search")
    volume_gib    = optional(number, 100)
  })
  default = null

  validation {
    condition     = var.opensearch == null || try(var.opensearch.volume_gib >= 10, false)
    error_message = "A volume has at least 10 GiB."
  }
}

variable "edge" {
  description = "The edge, as the module `edge` takes it."
  type        = any

  validation {
    condition     = can(var.edge.hosts) && can(var.edge.zone_name)
    error_message = "The module `edge` says what belongs here."
  }
}

variable "observability" {
  description = "What is watched and who is told, as the module `observability` takes it."
  type        = any

  validation {
    condition     = can(var.observability.recipients)
    error_message = "The module `observability` says what belongs here."
  }
}

variable "ci" {
  description = "Jenkins: its issuer, which jobs may plan, deploy and apply, and where the state is. Null without it."
  type = object({
    issuer   = string
    subjects = map(set(string))
    state    = object({ bucket_arn = string, key = string, kms_key_arn = string })
    # The key that signs releases, from terraform/shared.
    signing_key_arn = optional(string, "")
  })
  default = null

  validation {
    condition     = var.ci == null || try(startswith(var.ci.issuer, "https://") && length(setsubtract(keys(var.ci.subjects), ["plan", "deploy", "apply"])) == 0, false)
    error_message = "An issuer begins with https://; the roles of an environment are plan, deploy and apply."
  }
}

variable "release" {
  description = "The Helm release and its namespace: service accounts are called RELEASE-SERVICE."
  type        = object({ name = string, namespace = string })
  default     = { name = "souk", namespace = "souk" }

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*$", var.release.name)) && can(regex("^[a-z][a-z0-9-]*$", var.release.namespace))
    error_message = "Names as Kubernetes wants them."
  }
}
