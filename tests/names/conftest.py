"""Examples are not timed: on a busy machine any of them can be slow, and the first one compiles."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
