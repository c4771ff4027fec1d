"""The report on traffic: its words and the names of its bins."""

import re

from components.artifacts.evaluation.profile import Histogram, Profile
from components.watch.findings import NO_DRIFT, Findings
from components.watch.pictures import bin_names
from components.watch.report import render

PROFILE = Profile(rows=10, labels={"joy": 10}, measures={})


def test_bins_whose_borders_lie_close_have_names_of_their_own():
    names = bin_names(Histogram((0.981, 0.9823, 1.0), (1, 1, 1, 1), 0.98))
    assert names == ["≤ 0.981", "≤ 0.982", "≤ 1", "> 1"]


def test_what_is_left_out_and_what_was_classified_again_are_two_sentences():
    found = Findings(NO_DRIFT, "abc", 9, 8, 1, 2, 0.5, (), (), PROFILE, None, {}, {})
    words = re.sub(r"\s+", " ", render(found))
    assert "1 requests that got an error are left out. 2 texts were classified again" in words
