"""Small tools around the services: building stubs, the local stack, the sample data. No business logic."""
