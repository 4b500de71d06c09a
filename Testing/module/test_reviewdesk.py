"""A review without a window: the queue, what is recorded, who sees what, and what stands in the way."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from BraTSRefineUI.casedata import FALSE_NEGATIVE, FALSE_POSITIVE, Labels
from BraTSRefineUI.flagextents import isAround
from BraTSRefineUI.reviewing import Reviewing, ReviewingError
from BraTSRefineUI.session import Session
from BraTSRefineUI.tables import FlagRow

from BraTSRefineLib.review import Event, ReviewError, open_store
from BraTSRefineLib.review.store_places import EXPORT_FILE, STORE_FILE


def opened(cohort, folder, reader: str = "Ann") -> Reviewing:
    session = Session()
    session.open(cohort, folder)
    reviewing = Reviewing(session)
    reviewing.reader = reader
    reviewing.open()
    reviewing.queue.refresh()
    return reviewing


@pytest.fixture
def reviewing(phantom_cohort, folder):
    made = opened(phantom_cohort, folder)
    yield made
    made.close()


def flagged_case(reviewing) -> str:
    """A case with flags, shown."""
    for row in reviewing.queue.rows:
        if row.flags > 2 and show(reviewing, row.case):
            return row.case
    raise AssertionError("the phantom has no such case")


def show(reviewing, case: str) -> bool:
    reviewing.session.loadCase(case)
    return not reviewing.session.unreadable()


def look_at(reviewing, number: int) -> FlagRow:
    flag = reviewing.flags()[number]
    reviewing.session.setRegion(flag.region)
    reviewing.session.flagIndex = [one.id for one in reviewing.session.flags()].index(flag.id)
    return flag


# The queue


def test_cases_come_by_priority_with_their_flags_and_why(reviewing):
    rows = reviewing.queue.rows
    assert [row.place for row in rows] == list(range(1, len(rows) + 1))
    assert rows[0].flags > 0
    assert "flags" in rows[0].why
    assert reviewing.queue.progress == f"0 of {len(rows)}"


def test_only_cases_that_the_model_predicted_are_to_be_reviewed(reviewing):
    session = reviewing.session
    predicted = {case.case for case in session.cohort.cases if session.model in case.predictions}
    assert {row.case for row in reviewing.queue.rows} == predicted


def test_the_queue_is_filtered_by_state_centre_and_region(reviewing):
    queue = reviewing.queue
    whole = len(queue.rows)
    queue.center = reviewing.session.cohort.centers[0]
    queue.refresh()
    assert {row.center for row in queue.rows} == {queue.center}
    queue.center, queue.states = "", ("decided",)
    queue.refresh()
    assert queue.rows == []
    assert queue.progress == f"0 of {whole}"


def test_a_blind_order_is_a_reader_s_own_and_tells_nothing(reviewing):
    reviewing.queue.order = "blind"
    reviewing.queue.refresh()
    mine = [row.case for row in reviewing.queue.rows]
    assert all((row.why, row.center, row.flags) == ("", "", 0) for row in reviewing.queue.rows)
    orders = set()
    for reader in ("Ben", "Cleo", "Dan", "Eva"):
        reviewing.reader = reader
        reviewing.queue.refresh()
        orders.add(tuple(row.case for row in reviewing.queue.rows))
    assert orders != {tuple(mine)}


def test_next_and_previous_go_through_the_queue_and_the_ends_meet(reviewing):
    names = [row.case for row in reviewing.queue.rows]
    assert reviewing.queue.following(1, names[0]) == names[1:]
    assert reviewing.queue.following(-1, names[0]) == names[:0:-1]
    assert reviewing.queue.following(1, "elsewhere") == names


def test_what_could_not_be_shown_is_passed_over_and_its_row_says_why(reviewing):
    names = [row.case for row in reviewing.queue.rows]
    reviewing.queue.failed[names[1]] = "damaged"
    assert reviewing.queue.following(1, names[0]) == names[2:]
    reviewing.queue.refresh()
    assert reviewing.queue.rows[1].failed == "damaged"


# Records


def test_a_decision_names_model_flag_files_software_and_reader(reviewing):
    case = reviewing.session.cohort[flagged_case(reviewing)]
    flag = look_at(reviewing, 1)
    event = reviewing.decide("minor", "a\nnote with \"quotes\", 'these' and 🧠")
    assert reviewing.followed.store.events() == [event]
    assert (event.kind, event.decision, event.who) == ("flag decision", "minor", "Ann")
    assert (event.model, event.flag) == (reviewing.session.model, flag.id)
    assert event.prediction_hash == hashlib.sha256(case.predictions[event.model].read_bytes()).hexdigest()
    assert event.reference_hash == hashlib.sha256(case.reference.read_bytes()).hexdigest()
    assert event.software.startswith("BraTSRefine ")
    assert event.note == "a\nnote with \"quotes\", 'these' and 🧠"
    assert event.payload["region"] == flag.region


def test_flag_and_case_are_decided_apart_and_the_progress_counts_cases(reviewing):
    case = flagged_case(reviewing)
    look_at(reviewing, 0)
    reviewing.decide("major")
    assert reviewing.state(case).progress == "open"
    reviewing.session.flagIndex = -1
    reviewing.decide("accept")
    number = reviewing.queue.updateRow(case)
    row = reviewing.queue.rows[number]
    assert (row.state, row.decision, row.flagsDecided) == ("decided", "accept", 1)
    assert reviewing.queue.progress.startswith("1 of ")


def test_the_next_flag_without_a_decision_is_found_from_there_on_and_then_from_the_start(reviewing):
    flagged_case(reviewing)
    count = len(reviewing.flags())
    look_at(reviewing, 1)
    reviewing.decide("minor")
    assert reviewing.undecidedAfter(1) == 2
    assert reviewing.undecidedAfter(count - 1) == 0
    for number in range(count):
        look_at(reviewing, number)
        reviewing.decide("accept")
    assert reviewing.undecidedAfter(0) == -1


def test_decisions_are_of_the_model_that_was_looked_at(reviewing):
    case = flagged_case(reviewing)
    reviewing.decide("minor")
    reviewing.session.setModel(next(m for m in reviewing.session.models if m != reviewing.session.model))
    assert reviewing.state(case).decision is None


def test_undo_is_another_record(reviewing):
    flagged_case(reviewing)
    event = reviewing.decide("minor")
    assert reviewing.undo() == event
    assert reviewing.decisionOf(None) is None
    assert [e.kind for e in reviewing.followed.store.events()] == ["decision", "undo"]


def test_without_a_name_nothing_is_recorded(reviewing):
    flagged_case(reviewing)
    reviewing.reader = ""
    with pytest.raises(ReviewingError, match="name is missing"):
        reviewing.decide("minor")
    assert reviewing.followed.store.events() == []


def test_the_review_goes_on_where_this_reader_stopped_and_opening_is_recorded_once(reviewing, phantom_cohort, folder):
    case = flagged_case(reviewing)
    reviewing.noteOpened()
    reviewing.noteOpened()
    assert [event.kind for event in reviewing.followed.store.events()] == ["opened"]
    other = opened(phantom_cohort, folder)
    assert other.lastCase() == case
    other.reader = "Ben"
    assert other.lastCase() == ""
    other.close()


def test_a_case_that_the_cohort_lost_is_told_and_not_resumed(reviewing):
    reviewing.followed.record(Event("opened", "gone", "Ann", model=reviewing.session.model))
    assert reviewing.queue.gone == ["gone"]
    assert reviewing.lastCase() == ""
    reviewing.queue.refresh()
    assert "gone" not in [row.case for row in reviewing.queue.rows]


# Two readers


@pytest.fixture
def disputed(reviewing):
    """Ann and Ben decided one case differently."""
    case = flagged_case(reviewing)
    reviewing.decide("accept")
    reviewing.followed.record(Event("decision", case, "Ben", decision="major", model=reviewing.session.model))
    return reviewing


def test_readers_are_blind_to_each_other_unless_they_work_as_a_team(disputed):
    assert disputed.decisionOf(None).who == "Ann"
    disputed.reader = "Dan"
    assert disputed.decisionOf(None) is None
    disputed.isBlind = False
    assert disputed.decisionOf(None).who == "Ben"


def test_a_disagreement_is_shown_to_a_third_person_who_has_the_last_word(disputed):
    assert disputed.disputes() == []
    disputed.reader, disputed.adjudicates = "Cleo", True
    (dispute,) = disputed.disputes()
    assert dispute.words == "Ann: accept, Ben: major"
    assert disputed.decide("major").kind == "adjudication"
    assert disputed.disputes()[0].adjudicated == "major"
    disputed.reader, disputed.adjudicates = "Ann", False
    assert disputed.disputes()[0].adjudicator == "Cleo"
    assert disputed.decisionOf(None).decision == "major"


def test_a_reader_cannot_adjudicate(disputed):
    disputed.adjudicates = True
    assert disputed.decide("minor").kind == "decision"
    case, model = disputed.session.case, disputed.session.model
    with pytest.raises(ReviewError, match="a third person adjudicates"):
        disputed.followed.record(Event("adjudication", case, "Ben", decision="minor", model=model))


# What stands in the way


def test_a_workspace_that_vanishes_is_told_and_the_decision_is_not_taken(reviewing, folder):
    case = flagged_case(reviewing)
    shutil.rmtree(folder)
    with pytest.raises(ReviewError, match="is the workspace still there"):
        reviewing.decide("minor")
    assert reviewing.state(case).decision is None
    with pytest.raises(ReviewError):
        reviewing.catchUp()


def test_a_locked_store_says_so_within_half_a_second_and_the_next_try_counts(reviewing, folder):
    flagged_case(reviewing)
    other = sqlite3.connect(folder / STORE_FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ReviewError, match=r"locked by another program for more than 0\.4 s; nothing was written"):
        reviewing.decide("minor")
    other.execute("ROLLBACK")
    other.close()
    reviewing.decide("minor")
    assert reviewing.decisionOf(None).decision == "minor"


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:2000]), "damaged or cut short"),
        (lambda path: path.write_bytes(b"no database" * 1000), EXPORT_FILE),
        (lambda path: _set_version(path, "0999"), "written by a newer version"),
    ],
)
def test_a_store_that_cannot_be_used_leaves_the_cohort_open_and_says_why(
    reviewing, phantom_cohort, folder, spoil, told
):
    flagged_case(reviewing)
    reviewing.decide("minor")
    reviewing.close()
    spoil(folder / STORE_FILE)
    other = opened(phantom_cohort, folder)
    assert told in other.problem
    assert other.queue.rows
    show(other, other.queue.rows[0].case)
    with pytest.raises(ReviewingError, match=told):
        other.decide("minor")


def _set_version(path: Path, version: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))


def test_two_windows_on_one_workspace_both_record_and_see_each_other(reviewing, phantom_cohort, folder):
    other = opened(phantom_cohort, folder)
    case = flagged_case(reviewing)
    show(other, case)
    reviewing.decide("minor")
    other.mark("approve")
    assert other.state(case).decision.decision == "minor"
    assert reviewing.catchUp() == {case}
    assert reviewing.state(case).approved is not None
    other.close()


def test_notes_of_the_store_are_told(phantom_cohort, folder, monkeypatch):
    monkeypatch.setattr("BraTSRefineLib.review.store_database.network_type", lambda path: "nfs")
    reviewing = opened(phantom_cohort, folder)
    assert "network share (nfs)" in reviewing.notes[0]
    reviewing.close()


def test_decisions_are_kept_on_a_team_s_server_if_its_url_is_given(phantom_cohort, folder, tmp_path):
    session = Session()
    session.open(phantom_cohort, folder)
    reviewing = Reviewing(session)
    reviewing.open(f"sqlite:///{tmp_path / 'team.sqlite'}")
    assert reviewing.place == str(tmp_path / "team.sqlite")
    reviewing.reader = "Ann"
    reviewing.queue.refresh()
    flagged_case(reviewing)
    reviewing.decide("minor")
    reviewing.close()
    with open_store(tmp_path / "team.sqlite") as store:
        assert len(store.events()) == 1


# Flags


def test_flags_of_all_regions_are_ranked_by_their_weight(reviewing):
    flagged_case(reviewing)
    scores = [flag.score for flag in reviewing.flags()]
    assert scores == sorted(scores, reverse=True)
    assert len({flag.region for flag in reviewing.flags()}) > 1
    assert len({flag.id for flag in reviewing.flags()}) == len(scores)


def test_the_flag_at_a_place_is_found_before_and_after_its_voxels_are_read(reviewing):
    flagged_case(reviewing)
    flag = reviewing.flags()[0]
    assert reviewing.flagAt(flag.center) >= 0
    while not reviewing.extents.isRead:
        reviewing.extents.readNext()
    found = reviewing.flags()[reviewing.flagAt(flag.center)]
    assert reviewing.extents.of(found).contains(flag.center)
    assert reviewing.flagAt((900.0, 0.0, 0.0)) == -1


def test_what_is_wrong_in_a_flag_is_counted_within_its_own_voxels(reviewing):
    flagged_case(reviewing)
    flag = reviewing.flags()[0]
    assert reviewing.errorsIn(flag) is None
    extent = reviewing.extents.of(flag)
    assert extent.mask.sum() * float(extent.geometry.spacing[0]) ** 3 / 1000 == pytest.approx(
        flag.milliliters, rel=1e-3
    )
    errors = reviewing.errorsIn(flag)
    assert 0 <= sum(errors.values()) <= flag.milliliters + 1e-6


def test_what_is_wrong_in_a_flag_is_that_of_the_labels_that_are_shown(reviewing):
    """Also of a label map that has taken the place of a former one in memory, as when versions are stepped through."""
    flagged_case(reviewing)
    session, flag = reviewing.session, reviewing.flags()[0]
    extent, reference = reviewing.extents.of(flag), session.data.reference
    true = reference.regions[flag.region]
    inside = np.count_nonzero(true[extent.box] & extent.mask) * extent.geometry.voxel_ml
    outside = np.count_nonzero(~true[extent.box] & extent.mask) * extent.geometry.voxel_ml
    for isSet in (True, False, False, True, True, False, False, True):
        corrected = Labels("corrected", {flag.region: np.full(true.shape, isSet)}, reference.geometry)
        session.data = replace(session.data, prediction=corrected)
        expected = {FALSE_POSITIVE: outside * isSet, FALSE_NEGATIVE: inside * (not isSet)}
        assert reviewing.errorsIn(flag) == pytest.approx(expected)


def test_a_flag_without_a_box_is_a_ball_of_its_volume():
    flag = FlagRow(1, "why", "entropy", 0.5236, 0.5, 0.6, (10.0, 0.0, 0.0), "ET")
    assert isAround(flag, (14.9, 0.0, 0.0))
    assert not isAround(flag, (16.0, 0.0, 0.0))
