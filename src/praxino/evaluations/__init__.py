"""Evaluations: protocols with a number."""

from typing import TYPE_CHECKING

from praxino.lazy import lazy

if TYPE_CHECKING:
    from praxino.evaluations.agreement import compare_encoders as compare_encoders
    from praxino.evaluations.by_class import ByClass as ByClass
    from praxino.evaluations.classifying.classifier import Classifier as Classifier
    from praxino.evaluations.classifying.finetune import finetune as finetune
    from praxino.evaluations.classifying.linear import linear as linear
    from praxino.evaluations.classifying.outcome import FineTuned as FineTuned
    from praxino.evaluations.classifying.probe import probe as probe
    from praxino.evaluations.classifying.recognition import recognise as recognise
    from praxino.evaluations.comparison import Compared as Compared
    from praxino.evaluations.comparison import compared_features as compared_features
    from praxino.evaluations.embedding import Embedded as Embedded
    from praxino.evaluations.embedding import embed_videos as embed_videos
    from praxino.evaluations.features import VideoFeatures as VideoFeatures
    from praxino.evaluations.figures import Curves as Curves
    from praxino.evaluations.figures import Picture as Picture
    from praxino.evaluations.instance import find_own_video as find_own_video
    from praxino.evaluations.joint import Member as Member
    from praxino.evaluations.joint import members_of as members_of
    from praxino.evaluations.joint import members_of_all as members_of_all
    from praxino.evaluations.nearest_neighbours import knn as knn
    from praxino.evaluations.result import Neighbours as Neighbours
    from praxino.evaluations.result import Result as Result
    from praxino.evaluations.result import Row as Row
    from praxino.evaluations.retrieval import retrieve as retrieve
    from praxino.evaluations.thumbnails import Played as Played
    from praxino.evaluations.tracking.augment import PairCrops as PairCrops
    from praxino.evaluations.tracking.baselines import Follows as Follows
    from praxino.evaluations.tracking.baselines import OpenCVTracker as OpenCVTracker
    from praxino.evaluations.tracking.baselines import StillBox as StillBox
    from praxino.evaluations.tracking.measure import compare_trackers as compare_trackers
    from praxino.evaluations.tracking.measure import track_sequences as track_sequences
    from praxino.evaluations.tracking.pairs import PairDataset as PairDataset
    from praxino.evaluations.tracking.siamese import Siamese as Siamese
    from praxino.evaluations.tracking.toolkit_files import ToolkitFiles as ToolkitFiles
    from praxino.evaluations.tracking.tracker import Tracker as Tracker
    from praxino.evaluations.tracking.train import TrackerTrained as TrackerTrained
    from praxino.evaluations.tracking.train import train_tracker as train_tracker
    from praxino.evaluations.views_shown import show_views as show_views
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "agreement": ["compare_encoders"],
            "by_class": ["ByClass"],
            "classifying.classifier": ["Classifier"],
            "classifying.finetune": ["finetune"],
            "classifying.linear": ["linear"],
            "classifying.outcome": ["FineTuned"],
            "classifying.probe": ["probe"],
            "classifying.recognition": ["recognise"],
            "comparison": ["Compared", "compared_features"],
            "embedding": ["Embedded", "embed_videos"],
            "features": ["VideoFeatures"],
            "figures": ["Curves", "Picture"],
            "instance": ["find_own_video"],
            "joint": ["Member", "members_of", "members_of_all"],
            "nearest_neighbours": ["knn"],
            "result": ["Neighbours", "Result", "Row"],
            "retrieval": ["retrieve"],
            "thumbnails": ["Played"],
            "tracking.augment": ["PairCrops"],
            "tracking.baselines": ["Follows", "OpenCVTracker", "StillBox"],
            "tracking.measure": ["compare_trackers", "track_sequences"],
            "tracking.pairs": ["PairDataset"],
            "tracking.siamese": ["Siamese"],
            "tracking.toolkit_files": ["ToolkitFiles"],
            "tracking.tracker": ["Tracker"],
            "tracking.train": ["TrackerTrained", "train_tracker"],
            "views_shown": ["show_views"],
        },
    )
