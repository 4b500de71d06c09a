"""Records as files: out and in again without loss, broken rows named, other names on request."""

from __future__ import annotations

import csv
import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from BraTSRefineLib.review import Event, ReviewError, open_store, pseudonyms_of, read_events, write_events
from BraTSRefineLib.review.store_events import EVENT_COLUMNS

NOTES = [
    "say \"this\", or 'that'",
    "two\nlines\r\nand\rmore",
    "🧠 ümlaut 漢字",
    "=1+1",
    " blanks ",
    "a,b;c\t\\n",
    "null",
]
FORMATS = ["csv", "jsonl"]
STORABLE = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))


def some_events() -> list[Event]:
    notes = [Event("note", f"case-{i}", "Ann", note=text, payload={"i": i, "s": text}) for i, text in enumerate(NOTES)]
    decision = Event("decision", "case-1", "Ben Öztürk", decision="bad image", model="unet", prediction_hash="00ff")
    undo = Event("undo", "case-1", "Ben Öztürk", refers=decision.uid)
    return [*notes, decision, undo]


@pytest.fixture(params=FORMATS)
def file(request, tmp_path):
    return tmp_path / f"events.{request.param}"


def test_every_event_survives_the_file(file):
    events = some_events()
    write_events(events, file)
    assert read_events(file) == events


@settings(max_examples=40, deadline=None)
@given(note=STORABLE, case=STORABLE.filter(bool), key=STORABLE)
@pytest.mark.parametrize("ending", FORMATS)
def test_any_text_survives_the_file(tmp_path_factory, ending, note, case, key):
    file = tmp_path_factory.mktemp("texts") / f"events.{ending}"
    events = [Event("note", case, "Ann", note=note, payload={key: note})]
    write_events(events, file)
    assert read_events(file) == events


def test_the_columns_begin_with_the_uid(tmp_path):
    write_events(some_events(), tmp_path / "events.csv")
    with (tmp_path / "events.csv").open(encoding="utf-8", newline="") as stream:
        assert next(csv.reader(stream)) == list(EVENT_COLUMNS)
    assert EVENT_COLUMNS[0] == "uid"


def test_import_is_idempotent_by_uid(url, tmp_path, file):
    events = some_events()
    write_events(events, file)
    with open_store(url) as store:
        store.record(events[0])
        assert store.add(read_events(file)) == len(events) - 1
        assert store.add(read_events(file)) == 0
        assert {event.uid for event in store.events()} == {event.uid for event in events}
        write_events(store.events(), file)
        assert store.add(read_events(file)) == 0


def test_a_spreadsheet_s_byte_order_mark_extra_columns_and_empty_lines_do_no_harm(tmp_path):
    file = tmp_path / "events.csv"
    event = some_events()[0]
    row = event.row | {"payload": json.dumps(dict(event.payload))}
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        table = csv.DictWriter(stream, [*row, "mine"])
        table.writeheader()
        table.writerow(row | {"mine": "x"})
        stream.write("\r\n")
    assert read_events(file) == [event]


def broken_csv(change) -> str:
    rows = [event.row | {"payload": "{}"} for event in some_events()[:3]]
    change(rows[1])
    cells = [",".join(f'"{str(value).replace(chr(34), chr(34) * 2)}"' for value in row.values()) for row in rows]
    return "\n".join([",".join(EVENT_COLUMNS), *cells]) + "\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row: row.update(uid="17"), "line 3: uid '17' is no UUID"),
        (lambda row: row.update(uid=""), "line 3: no uid"),
        (lambda row: row.update(when="yesterday"), "line 3: 'yesterday' is no time"),
        (lambda row: row.update(when="2026-01-01T10:00:00"), "line 3: .* no time zone"),
        (lambda row: row.update(kind="guess"), "line 3: .*no kind 'guess'"),
        (lambda row: row.update(payload="{oops"), "line 3: the payload is no JSON"),
        (lambda row: row.update(payload="[1]"), "line 3: .*payload is no JSON object"),
        (lambda row: row.pop("payload"), "line 3: 13 cells under 14 headings"),
    ],
)
def test_a_broken_row_is_named_by_its_line(tmp_path, change, message):
    file = tmp_path / "events.csv"
    file.write_text(broken_csv(change), encoding="utf-8")
    with pytest.raises(ReviewError, match=message) as caught:
        read_events(file)
    assert "Nothing was imported" in str(caught.value)


