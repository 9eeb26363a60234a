"""Views computed once for all videos of a catalog, and written into files that streams read."""

from typing import TYPE_CHECKING

from praxino.lazy import lazy

if TYPE_CHECKING:
    from praxino.prepare.flow import prepare_flow as prepare_flow
    from praxino.prepare.keypoints import prepare_keypoints as prepare_keypoints
    from praxino.prepare.persons import prepare_persons as prepare_persons
    from praxino.prepare.segmentation import prepare_segmentation as prepare_segmentation
    from praxino.prepare.views import Prepared as Prepared
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "flow": ["prepare_flow"],
            "keypoints": ["prepare_keypoints"],
            "persons": ["prepare_persons"],
            "segmentation": ["prepare_segmentation"],
            "views": ["Prepared"],
        },
    )
