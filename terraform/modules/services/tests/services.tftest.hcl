run "a_registry_is_read" {
  command = plan

  variables {
    path = "tests/good.yaml"
  }

  assert {
    condition     = output.databases == { shop = "souk_shop", books = "souk_books" }
    error_message = "A database for each service that keeps data in PostgreSQL."
  }

  assert {
    condition     = output.cached == toset(["shop"])
    error_message = "Only the shop uses Redis."
  }

  assert {
    condition     = output.access.shop.write == toset(["sales"]) && length(output.access.shop.read) == 0
    error_message = "Who consumes nothing has nothing to give up on."
  }

  assert {
    condition     = output.access.books.write == toset(["dead-letter"]) && output.access.books.read == toset(["sales"]) && output.access.books.group == "books"
    error_message = "Who consumes may write to dead-letter, and reads in a group of its own name."
  }

  assert {
    condition     = !contains(keys(output.access), "page") && contains(keys(output.services), "page")
    error_message = "A service without topics is no user of the brokers."
  }

  assert {
    condition     = output.sizes.shop == { cpu_ms = 0.5, database = true } && output.sizes.page == { cpu_ms = 0, database = false }
    error_message = "Sizes are read; who is on no order's way counts nothing."
  }

  assert {
    condition     = output.partitions == 9
    error_message = "Partitions are counted."
  }

  assert {
    condition     = output.images == { services = false, simulators = true }
    error_message = "Images say whether they are for development alone."
  }
}

run "a_topic_that_is_not_there_is_refused" {
  command = plan

  variables {
    path = "tests/dangling.yaml"
  }

  expect_failures = [output.services]
}

run "a_path_without_a_registry_is_refused" {
  command = plan

  variables {
    path = "tests/none.yaml"
  }

  expect_failures = [var.path]
}

run "the_chart_says_which_systems_are_reached_with_a_secret" {
  command = plan

  variables {
    path       = "tests/good.yaml"
    chart_path = "tests/chart.yaml"
  }

  assert {
    condition     = output.outside == toset(["mail"])
    error_message = "A system without secrets is reached by a role."
  }
}

run "a_system_that_the_chart_does_not_have_is_refused" {
  command = plan

  variables {
    path       = "tests/good.yaml"
    chart_path = "tests/chart_without.yaml"
  }

  expect_failures = [output.outside]
}
