# ECR: a repository per image and one for the chart. A tag is never moved to another image; what is pushed is scanned.
#
# Releases and signatures never expire: any of them may be running or be rolled back to, and they are few or small. An image of one
# processor has no tag, and ECR keeps it for as long as the index of both is there.

locals {
  repositories = setunion([for image in var.images : "${var.project}/${image}"], ["${var.project}/charts/${var.project}"])
}

resource "aws_ecr_repository" "this" {
  for_each = local.repositories

  name                 = each.value
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.force_delete

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.kms_key_arn
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = aws_ecr_repository.this

  repository = each.value.name

  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "Images that neither a tag nor an index names any more"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = var.untagged_days }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "The oldest builds of commits that were never released"
        selection    = { tagStatus = "tagged", tagPrefixList = ["commit-"], countType = "imageCountMoreThan", countNumber = var.builds_kept }
        action       = { type = "expire" }
      },
    ]
  })
}

data "aws_caller_identity" "current" {}

# Copies are made of what is pushed after this, and signatures are images too.
resource "aws_ecr_replication_configuration" "this" {
  count = var.copies == null ? 0 : 1

  replication_configuration {
    rule {
      destination {
        region      = var.copies.region
        registry_id = data.aws_caller_identity.current.account_id
      }

      repository_filter {
        filter      = "${var.project}/"
        filter_type = "PREFIX_MATCH"
      }
    }
  }

  depends_on = [aws_ecr_repository_creation_template.this]
}

# How ECR makes the repositories there: no tag moves either, and what nothing names goes.
resource "aws_ecr_repository_creation_template" "this" {
  count = var.copies == null ? 0 : 1

  region               = var.copies.region
  prefix               = var.project
  description          = "Copies of ${var.project}'s images"
  applied_for          = ["REPLICATION"]
  image_tag_mutability = "IMMUTABLE"

  encryption_configuration {
    encryption_type = "AES256"
  }

  lifecycle_policy = values(aws_ecr_lifecycle_policy.this)[0].policy
}
