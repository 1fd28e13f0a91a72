run "a_guard_that_is_off_is_not_there" {
  variables {
    enabled = false
    ids     = ["db-1"]
  }

  assert {
    condition     = output.enabled == false && length(terraform_data.this) == 0
    error_message = "Nothing stands in the way of development."
  }
}

run "a_guard_of_nothing_is_refused" {
  command = plan

  variables {
    enabled = true
    ids     = []
  }

  expect_failures = [var.ids]
}
