# What all environments of an account share: the images, which are promoted by digest and so are in one place, and the trust in Jenkins.

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = module.naming.tags
  }
}

data "aws_partition" "current" {}

module "naming" {
  source = "../modules/naming"

  environment = "shared"
  owner       = var.owner
}

module "services" {
  source = "../modules/services"

  path = "${path.root}/../../services/services.yaml"
}

module "encryption" {
  source = "../modules/encryption"

  prefix   = module.naming.prefix
  purposes = ["registry"]
}

module "registry" {
  source = "../modules/registry"

  # Beside a release's images that of Jenkins' agents, which an administrator pushes.
  images      = toset(concat(keys(module.services.images), ["jenkins-agent"]))
  kms_key_arn = module.encryption.arns.registry
  copies      = var.second_region == null ? null : { region = var.second_region }
}

# What releases are signed with: the private half never leaves AWS.
resource "aws_kms_key" "signing" {
  # checkov:skip=CKV_AWS_7: AWS does not rotate keys that sign; a new one is another key, beside this one
  description              = "${module.naming.prefix}: signs releases"
  key_usage                = "SIGN_VERIFY"
  customer_master_key_spec = "ECC_NIST_P256"
  # So that another region can have it too: a key cannot become one of several regions later.
  multi_region            = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "IamOfThisAccountDecides"
        Effect    = "Allow"
        Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${var.account_id}:root" }
        Action = [
          "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey", "kms:EnableKey",
          "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:GetPublicKey", "kms:ListKeyPolicies", "kms:ListResourceTags", "kms:PutKeyPolicy",
          "kms:ScheduleKeyDeletion", "kms:Sign", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
          "kms:Verify",
        ]
        Resource = "*"
      }],
      # Clusters in accounts of their own hold a release to its signature there.
      [for statement in [{
        Sid       = "OtherAccountsVerify"
        Effect    = "Allow"
        Principal = { AWS = [for account in sort(var.verifying_accounts) : "arn:${data.aws_partition.current.partition}:iam::${account}:root"] }
        Action    = ["kms:DescribeKey", "kms:GetPublicKey", "kms:Verify"]
        Resource  = "*"
      }] : statement if length(var.verifying_accounts) > 0],
    )
  })
}

# The same key in the second region: signatures are verified there when this one is lost.
resource "aws_kms_replica_key" "signing" {
  count = var.second_region == null ? 0 : 1

  region                  = var.second_region
  description             = "${module.naming.prefix}: signs releases"
  primary_key_arn         = aws_kms_key.signing.arn
  deletion_window_in_days = 30
  policy                  = aws_kms_key.signing.policy
}

resource "aws_kms_alias" "signing" {
  name          = "alias/${module.naming.prefix}-releases"
  target_key_id = aws_kms_key.signing.key_id
}

module "ci" {
  source = "../modules/ci"
  count  = var.jenkins == null ? 0 : 1

  place = { prefix = module.naming.prefix, repository_arns = module.registry.arns }

  settings = {
    issuer          = var.jenkins.issuer
    create_provider = true
    signing_key_arn = aws_kms_key.signing.arn
    state           = { bucket_arn = var.jenkins.state_bucket_arn, key = "souk/shared.tfstate", kms_key_arn = var.jenkins.state_kms_arn }

    # Branches build and test; main and tags push.
    subjects = {
      publish = ["${var.jenkins.job}job/main/", "${var.jenkins.job}job/v*"]
    }
  }
}
