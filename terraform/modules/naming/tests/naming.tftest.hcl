run "a_name_begins_with_project_and_environment" {
  command = plan

  variables {
    environment = "prod"
    owner       = "orders"
    tags        = { cost-centre = "42" }
  }

  assert {
    condition     = output.prefix == "souk-prod"
    error_message = "The prefix is project-environment."
  }

  assert {
    condition     = output.tags == { project = "souk", environment = "prod", owner = "orders", managed-by = "terraform", cost-centre = "42" }
    error_message = "Tags say what it belongs to, and what else was given."
  }
}

run "nobody_passes_for_another_environment_by_a_tag" {
  command = plan

  variables {
    environment = "prod"
    owner       = "orders"
    tags        = { environment = "dev" }
  }

  assert {
    condition     = output.tags.environment == "prod"
    error_message = "The environment's own tag wins."
  }
}

run "names_that_would_be_too_long_are_refused" {
  command = plan

  variables {
    environment = "production"
    owner       = "orders"
  }

  expect_failures = [var.environment]
}

run "tags_of_awss_own_are_refused" {
  command = plan

  variables {
    environment = "prod"
    owner       = "orders"
    tags        = { "aws:mine" = "no" }
  }

  expect_failures = [var.tags]
}
