# One key per purpose, so that who may decrypt logs may not decrypt secrets. All rotate by themselves once a year.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  root = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"

  # Purpose to the AWS services that use its key on their own behalf.
  purposes = {
    cluster  = []
    data     = []
    registry = []
    secrets  = []
    logs     = ["logs.${data.aws_region.current.region}.amazonaws.com"]
    alarms   = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com", "events.amazonaws.com"]
  }

  # What IAM policies of this account may grant; a key's policy speaks of that key alone.
  administration = [
    "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:CreateGrant", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey",
    "kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListAliases",
    "kms:ListGrants", "kms:ListKeyPolicies", "kms:ListResourceTags", "kms:PutKeyPolicy", "kms:RetireGrant", "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
  ]
  use = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
}

resource "aws_kms_key" "this" {
  for_each = { for purpose, services in local.purposes : purpose => services if contains(var.purposes, purpose) }

  description             = "${var.prefix}: ${each.key}"
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_window_in_days

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "IamOfThisAccountDecides"
        Effect    = "Allow"
        Principal = { AWS = local.root }
        Action    = concat(local.administration, local.use)
        Resource  = "*"
      }],
      # EBS volumes of nodes: the autoscaling service hands them to instances by a grant.
      [for statement in [{
        Sid       = "VolumesOfNodes"
        Effect    = "Allow"
        Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling" }
        Action    = concat(local.use, ["kms:DescribeKey"])
        Resource  = "*"
        }, {
        Sid       = "GrantsForVolumesOfNodes"
        Effect    = "Allow"
        Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling" }
        Action    = ["kms:CreateGrant"]
        Resource  = "*"
        Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
      }] : statement if each.key == "cluster"],
      [for statement in [{
        Sid       = "ServicesOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = each.value }
        Action    = concat(local.use, ["kms:DescribeKey"])
        Resource  = "*"
        Condition = [{
          ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:log-group:*" }
          }, {
          StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id }
        }][each.key == "logs" ? 0 : 1]
      }] : statement if length(each.value) > 0],
    )
  })
}

# What is copied to another region is encrypted there with a key of that region, which is there when this one is not.
resource "aws_kms_key" "copies" {
  count = var.copies_region == "" ? 0 : 1

  region                  = var.copies_region
  description             = "${var.prefix}: copies of another region"
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_window_in_days

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "IamOfThisAccountDecides"
      Effect    = "Allow"
      Principal = { AWS = local.root }
      Action    = concat(local.administration, local.use)
      Resource  = "*"
    }]
  })
}

resource "aws_kms_alias" "copies" {
  count = length(aws_kms_key.copies)

  region        = var.copies_region
  name          = "alias/${var.prefix}-copies"
  target_key_id = aws_kms_key.copies[0].key_id
}

resource "aws_kms_alias" "this" {
  for_each = aws_kms_key.this

  name          = "alias/${var.prefix}-${each.key}"
  target_key_id = each.value.key_id
}
