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
  description = "The network: its addresses, its three zones, whether all share one NAT gateway, and which AWS services have an address inside."
  type = object({
    vpc_cidr            = string
    zones               = list(string)
    single_nat_gateway  = optional(bool, false)
    interface_endpoints = optional(set(string), ["ecr.api", "ecr.dkr", "eks-auth", "secretsmanager", "sns", "logs"])
  })

  validation {
    condition     = can(cidrhost(var.network.vpc_cidr, 0)) && length(var.network.zones) == 3
    error_message = "A range in CIDR notation and three zones."
  }
}

variable "cluster" {
  description = "The cluster: version, nodes, who may reach and use it (the module `cluster` says more)."
  type = object({
    kubernetes_version  = optional(string, "1.35")
    public_access_cidrs = optional(list(string), [])
    api_client_cidrs    = optional(list(string), [])
    administrators      = map(string)
    node_groups = map(object({
      capacity_type  = string
      instance_types = list(string)
      min_size       = number
      desired_size   = number
      max_size       = number
      volume_gib     = optional(number, 50)
      labels         = optional(map(string), {})
      taints         = optional(map(object({ value = string, effect = string })), {})
    }))
  })

  validation {
    condition     = length(var.cluster.administrators) > 0 && alltrue([for arn in values(var.cluster.administrators) : startswith(arn, "arn:")])
    error_message = "At least one role that administers the cluster, as an ARN: nobody could install anything."
  }
}

variable "kafka" {
  description = "The brokers (the module `kafka` says more)."
  type = object({
    version          = optional(string, "4.1.x.kraft")
    instance_type    = optional(string, "kafka.m7g.large")
    brokers_per_zone = optional(number, 1)
    storage_gib      = optional(number, 100)
    storage_most_gib = optional(number, 1000)
    retention_hours  = optional(number, 168)
  })
  default = {}

  validation {
    condition     = endswith(var.kafka.version, ".kraft")
    error_message = "A version of Kafka as MSK writes it, without ZooKeeper, such as 4.1.x.kraft."
  }
}

variable "postgres_version" {
  description = "PostgreSQL's major version, or an exact one, of every server."
  type        = string
  default     = "18"

  validation {
    condition     = can(regex("^[0-9]+(\\.[0-9]+)?$", var.postgres_version))
    error_message = "A version such as 18 or 18.1."
  }
}

variable "postgres" {
  description = "The database servers by name. One whose services are not named has all that no other has."
  type = map(object({
    services         = optional(set(string), [])
    instance_class   = string
    storage_gib      = number
    storage_most_gib = number
    multi_az         = optional(bool, true)
    replicas         = optional(number, 0)
  }))

  validation {
    condition     = length([for server in var.postgres : server if length(server.services) == 0]) <= 1
    error_message = "At most one server takes what the others don't."
  }
}

variable "connections" {
  description = "Connections that a database server takes: more than all pods of the release can open, each postgres.pool of them."
  type        = number
  default     = 500

  validation {
    condition     = var.connections >= 50 && var.connections <= 5000
    error_message = "Between 50 and 5,000."
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

variable "backup_retention_days" {
  description = "For how many days a database can be restored to any second."
  type        = number
  default     = 14

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 35
    error_message = "Between 1 and 35 days."
  }
}

variable "redis" {
  description = "The cache (the module `redis` says more)."
  type = object({
    node_type               = optional(string, "cache.m7g.large")
    nodes                   = optional(number, 2)
    snapshot_retention_days = optional(number, 1)
  })
  default = {}

  validation {
    condition     = var.redis.nodes >= 1 && var.redis.nodes <= 6
    error_message = "Between 1 and 6 nodes."
  }
}

variable "opensearch" {
  description = "OpenSearch: null for none, which is right until search has outgrown PostgreSQL; or its class, volume, and the services that use it. With it, the chart's values make it the engine of search."
  type = object({
    instance_type = optional(string, "r7g.large.search")
    volume_gib    = optional(number, 100)
    services      = optional(set(string), ["search"])
  })
  default = null

  validation {
    condition     = var.opensearch == null || try(length(var.opensearch.services) > 0, false)
    error_message = "Somebody uses it."
  }
}

variable "edge" {
  description = "The names under which the API is reached, their zone, and how many requests an address may send in five minutes."
  type = object({
    hosts                     = list(string)
    zone_name                 = string
    create_zone               = optional(bool, false)
    requests_per_five_minutes = optional(number, 2000)
  })

  validation {
    condition     = length(var.edge.hosts) > 0
    error_message = "At least one host."
  }
}

variable "observability" {
  description = "Where metrics go, who gets alarms, what a month may cost, and whether Amazon's Grafana is made: only in an account with IAM Identity Center."
  type = object({
    mode               = optional(string, "managed")
    grafana            = optional(bool, false)
    recipients         = set(string)
    monthly_budget_usd = number
  })

  validation {
    condition     = length(var.observability.recipients) > 0 && var.observability.monthly_budget_usd > 0
    error_message = "Somebody gets the alarms, and a month may cost something."
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
