run "three_zones_of_a_large_network" {
  command = plan

  variables {
    vpc_cidr = "10.40.0.0/16"
    zones    = ["a", "b", "c"]
  }

  assert {
    condition     = output.private == { a = "10.40.0.0/19", b = "10.40.32.0/19", c = "10.40.64.0/19" }
    error_message = "Nodes and pods have an eighth each."
  }

  assert {
    condition     = output.public == { a = "10.40.128.0/22", b = "10.40.132.0/22", c = "10.40.136.0/22" }
    error_message = "Public subnets begin at half of the network."
  }

  assert {
    condition     = output.intra == { a = "10.40.144.0/22", b = "10.40.148.0/22", c = "10.40.152.0/22" }
    error_message = "Intra subnets follow the public ones."
  }

  assert {
    condition     = output.pods_per_zone == 8187
    error_message = "A /19 without AWS's five."
  }
}

run "a_fourth_zone_moves_none_of_the_three" {
  command = plan

  variables {
    vpc_cidr = "10.40.0.0/16"
    zones    = ["a", "b", "c", "d"]
  }

  assert {
    condition     = output.private.c == "10.40.64.0/19" && output.public.c == "10.40.136.0/22" && output.intra.c == "10.40.152.0/22"
    error_message = "Subnets that exist stay where they are."
  }

  assert {
    condition     = length(distinct(concat(values(output.private), values(output.public), values(output.intra)))) == 12
    error_message = "No two subnets share a range."
  }
}

run "the_smallest_network_still_has_room" {
  command = plan

  variables {
    vpc_cidr = "192.168.16.0/20"
    zones    = ["a", "b", "c"]
  }

  assert {
    condition     = output.private.a == "192.168.16.0/23" && output.public.a == "192.168.24.0/26" && output.intra.c == "192.168.25.128/26"
    error_message = "The plan scales with the network."
  }
}

run "a_public_range_is_refused" {
  command = plan

  variables {
    vpc_cidr = "8.8.0.0/16"
    zones    = ["a", "b", "c"]
  }

  expect_failures = [var.vpc_cidr]
}

run "an_address_inside_the_network_is_refused" {
  command = plan

  variables {
    vpc_cidr = "10.40.1.0/16"
    zones    = ["a", "b", "c"]
  }

  expect_failures = [var.vpc_cidr]
}

run "one_zone_is_refused" {
  command = plan

  variables {
    vpc_cidr = "10.40.0.0/16"
    zones    = ["a"]
  }

  expect_failures = [var.zones]
}
