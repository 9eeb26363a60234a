#!/bin/sh
# Makes the folders beside this file anew. Run it with `praxino` of the commit before the rooms were redrawn (23a61d9)
# on the path: folders that a later one has made would show nothing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
videos=$here/videos
runs=$(mktemp -d)
cd "$runs"

# The videos are kept as they are: another version of the encoder makes other bytes.
[ -d "$videos" ] || PYTHONPATH=$here/../.. python - "$videos" <<'PYTHON'
import sys
from pathlib import Path
import videos

root = Path(sys.argv[1])
lists = {"train": "", "test": ""}
for row in range(10):
    name, group = ("Left", "Right")[row % 2], row // 2 + 1
    path = root / name / f"v_{name}_g{group:02d}_c01.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    videos.write(path, range(row * 40, row * 40 + 20), size=(32, 32), seed=row, options={"crf": "32"})
    lists["test" if group > 3 else "train"] += f"{name}/{path.name}\n"
(root / "splits").mkdir()
(root / "splits/classInd.txt").write_text("1 Left\n2 Right\n")
for part, lines in lists.items():
    (root / f"splits/{part}list01.txt").write_text(lines)
PYTHON

quick="--threads 1 --device cpu --workers 0 --batch_size 2 --keep_epochs 1"
short="--sampler.frames 8 --evaluation.sampler.frames 8 --evaluation.sampler.clips 2"
resized() { echo "--$1.operations.0.height 36 --$1.operations.0.width 36 --$1.operations.0.crop 32"; }
tested="$(resized evaluation.views.rgb) $(resized evaluation.views.residual)"

praxino pretrain iic_ucf101 --catalog.root "$videos" --out pretraining --epochs 2 --method.backbone.width 1 \
    --method.negatives 4 --method.normalise true $(resized method.first) $(resized method.second) \
    $short $tested $quick
praxino pretrain simclr_small --catalog UCF101 --catalog.root "$videos" --out finished --epochs 2 \
    --method.backbone.width 1 --method.hidden 8 --method.dim 8 --stages.0.optimizer SGD --canvas.rgb.short_side 32 \
    --method.view.operations.0.size 32 --evaluation.canvas.rgb.short_side 32 --evaluation.sampler.clips 2 \
    --evaluation.views.residual.operations.0.size 32 --evaluation.views.rgb.operations.0.size 32 $quick
praxino evaluate finetune finished --out finetuning --recipe finetune_iic --epochs 3 --validation 2 \
    --rates '{"^linear\\.": 0.02, "stages\\.3": 0.005}' --stages.0.schedule.patience 0 \
    --stages.0.schedule.threshold 0.9 $short $tested $quick

for run in pretraining finished finetuning; do
    rm -rf "${here:?}/$run" "$here/expected/$run"
    mkdir -p "$here/expected/$run/evaluations"
    cp -r $run "$here"
    cd "$here/$run"
    rm -rf tensorboard evaluations checkpoints/*.ckpt
    if [ $run = finished ]; then
        cp "$runs/$run/checkpoints/last.ckpt" checkpoints
    else
        # What a kill after the first epoch leaves, but for best.ckpt, which is then the same file once more.
        rm -f encoder*
        cp "$runs/$run/checkpoints/epoch-0001.ckpt" checkpoints/last.ckpt
        sed -i '/"kind": "epoch"/q' metrics.jsonl
    fi
    for file in *.yaml *.json; do
        sed -i "s#$videos#@VIDEOS@#g; s#$runs#@RUNS@#g" "$file"
    done
    sed -i "\#$videos#d; \#$runs#d" log.txt
    cd "$runs"
done

praxino evaluate retrieval finished --k 1,2 --workers 0 --device cpu
praxino evaluate knn finished --k 3 --workers 0 --device cpu
praxino embed finished --videos "$videos" --out "$here/expected/finished/vectors.npz" --workers 0 --device cpu
cp pretraining/metrics.jsonl "$here/expected/pretraining"
cp finetuning/metrics.jsonl "$here/expected/finetuning"
cp finetuning/evaluations/finetune.json "$here/expected/finetuning/evaluations"
cp finished/evaluations/*.json "$here/expected/finished/evaluations"
rm -rf "$runs"
