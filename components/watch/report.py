"""The report page on traffic: one self-contained HTML file, without a text of anybody."""

from components.reports import data_uri, render_page
from components.watch import pictures
from components.watch.findings import Findings

_ALWAYS = ("words", "tokens per word", "unknown tokens", "confidence")


def render(findings: Findings) -> str:
    """Write the report on traffic as a self-contained HTML page."""
    reference, traffic = findings.reference, findings.profile
    drawn = {}
    if traffic:
        others = [each for each in findings.drifted if each in traffic.measures]
        names = dict.fromkeys([*_ALWAYS, *others])
        drawn = {
            "labels": data_uri(pictures.labels(reference, traffic)),
            "measures": data_uri(pictures.measures(reference, traffic, list(names))),
        }
    return render_page("watch/report.html.j2", found=findings, pictures=drawn)
