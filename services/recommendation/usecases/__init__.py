"""What recommendation does: learn from events, make its model anew, and recommend. Next stop: `recommending.py`."""

from dataclasses import dataclass

from services.recommendation.usecases import building, recommending

SERVICE = "recommendation"


@dataclass(frozen=True, slots=True)
class UseCases:
    """All use cases that calls reach."""

    recommending: recommending.Recommending
    building: building.Building
