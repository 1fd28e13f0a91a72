# What no role of this environment can do, whatever its policies say. Jenkins' `apply` makes roles and writes their policies, so
# without it whoever changes this repository could make a role that administers the account. It may make and change only roles that
# carry this boundary, and cannot change the boundary: an administrator applies a plan that does.
#
# A boundary grants nothing: a role can do what its own policies and the boundary both allow. So services are named whole.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region
  # By its name: roles carry the boundary, and the bucket has one that copies it.
  images = "arn:${local.partition}:s3:::${var.prefix}-images-${local.account}"

  # What nodes, pods, controllers and AWS's own services use in this region. Neither S3, where the state is (but for the images below),
  # nor the account's own administration (IAM, organizations, CloudTrail, sign-in) is among them.
  services = [
    "acm", "aps", "autoscaling", "cloudwatch", "cognito-idp", "ec2", "ec2messages", "ecr", "eks", "eks-auth", "elasticache",
    "elasticloadbalancing", "es", "kafka", "kafka-cluster", "kms", "logs", "secretsmanager", "shield", "sns", "sqs", "ssm", "ssmmessages",
    "tag", "waf-regional", "wafv2",
  ]
}

resource "aws_iam_policy" "boundary" {
  # checkov:skip=CKV_AWS_286: a boundary grants nothing: it says what may not be exceeded
  # checkov:skip=CKV_AWS_287: a boundary grants nothing: it says what may not be exceeded
  # checkov:skip=CKV_AWS_288: a boundary grants nothing: it says what may not be exceeded
  # checkov:skip=CKV_AWS_289: a boundary grants nothing: it says what may not be exceeded
  # checkov:skip=CKV_AWS_290: a boundary grants nothing: it says what may not be exceeded
  # checkov:skip=CKV_AWS_355: a boundary grants nothing: it says what may not be exceeded
  name        = "${var.prefix}-boundary"
  description = "What no role of ${var.prefix} can do, whatever its policies say"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "InThisRegion"
        Effect    = "Allow"
        Action    = [for service in local.services : "${service}:*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:RequestedRegion" = local.region } }
      },
      {
        # They have no region, or another one.
        Sid      = "Everywhere"
        Effect   = "Allow"
        Action   = ["pricing:GetProducts", "route53:ChangeResourceRecordSets", "route53:Get*", "route53:List*"]
        Resource = "*"
      },
      {
        Sid      = "Images"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"]
        Resource = [local.images, "${local.images}/*"]
      },
      {
        # To the bucket beside it in another region, in the name of the role that S3 copies by.
        Sid    = "CopiesOfImages"
        Effect = "Allow"
        Action = [
          "s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging", "s3:GetReplicationConfiguration",
          "s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags",
        ]
        Resource = [for arn in [local.images, "${local.images}-copy"] : "${arn}*"]
      },
      {
        # Karpenter's nodes are given the role of nodes.
        Sid    = "NodesProfiles"
        Effect = "Allow"
        Action = [
          "iam:AddRoleToInstanceProfile", "iam:CreateInstanceProfile", "iam:DeleteInstanceProfile", "iam:GetInstanceProfile",
          "iam:ListInstanceProfiles", "iam:RemoveRoleFromInstanceProfile", "iam:TagInstanceProfile",
        ]
        Resource = "arn:${local.partition}:iam::${local.account}:instance-profile/*"
      },
      {
        Sid      = "OwnRoles"
        Effect   = "Allow"
        Action   = ["iam:GetRole", "iam:PassRole"]
        Resource = "arn:${local.partition}:iam::${local.account}:role/${var.prefix}-*"
      },
      {
        # AWS's own roles for its services: what they may do, AWS says.
        Sid      = "ServiceLinkedRoles"
        Effect   = "Allow"
        Action   = ["iam:CreateServiceLinkedRole"]
        Resource = "arn:${local.partition}:iam::${local.account}:role/aws-service-role/*"
      },
      {
        Sid    = "NoSecretOfOthers"
        Effect = "Deny"
        Action = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
        NotResource = [
          for start in ["${var.secrets_path}/", "rds!db-"] : "arn:${local.partition}:secretsmanager:${local.region}:${local.account}:secret:${start}*"
        ]
      },
    ]
  })
}
