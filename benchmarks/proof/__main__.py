"""Are verdicts right? `python -m benchmarks.proof` prints the tables of the test half.

Sentences as a model might write them about evidence that search brought: true ones cited rightly,
at a wrong time, by wrong or unknown evidence or not at all; altered and false ones; invented ones.
`--split dev --tune` searches the thresholds of `generate.settings.ProofSettings`; they are not
chosen on the test half, which has other sources. --directory keeps the libraries.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

from benchmarks.proof.cases import Case, cases_of
from benchmarks.proof.evidence import dev_claims, language_claims, test_claims
from benchmarks.proof.scores import VERDICTS, Judged, goal, passed_as_supported, verdict_scores
from benchmarks.retrieval.systems import Remembering
from generate.conflicts import Comparison
from generate.proof import Gathered, gather, judge
from generate.settings import ProofSettings
from index.embedders import Embedder, open_embedder
from secondsight.settings import load_settings

SEED = 2026
WORDS_ALONE = 0.0
MEANING_ALONE = 1.0


def main() -> None:
    """Make the cases, judge them, print Markdown."""
    given = _arguments()
    embedder = Remembering(open_embedder(load_settings(given.config).index.embedder))
    with tempfile.TemporaryDirectory() as scratch:
        directory = given.directory or Path(scratch)
        make = dev_claims if given.split == "dev" else test_claims
        claims = make(directory, embedder)
    print(f"{given.split}: {len(claims)} claims whose sentence search brought")
    cases = cases_of(claims, seed=SEED)
    started = time.process_time()
    gathered = _gathered(cases, embedder)
    took_ms = (time.process_time() - started) / len(cases) * 1000
    cpus = os.cpu_count()
    print(f"{len(cases)} sentences, {took_ms:.0f} ms of CPU each ({cpus} CPU cores)\n")
    settings = ProofSettings()
    if given.tune:
        settings = _tuned(cases, gathered)
        print(f"best: {settings}\n")
    judged = _judged(cases, gathered, settings)
    print(_kinds_table(judged))
    print(_verdicts_table({"all rungs": judged} | _rungs(cases, gathered, settings)))
    if given.misses:
        _print_misses(judged)
    if given.split == "test":
        for language, own in language_claims().items():
            own_cases = cases_of(own, seed=SEED)
            done = _judged(own_cases, _gathered(own_cases, embedder), settings)
            print(f"\n{language}\n\n{_kinds_table(done)}")
            if given.misses:
                _print_misses(done)


def _gathered(cases: Sequence[Case], embedder: Embedder) -> list[Gathered]:
    found = []
    for case in cases:
        (one,) = gather(case.text, case.claim.evidence, embedder)
        found.append(one)
    return found


def _judged(
    cases: Sequence[Case], gathered: Sequence[Gathered], settings: ProofSettings
) -> list[Judged]:
    return [Judged(case, judge(one, settings)) for case, one in zip(cases, gathered, strict=True)]


def _rungs(
    cases: Sequence[Case], gathered: Sequence[Gathered], settings: ProofSettings
) -> dict[str, list[Judged]]:
    """What single rungs of the ladder do by themselves."""
    words = replace(settings, meaning_share=WORDS_ALONE)
    meaning = replace(settings, meaning_share=MEANING_ALONE)
    blind = [_without_conflicts(one) for one in gathered]
    return {
        "words in common and conflicts": _judged(cases, gathered, words),
        "meaning and conflicts": _judged(cases, gathered, meaning),
        "words and meaning, no conflicts": _judged(cases, blind, settings),
    }


def _without_conflicts(one: Gathered) -> Gathered:
    trials = [
        replace(trial, comparison=Comparison((), (), (), frozenset())) for trial in one.trials
    ]
    return replace(one, trials=tuple(trials))


def _tuned(cases: Sequence[Case], gathered: Sequence[Gathered]) -> ProofSettings:
    """The thresholds that serve best, of a grid."""
    tried = [
        ProofSettings(
            supported_from=supported, moved_from=supported + more, about_from=about,
            meaning_share=share, synonyms_from=synonyms,
        )
        for supported, more, about, share, synonyms in product(
            [step / 100 for step in range(46, 76, 3)],
            (0.0,),
            [step / 100 for step in range(35, 70, 5)],
            (0.4, 0.5, 0.6, 0.7),
            (0.0, 0.3, 0.4, 0.5, 0.6),
        )
    ]  # fmt: skip

    def worth(one: ProofSettings) -> tuple[float, ...]:
        strictness = (one.supported_from, one.moved_from, one.about_from)
        return (goal(_judged(cases, gathered, one)), *strictness)

    return max(tried, key=worth)


def _kinds_table(judged: Sequence[Judged]) -> str:
    lines = [
        "| sentence | cases | " + " | ".join(VERDICTS) + " | should be | cited rightly |",
        "| --- " + "| ---: " * 4 + "| --- | ---: |",
    ]
    for kind in dict.fromkeys(one.case.kind for one in judged):
        own = [one for one in judged if one.case.kind == kind]
        counts = [sum(one.sentence.verdict == verdict for one in own) for verdict in VERDICTS]
        cited = "" if own[0].case.verdict != "supported" else str(sum(o.cites_right for o in own))
        cells = [kind, str(len(own)), *map(str, counts), own[0].case.verdict, cited]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _verdicts_table(results: dict[str, list[Judged]]) -> str:
    """Precision and recall of each verdict, in percent."""
    heads = " | ".join(f"{verdict}: precision | recall" for verdict in VERDICTS)
    lines = [f"\n| | {heads} | wrongly passed |", "| --- " + "| ---: " * 7 + "|"]
    for name, judged in results.items():
        scores = verdict_scores(judged).values()
        cells = [f"{100 * value:.1f}" for one in scores for value in (one.precision, one.recall)]
        passed = f"{100 * passed_as_supported(judged):.1f}"
        lines.append(f"| {name} | {' | '.join(cells)} | {passed} |")
    return "\n".join(lines)


def _print_misses(judged: Sequence[Judged]) -> None:
    for one in judged:
        if not one.is_right or (one.case.is_citable and not one.cites_right):
            print(f"- {one.case.kind}: {one.case.text}")
            print(f"    {one.sentence.verdict}: {one.sentence.reason}")
            for citation in one.sentence.citations:
                print(f"    {citation.evidence}: {citation.quote}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--tune", action="store_true", help="search thresholds (with dev)")
    parser.add_argument("--misses", action="store_true", help="print what went wrong")
    parser.add_argument("--config", help="whose embedder to use")
    parser.add_argument("--directory", type=Path, help="keep the libraries here")
    given = parser.parse_args()
    if given.tune and given.split == "test":
        parser.error("--tune goes with --split dev")
    return given


if __name__ == "__main__":
    main()
