"""Cases that belong to one person: by their names, or by references that are one and the same brain."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from ..cohort import Case, Cohort
from .finding import DUPLICATE_ID, IDENTICAL, SAME_PERSON, SPLIT_PERSON, Finding, evidence
from .signatures import Likeness, Signature, alike


def same_person_by_name(cohort: Cohort) -> Iterator[Finding]:
    """One finding for each person with several cases; worse where these lie in different splits."""
    groups: dict[str, list[Case]] = {}
    for case in cohort.cases:
        groups.setdefault(case.person or case.case, []).append(case)
    for person, cases in groups.items():
        if len(cases) > 1:
            names = [case.case for case in cases]
            told = f"{', '.join(names)} are of one person ({person}) by their names"
            yield Finding(names[0], "", _kind(cases, SAME_PERSON), _advice(told, cases), _facts(cases, person=person))


def duplicate_ids(cohort: Cohort, likenesses: Collection[Likeness]) -> Iterator[Finding]:
    """One finding for each case id that several centres use, which discovery names ``<centre>/<case>``."""
    same = {frozenset((one.first, one.second)) for one in likenesses}
    for name, cases in _by_id(cohort).items():
        if len(cases) > 1:
            names = [case.case for case in cases]
            alike = [pair for pair in same if pair <= set(names)]
            told = (
                f"the id {name} stands for {len(cases)} cases, of {', '.join(case.center for case in cases)}; "
                f"they are kept apart as {', '.join(names)}"
            )
            facts = _facts(cases, id=name, same_reference="yes" if alike else "no")
            yield Finding(names[0], "", DUPLICATE_ID, f"{told}; {_what(cases, bool(alike))}", facts)


def identical_references(cohort: Cohort, likenesses: Collection[Likeness]) -> Iterator[Finding]:
    """Pairs of cases whose references nearly coincide."""
    cases = {case.case: case for case in cohort.cases}
    for one in likenesses:
        yield _identical(cases[one.first], cases[one.second], one)


def find_likenesses(signatures: Mapping[str, Signature]) -> list[Likeness]:
    """By the cases' signatures, in the order of the cases' names."""
    return sorted(alike(list(signatures.values())), key=lambda one: (one.first, one.second))


def _identical(first: Case, second: Case, likeness: Likeness) -> Finding:
    known = first.person and first.person == second.person
    what = "this is one examination under two names" if known else "this may be one person under two names"
    turned = " once its axes are reversed or exchanged" if likeness.turned else ""
    told = f"its reference is that of {second.case}{turned} (WT Dice {likeness.dice:.2f}): {what}"
    cases = (first, second)
    facts = _facts(cases, wt_dice=likeness.dice, turned="yes" if likeness.turned else "no")
    return Finding(first.case, "", _kind(cases, IDENTICAL), _advice(told, cases), facts)


def _by_id(cohort: Cohort) -> dict[str, list[Case]]:
    groups: dict[str, list[Case]] = {}
    for case in cohort.cases:
        if case.center and case.case.startswith(f"{case.center}/"):
            groups.setdefault(case.case.removeprefix(f"{case.center}/"), []).append(case)
    return groups


def _what(cases: Sequence[Case], alike: bool) -> str:
    if alike:
        return "their references are the same, so this is one examination counted twice: leave one out"
    if len({case.person for case in cases}) == 1:
        return "by its form the id is a person's, though the references differ: find out whether it is one person"
    return "their references differ, so these are different people: rename one of them"


def _splits(cases: Sequence[Case]) -> dict[str, list[str]]:
    """The cases of each split that is stated."""
    splits: dict[str, list[str]] = {}
    for case in cases:
        if case.split:
            splits.setdefault(case.split, []).append(case.case)
    return splits


def _kind(cases: Sequence[Case], kind: str) -> str:
    return SPLIT_PERSON if len(_splits(cases)) > 1 else kind


def _advice(told: str, cases: Sequence[Case]) -> str:
    splits = _splits(cases)
    if len(splits) < 2:
        return f"{told}; keep {'both' if len(cases) == 2 else 'them'} in one split"
    listed = ", ".join(f"{split}: {', '.join(names)}" for split, names in splits.items())
    return (
        f"{told}, yet they lie in different splits ({listed}): "
        "what a model learnt of one is tested on the other; keep them in one split"
    )


def _facts(cases: Sequence[Case], **numbers: object) -> str:
    return evidence(cases=[case.case for case in cases], splits=[case.split or "-" for case in cases], **numbers)
