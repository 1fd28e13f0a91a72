# What all environments of an account share: the images, which are promoted by digest and so are in one place, and the trust in Jenkins.

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = module.naming.tags
  }
}

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

  images      = toset(keys(module.services.images))
  kms_key_arn = module.encryption.arns.registry
}

module "ci" {
  source = "../modules/ci"
  count  = var.jenkins == null ? 0 : 1

  prefix          = module.naming.prefix
  issuer          = var.jenkins.issuer
  create_provider = true
  repository_arns = module.registry.arns
  state           = { bucket_arn = var.jenkins.state_bucket_arn, key = "souk/shared.tfstate", kms_key_arn = var.jenkins.state_kms_arn }

  # Branches build and test; main and tags push.
  subjects = {
    publish = ["${var.jenkins.job}job/main/", "${var.jenkins.job}job/v*"]
  }
}