def test_lines_are_those_of_the_file_where_notes_have_several(tmp_path):
    file = tmp_path / "events.csv"
    write_events([Event("note", "c", "Ann", note="1\n2\n3"), Event("note", "c", "Ann", note="last")], file)
    file.write_text(file.read_text(encoding="utf-8").replace("last,", "last,,"), encoding="utf-8")
    with pytest.raises(ReviewError, match="line 5: 15 cells under 14 headings"):
        read_events(file)


@pytest.mark.parametrize("line", ["{oops", "[1]", '{"uid": 3}', '"text"'])
def test_a_broken_line_of_json_is_named(tmp_path, line):
    file = tmp_path / "events.jsonl"
    write_events(some_events()[:1], file)
    with file.open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")
    with pytest.raises(ReviewError, match="line 2: no"):
        read_events(file)


def test_the_same_uid_twice_in_a_file_is_refused(file):
    event = some_events()[0]
    write_events([event, event], file)
    with pytest.raises(ReviewError, match="stands already in line"):
        read_events(file)


def test_a_file_cut_short_or_of_another_kind_is_refused(tmp_path):
    (tmp_path / "events.csv").write_text('uid,when,who,kind,case\n"abc', encoding="utf-8")
    (tmp_path / "other.csv").write_text("case,model\nx,y\n", encoding="utf-8")
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00\x01\n")
    with pytest.raises(ReviewError, match="cannot be read"):
        read_events(tmp_path / "events.csv")
    with pytest.raises(ReviewError, match="line 1: no column uid, when, who, kind"):
        read_events(tmp_path / "other.csv")
    with pytest.raises(ReviewError, match="cannot be read"):
        read_events(tmp_path / "binary.jsonl")
    with pytest.raises(ReviewError, match="cannot be read"):
        read_events(tmp_path / "none.csv")
    with pytest.raises(ReviewError, match=r"kept as \.csv or \.jsonl"):
        write_events([], tmp_path / "events.xlsx")


def test_pseudonyms_are_the_same_within_a_workspace_and_others_elsewhere(tmp_path):
    (tmp_path / "other").mkdir()
    events = some_events()
    here, again = pseudonyms_of(tmp_path).of(events), pseudonyms_of(tmp_path).of(events)
    assert here == again
    elsewhere = pseudonyms_of(tmp_path / "other").of(events)
    assert not {event.case for event in here} & {event.case for event in elsewhere}
    assert len({event.case for event in here}) == len({event.case for event in events})
    assert [event.uid for event in here] == [event.uid for event in events]


def test_no_name_of_a_case_or_reader_is_left_in_a_pseudonymised_file(tmp_path, file):
    path = "corrections/BraTS-01-000/BraTS-01-000_v1.nii.gz"
    events = [
        Event("note", "BraTS-01-000", "Al", note="Al saw BraTS-01-000 and BraTS-02; all ALs stay"),
        Event("correction", "BraTS-01-000", "Dr. Öz", payload={"file": path, "with": ["Dr. Öz"]}),
    ]
    write_events(pseudonyms_of(tmp_path).of(events, cases=["BraTS-02"]), file)
    found = read_events(file)
    text = file.read_text(encoding="utf-8")
    assert not [name for name in ("BraTS-", "Al ", "Öz") if name in text]
    assert found[0].note.endswith("; all ALs stay")
    assert found[1].payload["file"] == f"corrections/{found[0].case}/{found[0].case}_v1.nii.gz"
    assert found[0].who in found[0].note


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_the_salt_is_for_its_owner_alone_and_a_damaged_one_is_refused(tmp_path):
    pseudonyms_of(tmp_path)
    salt = tmp_path / "review-salt"
    assert salt.stat().st_mode & 0o777 == 0o600
    salt.write_bytes(b"short")
    with pytest.raises(ReviewError, match="damaged, 5 bytes"):
        pseudonyms_of(tmp_path)
    with pytest.raises(ReviewError, match="cannot be kept"):
        pseudonyms_of(tmp_path / "none")
    (tmp_path / "unreadable" / "review-salt").mkdir(parents=True)
    with pytest.raises(ReviewError, match=r"review-salt: .* cannot be kept or read"):
        pseudonyms_of(tmp_path / "unreadable")
