"""The table of an evaluation, the settings beside it, and what it says in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from praxino.report.markup import definitions, finite, folded, note, number, plural, table, text
from praxino.telling import column_title, telling, untold

# Of tracking; what they do is no feature.
BASELINES = ("never moves", "of opencv")
RIVALS = ("hand-made", "baseline")
HANDMADE = ("thumbnail", "histogram", "difference", "spectrum", "hand-made", "handmade")
JOINT = "trained, joint"
# Above this share of hits by chance a column does not tell one row from another.
TELLING = 90.0
# So many classes are shown without a click.
OPENED = 12

Row = Mapping[str, Any]


def kind(row: Row) -> str:
    """What a row is, by its name: "chance", "untrained", "hand-made", "baseline" or "trained"."""
    name = str(row.get("name", "")).lower()
    for word in ("chance", "untrained", "trained"):
        if name.startswith(word):
            return word
    if any(word in name for word in BASELINES):
        return "baseline"
    return "hand-made" if any(word in name for word in HANDMADE) else "trained"


def value(row: Row, column: str) -> float | None:
    """The row's finite number in a column, if it has one."""
    return finite((row.get("values") or {}).get(column))


def interval(row: Row, column: str) -> tuple[float, float] | None:
    """The row's interval in a column, if it was taken."""
    found = (row.get("intervals") or {}).get(column)
    if not isinstance(found, list | tuple) or len(found) != 2:
        return None
    low, high = map(finite, found)
    return None if low is None or high is None else (low, high)


def best(rows: Sequence[Row], column: str) -> Row | None:
    """The row with the largest number in a column; the first of equals."""
    given = [row for row in rows if value(row, column) is not None]
    return max(given, key=lambda row: value(row, column) or 0.0, default=None)


def trained(rows: Sequence[Row], column: str) -> Row | None:
    """The row that speaks for the trained network: of several views the joint one, not the luckiest; else the best."""
    given = [row for row in rows if kind(row) == "trained" and value(row, column) is not None]
    return next((row for row in given if row.get("name") == JOINT), best(given, column))


def overlap(one: Row, other: Row, column: str) -> bool:
    """Whether both rows have intervals, and these meet."""
    a, b = interval(one, column), interval(other, column)
    return a is not None and b is not None and a[0] <= b[1] and b[0] <= a[1]


def findings(evaluation: Mapping[str, Any]) -> list[str]:
    """What the table says: first where hand-made features win, then how far training came."""
    columns, rows = evaluation.get("columns") or [], evaluation.get("rows") or []
    full = {column: reached for column in columns if (reached := _chance(rows, column)) > TELLING}
    wins: dict[tuple[str, bool], list[str]] = {}
    for column in columns:
        learnt = trained(rows, column)
        handmade = best([row for row in rows if kind(row) in RIVALS], column)
        if learnt is None or handmade is None or column in full:
            continue
        ours, theirs = value(learnt, column) or 0.0, value(handmade, column) or 0.0
        if theirs > ours:
            where = wins.setdefault((str(handmade["name"]), overlap(learnt, handmade, column)), [])
            where.append(f"{at(column)} ({theirs:.1f} against {ours:.1f})")
    said = [_win(name, vague, where) for (name, vague), where in wins.items()]
    said += _gain(rows, columns[0]) if columns else []
    if full:
        alone = _listed([f"{chance:.1f} {at(column)}" for column, chance in full.items()])
        said.append(f"Chance alone reaches {alone}: nothing is to be learnt there.")
    return said


def _chance(rows: Sequence[Row], column: str) -> float:
    row = best([row for row in rows if kind(row) == "chance"], column)
    return (value(row, column) if row is not None else None) or 0.0


def _win(name: str, vague: bool, where: Sequence[str]) -> str:
    name = name[:1].upper() + name[1:]
    verb = "is above" if vague else "beats"
    caution = "; but the intervals overlap, so no difference is shown" if vague else ""
    what = "a hand-made feature" if kind({"name": name}) == "hand-made" else "a baseline"
    return f"{name}, {what}, {verb} the trained network here {_listed(where)}{caution}."


def _gain(rows: Sequence[Row], column: str) -> list[str]:
    learnt = trained(rows, column)
    if learnt is None:
        return []
    parts = []
    ours = value(learnt, column) or 0.0
    for row in _rivals(learnt, rows, column):
        theirs = value(row, column) or 0.0
        if kind(row) in RIVALS and theirs > ours:
            continue
        apart = f"{abs(ours - theirs):.1f}"
        side = "level with" if apart == "0.0" else f"{apart} points {'above' if ours > theirs else 'below'}"
        name = "chance" if kind(row) == "chance" else f"“{row['name']}”"
        caution = " (the intervals overlap)" if overlap(learnt, row, column) else ""
        parts.append(f"{side} {name}{caution}")
    which = "joint features of several views stand" if learnt.get("name") == JOINT else "network stands"
    return [f"The trained {which} {_listed(parts)} {at(column)}."] if parts else []


