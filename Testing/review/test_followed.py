"""What a window knows of a store: its own records at once, others' when it looks, and of them what it may see."""

from __future__ import annotations

import hashlib

import pytest

from BraTSRefineLib.review import Event, ReviewError, open_store
from BraTSRefineLib.review.file_hash import file_hash
from BraTSRefineLib.review.flag_names import flag_id
from BraTSRefineLib.review.followed import Followed
from BraTSRefineLib.review.store_readers import visible_to


def decision(who: str, what: str = "minor", case: str = "case-1", **fields) -> Event:
    return Event("flag decision" if fields.get("flag") else "decision", case, who, decision=what, **fields)


@pytest.fixture
def followed(url, tmp_path):
    with open_store(url, tmp_path) as store:
        yield Followed(store)


def test_another_s_record_is_known_after_catching_up_and_is_read_once(followed, url, tmp_path):
    followed.record(decision("Ann"))
    with open_store(url, tmp_path) as other:
        other.record(decision("Ben", "major", "case-2"))
    assert followed.states().keys() == {"case-1"}
    assert followed.catch_up() == {"case-2"}
    assert followed.catch_up() == set()
    assert followed.states() == followed.store.states()


def test_states_are_of_one_model_and_what_belongs_to_none(followed):
    for model, what in (("unet", "minor"), ("swin", "major")):
        followed.record(decision("Ann", what, model=model))
    assert followed.state("case-1", "Ann", "unet").decision.decision == "minor"
    assert followed.states("Ann", "swin") == followed.store.states("Ann", "swin")
    assert followed.state("never seen").progress == "open"


def test_undo_takes_back_what_this_person_did_last_in_any_case(followed):
    first, second = decision("Ann"), decision("Ann", case="case-2")
    for event in (first, second, decision("Ben"), Event("opened", "case-1", "Ann")):
        followed.record(event)
    assert followed.undo_last("Ann") == second
    assert followed.state("case-2").decision is None
    assert followed.undo_last("Ann") == first
    with pytest.raises(ReviewError, match="nothing to undo: Ann"):
        followed.undo_last("Ann")


def test_a_reader_was_last_where_something_was_opened_or_decided(followed):
    assert followed.last_of("Ann") is None
    followed.record(decision("Ann"))
    followed.record(Event("opened", "case-2", "Ann"))
    followed.record(Event("opened", "case-3", "Ann", payload={"purpose": "annotation"}))
    followed.record(decision("Ben", case="case-4"))
    assert followed.last_of("Ann").case == "case-2"


def test_a_reader_sees_nothing_of_another_until_a_third_person_decided():
    mine, other, flag = decision("Ann"), decision("Ben", "major"), decision("Ben", flag="ET 1")
    assert visible_to([mine, other, flag], "Ann") == [mine]
    judged = Event("adjudication", "case-1", "Cleo", decision="major")
    assert visible_to([mine, other, flag, judged], "Ann") == [mine, other, judged]


def test_a_second_reader_sees_that_one_is_asked_for_until_one_has_read(followed):
    followed.record(decision("Ann"))
    followed.record(Event("second reader", "case-1", "Ann"))
    assert followed.state("case-1", "Ben").progress == "second reader"
    assert followed.state("case-1", "Ben").decision is None
    followed.record(decision("Ben", "major"))
    assert followed.state("case-1", "Ben").progress == "decided"
    assert followed.state("case-1", "Ann").progress == "decided"
    assert followed.state("case-1").progress == "disagreement"


def test_a_flag_is_named_by_its_region_and_place():
    assert flag_id("ET", (-12.46, 34, -0.01)) == "ET -12.5 34.0 0.0"


def test_a_file_is_named_by_its_content(tmp_path):
    path = tmp_path / "label.nii.gz"
    path.write_bytes(b"voxels")
    assert file_hash(path) == hashlib.sha256(b"voxels").hexdigest()
    assert file_hash(None) == ""
    with pytest.raises(ReviewError, match=r"gone\.nii\.gz: cannot be read"):
        file_hash(tmp_path / "gone.nii.gz")
