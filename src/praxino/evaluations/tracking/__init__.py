"""Object tracking: how well a frozen representation follows what a box marks in the first frame."""

from typing import TYPE_CHECKING

from praxino.lazy import lazy

if TYPE_CHECKING:
    from praxino.evaluations.tracking.baselines import Follows as Follows
    from praxino.evaluations.tracking.baselines import OpenCVTracker as OpenCVTracker
    from praxino.evaluations.tracking.baselines import StillBox as StillBox
    from praxino.evaluations.tracking.measure import compare_trackers as compare_trackers
    from praxino.evaluations.tracking.measure import track_sequences as track_sequences
    from praxino.evaluations.tracking.toolkit_files import ToolkitFiles as ToolkitFiles
    from praxino.evaluations.tracking.tracker import Tracker as Tracker
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "baselines": ["Follows", "OpenCVTracker", "StillBox"],
            "measure": ["compare_trackers", "track_sequences"],
            "toolkit_files": ["ToolkitFiles"],
            "tracker": ["Tracker"],
        },
    )
