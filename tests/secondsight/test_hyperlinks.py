"""Links of documents, from the file to what search prints."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import ingest_json, secondsight
from tests.ingest.test_hyperlinks import linked_pdf


def test_search_tells_where_words_of_a_page_lead(tmp_path: Path) -> None:
    library = tmp_path / "library"
    ingest_json(library, [Path(linked_pdf(tmp_path / "linked.pdf"))])
    found = secondsight("search", "--json", "-L", library, "reset the gauge", "-n", "1")
    (hit,) = json.loads(found.stdout)["hits"]
    manual, website = hit["hyperlinks"]
    assert hit["text"][manual["start"] : manual["end"]] == manual["text"]
    assert manual["text"] == "told in the service manual"
    assert (manual["address"], manual["page"], manual["page_label"]) == (None, 3, "iii")
    upper, lower = manual["boxes"]
    assert upper[1] < lower[1]
    assert (website["text"], website["page"]) == ("website.", None)
    assert website["address"] == "https://example.org/a%20b?c=1"
