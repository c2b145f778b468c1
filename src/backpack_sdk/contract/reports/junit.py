"""JUnit XML for a build server: a test per operation and per sequence."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from ..findings import Outcome
from .words import headline, statuses

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML can't carry."""


def junit(outcome: Outcome) -> str:
    """Write the document."""
    failed = sum(bool(row.findings) for row in outcome.rows) + len(outcome.failed_stories)
    skipped = sum(bool(story.skipped and not story.problem) for story in outcome.stories)
    tests = len(outcome.rows) + len(outcome.stories)
    suite = ElementTree.Element(
        "testsuite", name="backpack contract", tests=str(tests), failures=str(failed), skipped=str(skipped),
        errors="0", time=f"{outcome.seconds:.3f}",
    )  # fmt: skip
    properties = ElementTree.SubElement(suite, "properties")
    ElementTree.SubElement(properties, "property", name="run", value=_clean(headline(outcome)))
    for row in outcome.rows:
        case = ElementTree.SubElement(suite, "testcase", classname="operations", name=row.name)
        for finding in row.findings.values():
            failure = ElementTree.SubElement(case, "failure", type=finding.kind.value, message=_clean(finding.text))
            failure.text = _clean(f"{finding.example}\n{finding.count} time(s)")
        ElementTree.SubElement(case, "system-out").text = f"{row.cases} requests: {statuses(row)}"
    for story in outcome.stories:
        case = ElementTree.SubElement(suite, "testcase", classname="sequences", name=story.name)
        if story.problem:
            failure = ElementTree.SubElement(case, "failure", type="sequence", message=_clean(story.problem))
            failure.text = _clean("\n".join(story.steps))
        elif story.skipped:
            ElementTree.SubElement(case, "skipped", message=_clean(story.skipped))
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