def _rivals(learnt: Row, rows: Sequence[Row], column: str) -> list[Row]:
    """The best row of each kind; before it the trained network's own twin, from which training has to be told."""
    twin = [row for row in rows if row.get("name") == f"un{learnt.get('name')}" and value(row, column) is not None]
    kinds = ("chance", "untrained", *RIVALS)
    chance, *others = (best([row for row in rows if kind(row) == other], column) for other in kinds)
    made = [chance, *twin, *(row for row in others if row not in twin)]
    return [row for row in made if row is not None]


def at(column: str) -> str:
    """Where in a table: \"at k = 5\", \"in success\"."""
    return f"at k\u00a0=\u00a0{column}" if column.isdecimal() else f"in {column}"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def draw(evaluation: Mapping[str, Any], name: str, figures: str = "") -> str:
    """One evaluation: title, findings, table, settings, figures, what it left out.

    Args:
        evaluation: content of its file.
        name: of that file, without its ending; the title where there is none.
        figures: HTML of its curves and pictures.
    """
    columns, rows = evaluation.get("columns") or [], evaluation.get("rows") or []
    title = f"<h3>{text(evaluation.get('title') or name)}</h3>"
    if columns and rows:
        said = "".join(f"<li>{text(sentence)}</li>" for sentence in findings(evaluation))
        settings = definitions([("evaluation", evaluation.get("protocol", name)), *_settings(evaluation)])
        body = (
            f'<ul class="findings">{said}</ul><div class="beside"><div>{scores(columns, rows)}</div>'
            f"<aside><h4>Settings</h4>{settings}</aside></div>"
        )
    else:
        body = note("This evaluation holds no table.")
    return f'<article class="card">{title}{body}{by_class(evaluation)}{figures}{_left_out(evaluation)}</article>'


def by_class(evaluation: Mapping[str, Any]) -> str:
    """The headline class by class, the best first; "" where the evaluation does not say."""
    said = evaluation.get("by_class") or {}
    scored = [(one, finite(one.get("value"))) for one in said.get("classes") or []]
    classes = sorted(((one, reached) for one, reached in scored if reached is not None), key=lambda pair: -pair[1])
    if not classes:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{text(one["name"])}</th>'
        f"<td>{number(one.get('videos'), 0)}</td><td>{reached:.1f}{_bar(reached)}</td></tr>"
        for one, reached in classes
    )
    heads = "".join(f'<th scope="col">{text(head)}</th>' for head in ("videos", f"{said.get('row')}, %"))
    whole = f'<table class="scores few"><thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    title = f"Class by class, {at(str(said.get('column')))}"
    box = f'<div class="scroll" tabindex="0">{whole}</div>'
    return folded(title, box, plural(len(classes), "class"), opened=len(classes) <= OPENED)


def _bar(share: float) -> str:
    return f'<span class="bar"><i style="width:{min(max(share, 0.0), 100.0):.1f}%"></i></span>'


def _settings(evaluation: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return list((evaluation.get("settings") or {}).items())


def scores(columns: Sequence[str], rows: Sequence[Row]) -> str:
    """The table: the rows in their order, of each column the best one bold."""
    by_chance = {column: _chance(rows, column) for column in columns}
    without = untold(columns, by_chance)
    columns = telling(columns, by_chance)
    heads = "".join(f'<th scope="col">{text(column_title(column))}</th>' for column in columns)
    winners = {column: row for column in columns if (row := best(rows, column)) is not None}
    body = "".join(_row(row, columns, winners) for row in rows)
    few = " few" if len(columns) <= 3 else ""
    foot = "In percent; bold: the best of its column."
    if any(interval(row, column) for row in rows for column in columns):
        foot += " Below a number: its interval."
    if without:
        foot += f" {without[:1].upper()}{without[1:]}."
    return (
        f'<div class="scroll" tabindex="0"><table class="scores{few}"><thead><tr><td></td>'
        f"{heads}</tr></thead><tbody>{body}</tbody></table></div>{note(foot)}"
    )


def _row(row: Row, columns: Sequence[str], winners: Mapping[str, Row]) -> str:
    of = kind(row)
    wins = winners.get(columns[0]) is row
    mark = f' <span class="badge best">best {text(at(columns[0]))}</span>' if wins else ""
    tag = ' <span class="badge">hand-made</span>' if of == "hand-made" else ""
    aside = f"<small>{text(row['note'])}</small>" if row.get("note") else ""
    cells = "".join(
        _cell(row, column, column in winners and value(row, column) == value(winners[column], column))
        for column in columns
    )
    name = f'<th scope="row">{text(row.get("name", ""))}{tag}{mark}{aside}</th>'
    return f'<tr class="{of}{" winner" if wins else ""}">{name}{cells}</tr>'


def _cell(row: Row, column: str, wins: bool) -> str:
    found, between = value(row, column), interval(row, column)
    if found is None:
        return "<td>–</td>"
    shown = f"<strong>{found:.1f}</strong>" if wins else number(found)
    span = f"<small>{between[0]:.1f}–{between[1]:.1f}</small>" if between else ""
    return f"<td>{shown}{span}{_bar(found)}</td>"


def _left_out(evaluation: Mapping[str, Any]) -> str:
    left_out = evaluation.get("left_out") or []
    if not left_out:
        return ""
    rows = [(one.get("id", ""), one.get("reason", "")) for one in left_out]
    return folded("Left out of this evaluation", table(("video", "reason"), rows), plural(len(rows), "video"))
