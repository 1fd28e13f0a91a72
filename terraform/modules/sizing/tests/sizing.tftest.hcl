# A registry of the tests' own, with the sums of the real one: a service that needs no database, and one on no order's way.
variables {
  services = {
    busy  = { cpu_ms = 1.02, database = true }
    quiet = { cpu_ms = 0.82, database = true }
    calm  = { cpu_ms = 0.82, database = true }
    page  = { cpu_ms = 0.06, database = false }
    rest  = { cpu_ms = 0, database = true }
  }
}

run "a_hundred_orders_a_second_take_the_least_there_is_in_three_zones" {
  command = plan

  variables {
    orders_per_second = 100
  }

  assert {
    condition     = output.nodes.count == 3
    error_message = "One node per zone, although ${output.nodes.cores} cores would do."
  }

  assert {
    condition     = keys(output.postgres) == ["shared"] && output.postgres.shared.instance_class == "db.r7g.large"
    error_message = "One small server has all databases."
  }

  assert {
    condition     = output.kafka.instance_type == "kafka.m7g.large"
    error_message = "The smallest brokers."
  }
}

run "a_thousand_take_one_server_still" {
  command = plan

  variables {
    orders_per_second = 1000
  }

  assert {
    condition     = output.nodes.cores == 13.87 && output.nodes.count == 4
    error_message = "2.98 ms x 1,000 / 1,000 x 2 / 0.43 is 13.87 cores, which four nodes of 3.5 have."
  }

  assert {
    condition     = keys(output.postgres) == ["shared"] && output.postgres.shared.cores == 4.05
    error_message = "0.87 ms x 1,000 / 1,000 x 2 / 0.43 is 4.05 cores."
  }

  assert {
    condition     = output.partitions <= 6
    error_message = "Six partitions, which topics start with, do."
  }
}

run "ten_thousand_take_a_server_for_each_service_and_more_partitions" {
  command = plan

  variables {
    orders_per_second = 10000
  }

  assert {
    condition     = keys(output.postgres) == [for name, service in var.services : name if service.database]
    error_message = "Each service with a database has its own server; the others and the edge have none."
  }

  assert {
    condition     = output.postgres.busy.instance_class == "db.r7g.4xlarge"
    error_message = "The busiest has the largest."
  }

  assert {
    condition     = output.partitions == 32
    error_message = "More consumers than six partitions have room for."
  }
}

run "twice_the_rate_never_takes_less" {
  command = plan

  variables {
    orders_per_second = 2000
  }

  assert {
    condition     = output.nodes.count >= 4 && output.kafka.storage_gib >= 1731
    error_message = "More orders, more machines."
  }
}

run "what_nobody_has_measured_is_refused" {
  command = plan

  variables {
    orders_per_second = 50000
  }

  expect_failures = [var.orders_per_second]
}
