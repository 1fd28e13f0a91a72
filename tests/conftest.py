"""What holds for every test."""

import hypothesis

# How long one example takes says how busy the machine is, and nothing else.
hypothesis.settings.register_profile("souk", deadline=None)
hypothesis.settings.load_profile("souk")
