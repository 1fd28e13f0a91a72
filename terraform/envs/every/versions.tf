terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.25, < 7.0"
    }
  }

  # The rest of it (bucket, region, key) is in terraform/backend.hcl, which `make tf-bootstrap` writes.
  backend "s3" {
    key          = "souk/dev.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
