"""The curves of a linear evaluation with few labels."""

from test_finetune import ListedToys, toy_encoder

from praxino.evaluations.classifying.linear import linear

QUICK = {"workers": 0, "device": "cpu", "reestimate_batchnorm": False, "validation": 0, "draws": 2}


def test_a_line_for_each_row_of_the_table():
    found = linear(toy_encoder(), ListedToys(), labels_per_class=(3, 1), **QUICK)
    (curves,) = found.curves
    assert (curves.x, curves.y) == ("labels a class", "top-1 accuracy, %")
    assert list(curves.lines) == [row.name for row in found.rows]
    for row in found.rows:
        assert curves.lines[row.name] == [(1.0, row.values["1 a class"]), (3.0, row.values["3 a class"])]


def test_with_all_labels_alone_there_is_no_curve():
    assert linear(toy_encoder(), ListedToys(), baselines=False, **QUICK).curves == []
