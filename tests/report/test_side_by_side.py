"""Several runs on one page, and where pages are written."""

import json
import re
import shutil

import pytest
from report_runs import Page, evaluation, row, run  # noqa: F401

from praxino.cli.main import main
from praxino.errors import UserError
from praxino.report.page import write_report
from praxino.report.side_by_side import write_comparison


@pytest.fixture
def two(run, tmp_path):  # noqa: F811
    """The run, and one that differs in its method, a number and a setting, and has fewer steps."""
    other = tmp_path / "other"
    shutil.copytree(run, other)
    recipe = (run / "recipe.yaml").read_text().replace("simclr.SimCLR", "moco.MoCo") + "batch_size: 16\n"
    (other / "recipe.yaml").write_text(recipe)
    content = evaluation(other)
    content["rows"][-1] = row("trained", 80.0, 95.0)
    content["settings"]["feature"] = "mean"
    (other / "evaluations" / "retrieval.json").write_text(json.dumps(content))
    lines = (run / "metrics.jsonl").read_text().splitlines()
    (other / "metrics.jsonl").write_text("\n".join(lines[:40]) + "\n")
    return run, other


def test_two_runs_side_by_side(two, tmp_path):
    path = write_comparison(two, tmp_path / "both.html")
    page = Page(path.read_text(encoding="utf-8"))
    assert "my run & co and other" in page.words
    assert "other is 12.5 points above my run & co at k = 1." in page.words
    assert "these settings differ: feature (max; mean)." in page.words
    cells = [text for tag, text in page.texts if tag == "td"]
    assert cells[cells.index("batch_size") :][1:3] == ["–", "16"]
    assert "SimCLR" in cells
    assert "MoCo" in cells
    # What is the same for both is one row.
    assert (len(page.all("tr", "trained")), len(page.all("tr", "untrained"))) == (2, 1)
    assert "my run & co, other" in [text for tag, text in page.texts if tag == "small"]
    charts = [svg["aria-label"] for svg in page.all("svg") if svg.get("aria-label", "").startswith("Loss over")]
    assert len(charts) == 1
    assert "my run & co from" in charts[0]
    assert "other from" in charts[0]
    assert not [a for tag, a in page.tags if "http" in a.get("src", "") + a.get("href", "")]


def test_overlapping_intervals_show_no_difference(two, tmp_path):
    content = evaluation(two[1])
    content["rows"][-1] = row("trained", 68.0, 95.0)
    (two[1] / "evaluations" / "retrieval.json").write_text(json.dumps(content))
    words = Page(write_comparison(two, tmp_path / "both.html").read_text()).words
    assert "other is 0.5 points above my run & co at k = 1; the intervals overlap, so no difference is shown." in words


def test_what_only_one_was_asked_and_equal_recipes(two, tmp_path):
    (two[1] / "evaluations" / "retrieval.json").unlink()
    shutil.copy(two[0] / "recipe.yaml", two[1])
    words = Page(write_comparison(two, tmp_path / "both.html").read_text()).words
    assert "Not asked of other." in words
    assert "Nothing: the recipes are the same." in words


def test_a_setting_that_only_one_result_names_is_told(two, tmp_path):
    content = evaluation(two[1])
    content["settings"] |= {"measured on": "films: gallery train 8, queries test 4", "view": None}
    (two[1] / "evaluations" / "retrieval.json").write_text(json.dumps(content))
    words = Page(write_comparison(two, tmp_path / "both.html").read_text()).words
    assert "measured on (not said; films: gallery train 8, queries test 4)" in words
    assert "null" not in words


def test_the_charts_of_a_page_stand_on_one_axis(two, tmp_path):
    lines = [json.loads(line) for line in (two[1] / "metrics.jsonl").read_text().splitlines()]
    lines[9]["looked_at_once"] = 0.5
    (two[1] / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    ends = [max(s["step"] for s in map(json.loads, (one / "metrics.jsonl").read_text().splitlines())) for one in two]
    page = write_comparison(two, tmp_path / "both.html").read_text()
    charts = [chart for chart in page.split("<figure")[1:] if "below" in chart]
    lasts = {re.findall(r'class="below">([^<]*)<', chart)[-1] for chart in charts}
    assert len(charts) > 2
    assert len(lasts) == 1
    assert max(ends) * 0.7 < float(lasts.pop().replace(",", "")) <= max(ends)


def test_runs_of_one_name_are_told_apart(run, tmp_path):  # noqa: F811
    for name in ("a", "b"):
        shutil.copytree(run, tmp_path / name / "run")
    words = Page(write_comparison([tmp_path / "a/run", tmp_path / "b/run"], tmp_path / "x.html").read_text()).words
    assert "a/run and b/run" in words


def test_by_command(two, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["report", *map(str, two)]) in (None, 0)
    assert capsys.readouterr().out == "comparison.html\n"
    assert main(["report", str(two[0]), "--out", "one.html"]) in (None, 0)
    assert (tmp_path / "one.html").read_text() == write_report(two[0]).read_text()
    # A page of ours is written anew, another file stays.
    assert main(["report", *map(str, two), "--out", "one.html"]) in (None, 0)
    (tmp_path / "mine.html").write_text("<p>mine</p>")
    for words, said in [
        (["--out", "mine.html"], "mine.html is there, and no report of praxino"),
        (["--out", "page.pdf"], "does not end in .html"),
        (["--out", "no/page.html"], "the folder no does not exist"),
        ([str(two[0])], "is named twice"),
    ]:
        assert main(["report", *map(str, two), *words]) == 2
        (line,) = capsys.readouterr().err.splitlines()[-1:]
        assert said in line
    assert (tmp_path / "mine.html").read_text() == "<p>mine</p>"


def test_a_folder_that_holds_no_run_is_refused(two, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="empty holds no run"):
        write_comparison([two[0], tmp_path / "empty"], tmp_path / "both.html")
    assert not (tmp_path / "both.html").exists()


def test_runs_without_an_evaluation_are_told_both_ways(two, tmp_path):
    for folder in two:
        shutil.rmtree(folder / "evaluations")
    words = Page(write_comparison(two, tmp_path / "bare.html").read_text(encoding="utf-8")).words
    assert "praxino evaluate retrieval RUN; of videos without labels: praxino evaluate instance RUN" in words
