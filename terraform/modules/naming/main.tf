# Names and tags: one prefix for everything, and tags that say what it belongs to. Needs no provider.

locals {
  prefix = "${var.project}-${var.environment}"

  tags = merge(var.tags, {
    project     = var.project
    environment = var.environment
    owner       = var.owner
    managed-by  = "terraform"
  })
}
