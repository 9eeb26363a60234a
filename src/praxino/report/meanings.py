"""What each number of a training's curves means, in a line."""

from __future__ import annotations

# By the last word of the number's name, behind the view or the pair of views that it is of.
MEANINGS = {
    "total": "What the training makes smaller. How high it is depends on the method and the batch, too.",
    "lr": "How large a step is: the schedule of the recipe.",
    "effective_rank": "How many directions the vectors use. Near 1 they have collapsed into one.",
    "wait_share": "0: the network never waits for videos. Near 1: decoding is the slow part.",
    "clips_per_second": "How many clips are learnt from in a second.",
    "contrastive": "The loss of telling the own video from the others.",
    "accuracy": "How often, of all that are compared, the right one comes first: up to 1.",
    "cycle_accuracy": "How often the way to other frames and back ends where it began: up to 1.",
    "top3": "How often the right one is among the first three: up to 1.",
    "found": "How often the response is strongest where the object is: up to 1.",
    "positives": "The mean cosine of what belongs together; it should rise.",
    "negatives": "The mean cosine of what does not belong together; it should stay below.",
    "synchronisation": "The loss of finding the same block in the other view.",
    "cooperation": "The loss of views that find other videos alike.",
}
PROBABILITY = "How sure the network is of the own video, among those of the bank: up to 1."
TERM = "A term that the method logs; the page of the method says what it is made of."


def meaning(key: str) -> str:
    """What a number of metrics.jsonl means.

    Args:
        key: its name: "total", "effective_rank/clip", "rgb-flow/positives".
    """
    whose, _, name = key.rpartition("/")
    if name.endswith("_probability"):
        return PROBABILITY
    return MEANINGS.get(name) or MEANINGS.get(whose) or TERM
