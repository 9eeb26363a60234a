"""Methods: pretraining tasks, and the contract of one's own."""

from typing import TYPE_CHECKING

from praxino.lazy import lazy

if TYPE_CHECKING:
    from praxino.methods.base import Losses as Losses
    from praxino.methods.base import Method as Method
    from praxino.methods.base import Task as Task
    from praxino.methods.cmc import CMC as CMC
    from praxino.methods.cmc_in_batch import CMCInBatch as CMCInBatch
    from praxino.methods.cocon import CoCon as CoCon
    from praxino.methods.cyclecontrast import CycleContrast as CycleContrast
    from praxino.methods.dpc import DPC as DPC
    from praxino.methods.iic import IIC as IIC
    from praxino.methods.iic_in_batch import IICInBatch as IICInBatch
    from praxino.methods.moco import MoCo as MoCo
    from praxino.methods.parts.memory_bank import MemoryBank as MemoryBank
    from praxino.methods.parts.queue import Queue as Queue
    from praxino.methods.simclr import SimCLR as SimCLR
    from praxino.methods.tclr import TCLR as TCLR
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "base": ["Losses", "Method", "Task"],
            "cmc": ["CMC"],
            "cmc_in_batch": ["CMCInBatch"],
            "cocon": ["CoCon"],
            "cyclecontrast": ["CycleContrast"],
            "dpc": ["DPC"],
            "iic": ["IIC"],
            "iic_in_batch": ["IICInBatch"],
            "moco": ["MoCo"],
            "parts.memory_bank": ["MemoryBank"],
            "parts.queue": ["Queue"],
            "simclr": ["SimCLR"],
            "tclr": ["TCLR"],
        },
    )
