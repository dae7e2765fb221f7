"""What holds for the whole suite."""

from hypothesis import HealthCheck, settings

# a property is true or it is not; how fast the machine is today says nothing about it
settings.register_profile("dialtone", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dialtone")
