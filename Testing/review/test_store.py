"""The store: what was recorded stays, as it was, in SQLite and PostgreSQL alike."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy

from BraTSRefineLib.review import Event, ReviewError, open_store
from BraTSRefineLib.review.store_places import place_of

NOTE = "she said \"look; here\",\r\nthen 'there'\n\tand 🧠 ümlaut \\n % {x}"


def decision(case: str = "case-1", who: str = "Ann", what: str = "minor", **fields) -> Event:
    return Event("decision", case, who, decision=what, **fields)


def flag_decision(flag: str, who: str = "Ann", what: str = "accept", **fields) -> Event:
    return Event("flag decision", "case-1", who, decision=what, flag=flag, **fields)


@pytest.fixture
def store(url, tmp_path):
    with open_store(url, tmp_path) as opened:
        yield opened


def test_an_event_comes_back_as_it_went_in(store):
    event = decision(
        note=NOTE,
        model="unet",
        prediction_hash="ab12",
        reference_hash="cd34",
        payload={"seconds": 3.25, "list": [1, None, True, {"ü": "🧠"}]},
        when=datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=2))),
    )
    store.record(event)
    assert store.events() == [event]
    assert store.events()[0].when == datetime(2026, 3, 1, 10, 30, 15, 123456, tzinfo=UTC)
    assert store.events()[0].software.startswith("BraTSRefine ")


def test_numbers_rise_and_the_order_is_that_of_recording(store):
    events = [decision(f"case-{i}") for i in range(5)]
    numbers = [store.record(event) for event in events]
    assert numbers == sorted(set(numbers))
    assert store.events() == events
    assert store.events("case-3") == [events[3]]


def test_another_opening_finds_everything(url, store, tmp_path):
    store.record(decision())
    with open_store(url, tmp_path) as other:
        assert other.events() == store.events()


def test_recording_the_same_event_again_keeps_it_once(store):
    event = decision()
    assert store.record(event) == store.record(event)
    assert len(store.events()) == 1


def test_another_event_under_a_known_uid_is_refused(store):
    event = decision()
    store.record(event)
    with pytest.raises(ReviewError, match="already here with other content"):
        store.record(replace(event, decision="major"))
    with pytest.raises(ReviewError, match="already here with other content"):
        store.add([decision("case-2"), replace(event, decision="major")])
    assert store.events() == [event]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET note = 'changed'",
        "DELETE FROM events",
        "DELETE FROM events WHERE id = 1",
        "UPDATE events SET decision = 'accept' WHERE id = 1",
    ],
)
def test_the_database_itself_refuses_to_change_or_delete(store, url, statement):
    store.record(decision())
    engine = sqlalchemy.create_engine(place_of(url).url)
    with pytest.raises(sqlalchemy.exc.DBAPIError, match="never changed or deleted"), engine.begin() as connection:
        connection.execute(sqlalchemy.text(statement))
    engine.dispose()
    assert [event.decision for event in store.events()] == ["minor"]


def test_sqlite_refuses_to_replace_too(tmp_path):
    with open_store(tmp_path) as store:
        store.record(decision())
        engine = sqlalchemy.create_engine(place_of(tmp_path).url)
        columns = ", ".join(f'"{column}"' for column in Event("note", "c", "w").row if column != "note")
        statement = f"REPLACE INTO events (id, note, {columns}) SELECT id, 'changed', {columns} FROM events"
        with pytest.raises(sqlalchemy.exc.DBAPIError, match="never changed"), engine.begin() as connection:
            connection.execute(sqlalchemy.text(statement))


def test_postgresql_refuses_to_truncate_too(new_database):
    with open_store(new_database) as store:
        store.record(decision())
        engine = sqlalchemy.create_engine(place_of(new_database).url)
        with pytest.raises(sqlalchemy.exc.DBAPIError, match="never changed"), engine.begin() as connection:
            connection.execute(sqlalchemy.text("TRUNCATE events"))
        engine.dispose()


def test_undo_is_a_new_event_and_brings_the_older_decision_back(store):
    first, second = decision(what="minor"), decision(what="major")
    for event in (first, second):
        store.record(event)
    assert store.state("case-1").decision == second
    store.undo(second.uid, "Ann", note="wrong key")
    assert store.state("case-1").decision == first
    assert [event.kind for event in store.events()] == ["decision", "decision", "undo"]
    assert store.events()[-1].refers == second.uid


def test_undoing_an_undo_brings_the_decision_back(store):
    event = decision()
    store.record(event)
    store.undo(event.uid, "Ann")
    assert store.state("case-1").decision is None
    store.undo(store.events()[-1].uid, "Ann")
    assert store.state("case-1").decision == event


def test_undo_last_goes_back_step_by_step(store):
    events = [decision(), flag_decision("ET-1"), Event("opened", "case-1", "Ann"), decision(who="Ben")]
    for event in events:
        store.record(event)
    assert store.undo_last("Ann") == events[1]
    assert store.undo_last("Ann") == events[0]
    with pytest.raises(ReviewError, match="nothing to undo: Ann"):
        store.undo_last("Ann")
    assert store.state("case-1").decision == events[3]


def test_nobody_takes_back_what_another_did(store):
    event = decision()
    store.record(event)
    with pytest.raises(ReviewError, match="Ann's; only that person"):
        store.undo(event.uid, "Ben")
    with pytest.raises(ReviewError, match="no event"):
        store.undo("00000000-0000-4000-8000-000000000000", "Ann")


def test_a_case_and_each_flag_have_the_last_decision_that_was_not_undone(store):
    flags = [flag_decision("ET-1"), flag_decision("WT-1"), flag_decision("ET-1", what="major")]
    for event in (*flags, decision()):
        store.record(event)
    state = store.state("case-1")
    assert {flag: event.decision for flag, event in state.flags.items()} == {"ET-1": "major", "WT-1": "accept"}
    assert (state.decision.decision, state.decision.who, state.progress) == ("minor", "Ann", "decided")
    assert store.state("never seen").progress == "open"


def test_readers_are_blind_to_each_other_and_a_third_decides(store):
    mine, other = decision(what="accept"), decision(who="Ben", what="major")
    store.record(Event("second reader", "case-1", "Ann"))
    store.record(mine)
    assert store.state("case-1").progress == "second reader"
    assert store.state("case-1", who="Ben").decision is None
    store.record(other)
    assert store.state("case-1").progress == "disagreement"
    assert store.state("case-1", who="Ann").decision == mine
    with pytest.raises(ReviewError, match="a third person adjudicates"):
        store.record(Event("adjudication", "case-1", "Ben", decision="major"))
    judged = Event("adjudication", "case-1", "Cleo", decision="minor")
    store.record(judged)
    assert (store.state("case-1").progress, store.state("case-1").decision) == ("decided", judged)


def test_two_decisions_of_two_models_are_no_disagreement_and_of_one_flag_are(store):
    for who, model in (("Ann", "unet"), ("Ben", "swin")):
        store.record(decision(who=who, model=model, what="accept" if who == "Ann" else "major"))
    assert store.state("case-1").progress == "decided"
    assert store.state("case-1", model="unet").decision.who == "Ann"
    store.record(flag_decision("ET-1", "Ann", "accept"))
    store.record(flag_decision("ET-1", "Ben", "major"))
    assert (store.state("case-1").progress, store.state("case-1").unsettled) == ("disagreement", (("", "ET-1"),))
    store.record(Event("adjudication", "case-1", "Cleo", decision="accept", flag="ET-1"))
    assert (store.state("case-1").progress, store.state("case-1").flags["ET-1"].who) == ("decided", "Cleo")


def test_the_last_word_counts_however_fast_it_came_and_wherever_the_clock_was_set(store, monkeypatch):
    from BraTSRefineLib.review import store_events

    class SetBack(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2020, 1, 1, tzinfo=tz)

    first = decision(what="minor")
    monkeypatch.setattr(store_events, "datetime", SetBack)
    times = [store_events.now(), store_events.now()]
    monkeypatch.undo()
    later = [decision(what=what, when=when) for what, when in zip(("major", "accept"), times, strict=True)]
    store.add([later[1], later[0], first])
    assert first.when < later[0].when < later[1].when
    assert store.state("case-1").decision == later[1]


def test_a_copy_and_a_pickle_of_an_event_are_the_event():
    event = decision(payload={"a": [1, {"b": 2}]})
    assert copy.deepcopy(event) == pickle.loads(pickle.dumps(event)) == event


def test_notes_corrections_approval_and_done_are_part_of_the_state(store):
    correction = Event("correction", "case-1", "Ann", payload={"file": "corrections/case-1/v1.nii.gz"})
    events = [
        decision(note="see above"), correction, Event("note", "case-1", "Ann", note=NOTE),
        Event("approve", "case-1", "Ann"), Event("done", "case-1", "Ann"),
    ]  # fmt: skip
    for event in events:
        store.record(event)
    state = store.state("case-1")
    assert [note.note for note in state.notes] == ["see above", NOTE]
    assert (state.correction, state.approved, state.done) == (correction, events[3], events[4])
    assert store.states() == {"case-1": state}


def test_the_state_does_not_depend_on_the_order_in_which_stores_were_merged(store):
    late, early = (
        decision(what=what, when=datetime(2026, 1, day, tzinfo=UTC)) for what, day in (("major", 2), ("minor", 1))
    )
    store.add([late])
    store.add([early])
    assert store.state("case-1").decision == late


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "guess"}, "no kind 'guess'"),
        ({"decision": "fine"}, "no decision 'fine'"),
        ({"case": ""}, "takes a case"),
        ({"who": ""}, "name of who did it"),
        ({"kind": "note", "decision": "minor"}, "holds no decision"),
        ({"kind": "flag decision"}, "names its flag"),
        ({"flag": "ET-1"}, "kind 'flag decision'"),
        ({"kind": "undo", "decision": ""}, "refers"),
        ({"kind": "correction", "decision": ""}, "payload"),
        ({"note": "a\0b"}, "NUL"),
        ({"note": "\ud800"}, "no valid Unicode"),
        ({"payload": {"x": float("nan")}}, "no JSON"),
        ({"payload": {"x": "a\0b"}}, "NUL"),
        ({"when": datetime(2026, 1, 1)}, "zone"),
        ({"uid": "17"}, "no UUID"),
        ({"model": 3}, "not a text"),
    ],
)
def test_an_event_that_makes_no_sense_is_refused_at_once(fields, message):
    valid = {"kind": "decision", "case": "case-1", "who": "Ann", "decision": "minor"}
    with pytest.raises(ReviewError, match=message):
        Event(**valid | fields)


def test_an_event_cannot_be_changed():
    event = decision(payload={"a": 1})
    with pytest.raises(AttributeError):
        event.note = "other"
    with pytest.raises(TypeError):
        event.payload["a"] = 2
