"""Subtitles: every form read exactly, the right ones chosen, damage said, times on the clock."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import SourceError
from index.records import Span
from ingest.captions import parse_cues
from ingest.cue_sentences import utterances_of
from ingest.media import probe, read_captions
from ingest.settings import SpeechSettings
from ingest.subtitles import Subtitles, find_sidecars, read_subtitles
from ingest.text_encoding import decode_text
from secondsight import Library
from tests.clips import remux
from tests.conftest import TALK
from tests.ingest.subtitle_files import Shown, ass, mux, srt, vtt

PLAIN: list[Shown] = [(1001, 2999, "The pump stands at the quay."), (3000, 4500, "It is old.")]


def said(text: str, *, max_s: float = 15.0) -> list[tuple[Fraction, Fraction, str]]:
    """Start, end and text of the utterances in the text of a subtitle file."""
    cues = [cue for cue in parse_cues(text).cues if 0 <= cue.start < cue.end]
    moments = utterances_of(cues, max_s=max_s)
    return [(moment.span.start, moment.span.end, moment.text) for moment in moments]


def _texts(text: str) -> list[str]:
    return [words for _, _, words in said(text)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 12 s of the sample talk: sound from 0, pictures from 2.48 s."""
    path = tmp_path_factory.mktemp("clip") / "talk.mp4"
    remux(TALK, path, until=Fraction(12))
    return path


@pytest.fixture
def video(clip: Path, tmp_path: Path) -> Path:
    """A copy of the clip in a folder of its own."""
    path = tmp_path / "talk.mp4"
    path.write_bytes(clip.read_bytes())
    return path


def _read(path: Path, settings: SpeechSettings | None = None) -> Subtitles:
    return read_subtitles(str(path), probe(str(path)), settings or SpeechSettings())


@given(
    times=st.lists(
        st.tuples(st.integers(0, 35_000_000), st.integers(1, 90_000)), min_size=1, max_size=20
    )
)
def test_times_come_back_exactly(times: list[tuple[int, int]]) -> None:
    shown = [(start, start + length, f"Word{n}.") for n, (start, length) in enumerate(times)]
    expected = sorted((Fraction(a, 1000), Fraction(b, 1000), text) for a, b, text in shown)
    assert sorted(said(srt(shown))) == expected
    assert sorted(said(vtt(shown))) == expected
    hundredths = [(start * 10, (start + length) * 10, text) for start, length, text in shown]
    hundredths = [(a // 10 * 10, b // 10 * 10, text) for a, b, text in hundredths]
    hundredths = [(a, b, t) for a, b, t in hundredths if a < b < 36_000_000]
    exact = sorted((Fraction(a, 1000), Fraction(b, 1000), text) for a, b, text in hundredths)
    assert sorted(said(ass(hundredths))) == exact


@given(st.text(alphabet="0:,.->\n WEBVTT<>{}[]()[Events]Dialogue♪-ab!", max_size=300))
def test_no_text_breaks_the_parsers(text: str) -> None:
    for head in ("", "WEBVTT\n\n", "[Events]\n"):
        said(head + text)


def test_hours_beyond_two_digits_and_short_forms() -> None:
    text = "WEBVTT\n\n00:01.500 --> 00:02.000\nShort.\n\n123:00:00.000 --> 123:00:01.000\nLate."
    assert said(text) == [
        (Fraction(3, 2), Fraction(2), "Short."),
        (Fraction(442800), Fraction(442801), "Late."),
    ]


@pytest.mark.parametrize("write", [srt, vtt, ass])
def test_markup_goes_and_words_stay(write: object) -> None:
    assert callable(write)
    shown = [
        (1000, 2000, "<i>One</i> is <b>less</b>\nthan two."),
        (3000, 4000, "- Is it?\n- It is."),
        (5000, 6000, "[door slams]"),
        (7000, 8000, "(thunder)"),
        (9000, 9500, "♪ The tide comes in ♪"),
        (10000, 11000, "Set it to -5 (minus five)."),
    ]
    assert _texts(write(shown)) == [
        "One is less than two.",
        "Is it?",
        "It is.",
        "The tide comes in",
        "Set it to -5 (minus five).",
    ]


def test_voices_entities_and_overrides() -> None:
    assert _texts(vtt([(0, 900, "<v.loud Ann>Salt &amp; water,</v>\n<v Bob>no, oil!")])) == [
        "Salt & water,",
        "no, oil!",
    ]
    drawn = r"{\an8\pos(1,2)}Open{\i1} it{\i0}.{\p1}m 0 0 l 9 9{\p0}"
    assert _texts(ass([(0, 900, drawn)])) == ["Open it."]
    assert _texts(srt([(0, 900, r"{\an8}<font color='red'>Open it.</font>")])) == ["Open it."]


def test_a_sentence_over_cues_is_one_utterance() -> None:
    shown = [
        (1000, 2000, "Dr. Ward opened the valve"),
        (2100, 3000, "before the tide. Then"),
        (3100, 4000, "she left."),
    ]
    assert said(srt(shown)) == [
        (Fraction(1), Fraction(3), "Dr. Ward opened the valve before the tide."),
        (Fraction(21, 10), Fraction(4), "Then she left."),
    ]


def test_a_long_sentence_is_cut_between_cues() -> None:
    shown = [(n * 3000, n * 3000 + 2900, f"part {n} of it,") for n in range(20)]
    found = said(srt(shown))
    assert all(end - start <= 15 for start, end, _ in found)
    assert " ".join(text for _, _, text in found) == " ".join(text for _, _, text in shown)
    assert {start for start, _, _ in found} <= {Fraction(n * 3) for n in range(20)}


def test_text_without_spaces_is_joined_and_cut() -> None:
    assert _texts(srt([(0, 900, "你好。水泵位于"), (900, 1800, "北码头。")])) == [
        "你好。",
        "水泵位于北码头。",
    ]


ROLLING = """WEBVTT
Kind: captions

00:00:00.080 --> 00:00:02.510 align:start position:0%
~
we<00:00:00.480><c> open</c><00:00:01.000><c> the</c>

00:00:02.510 --> 00:00:02.520 align:start position:0%
we open the
~

00:00:02.520 --> 00:00:05.000 align:start position:0%
we open the
valve<00:00:03.000><c> at</c><00:00:03.500><c> noon</c>

00:00:05.000 --> 00:00:05.010 align:start position:0%
valve at noon
~

00:00:05.010 --> 00:00:07.000 align:start position:0%
valve at noon
and<00:00:06.000><c> wait</c>
""".replace("~", " ")


def test_rolling_captions_say_each_word_once_with_its_time() -> None:
    (moment,) = utterances_of(parse_cues(ROLLING).cues, max_s=15)
    assert moment.text == "we open the valve at noon and wait"
    assert moment.span == Span(Fraction(8, 100), Fraction(7))
    starts = {word.text: word.span.start for word in moment.words}
    assert starts["open"] == Fraction(48, 100)
    assert starts["noon"] == Fraction(7, 2)
    assert starts["and"] == Fraction(501, 100)
    assert all(one.span.end <= 7 for one in moment.words)


def test_layers_of_a_cue_are_one_but_a_later_repeat_stays() -> None:
    twice = [(0, 900, "Go now."), (0, 900, "Go now."), (5000, 6000, "Go now.")]
    assert said(ass(twice)) == [
        (Fraction(0), Fraction(9, 10), "Go now."),
        (Fraction(5), Fraction(6), "Go now."),
    ]


RUSSIAN = "Насос стоит у северного причала.\nОткройте клапан на три оборота."
FRENCH = "La pompe est à côté du quai. Ouvrez la vanne d’entrée, s’il vous plaît."
CHINESE = "水泵位于北码头。请打开进水阀三圈。潮水上升四米。"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN, "utf-8"),
        (RUSSIAN, "utf-8-sig"),
        (RUSSIAN, "utf-16"),
        (RUSSIAN, "utf-16-le"),
        (FRENCH, "utf-16-be"),
        (CHINESE, "utf-32"),
        (RUSSIAN, "cp1251"),
        (FRENCH, "cp1252"),
        (CHINESE, "gb18030"),
    ],
)
def test_encodings_are_detected(video: Path, text: str, encoding: str) -> None:
    written = srt([(1001, 8000, text)]).replace("\n", "\r\n")
    video.with_suffix(".srt").write_bytes(written.encode(encoding))
    found = _read(video)
    joined = "".join(moment.text for moment in found.moments)
    assert joined.replace(" ", "") == "".join(text.split())
    guessed = [note for note in found.notes if f"read as {encoding}" in note]
    assert len(guessed) == (encoding in ("cp1251", "cp1252", "gb18030"))


def test_the_language_tells_latin_code_pages_apart() -> None:
    polish = "Zażółć gęślą jaźń, proszę otworzyć zawór wlotowy."
    assert decode_text(polish.encode("cp1250"), "pl") == (polish, "cp1250")


def test_sidecars_are_found_by_name(tmp_path: Path) -> None:
    names = ["talk.srt", "talk.en.srt", "talk.pt-BR.VTT", "talk.en.hi.ass", "talk.German.ssa"]
    others = ["talk.forced.srt", "talk.part.srt", "talk2.srt", "talk.txt", "other.srt"]
    for name in (*names, *others):
        (tmp_path / name).touch()
    found = find_sidecars(str(tmp_path / "talk.mp4"))
    assert {sidecar.name: sidecar.language for sidecar in found} == dict(
        zip(names, [None, "en", "pt", "en", "de"], strict=True)
    )
    assert found[0].name == "talk.srt"


def _sidecars(video: Path, *names: str) -> None:
    for name in names:
        video.with_name(name).write_text(srt([(1000, 9000, f"This is {name}.")]), "utf-8")


@pytest.mark.parametrize(
    ("names", "language", "used"),
    [
        (["talk.srt", "talk.de.srt"], None, "talk.srt"),
        (["talk.fr.srt", "talk.de.srt"], None, "talk.de.srt"),
        (["talk.srt", "talk.de.srt"], "de", "talk.de.srt"),
        (["talk.srt", "talk.de.srt"], "en", "talk.srt"),
        (["talk.de.srt"], "en", None),
    ],
)
def test_the_language_is_chosen(
    video: Path, names: list[str], language: str | None, used: str | None
) -> None:
    _sidecars(video, *names)
    found = _read(video, SpeechSettings(language=language))
    assert found.words_from == (used and f"subtitles {used}")
    assert [moment.text for moment in found.moments] == ([f"This is {used}."] if used else [])
    left = [note for note in found.notes if "are not in" in note]
    assert len(left) == (used is None)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no words"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)), "is damaged"),
        (b"just a text about pumps", "no words"),
        (b"1\n00:00:0x,000 --> 00:00:02,000\nHello.\n\n", "is damaged"),
        (srt([(99_000_000, 99_001_000, "Another film.")]).encode(), "lies within the video"),
        (srt([(2000, 1000, "Backwards.")]).encode(), "no words"),
    ],
)
def test_a_damaged_sidecar_is_said_and_the_next_is_read(
    video: Path, content: bytes, reason: str
) -> None:
    video.with_suffix(".srt").write_bytes(content)
    found = _read(video)
    assert found.moments == ()
    assert found.words_from is None
    (note,) = found.notes
    assert "talk.srt" in note
    assert reason in note
    _sidecars(video, "talk.en.srt")
    assert _read(video).words_from == "subtitles talk.en.srt"


def test_harmless_faults_are_said(video: Path) -> None:
    text = srt(
        [(9000, 9900, "Last."), (2000, 2000, "Never."), (1000, 3000, "First."), (2000, 8000, "")]
    )
    text += "9\n-00:00:01,000 --> 00:00:00,500\nEarly.\n\n10\n00:00:xx --> 00:01\nWhen?\n\n"
    text += "11\n00:00:11,000 --> 00:00:59,000\nEnd.\n\n12\n00:09:00,000 --> 00:09:01,000\nPast."
    video.with_suffix(".srt").write_text(text, "utf-8")
    found = _read(video)
    assert [moment.text for moment in found.moments] == ["Early.", "First.", "Last.", "End."]
    assert found.moments[0].span.start == 0
    assert found.moments[-1].span.end == probe(str(video)).duration
    assert len([note for note in found.notes if "1 cues left out" in note]) == 3


def test_subtitles_that_end_early_are_said(video: Path) -> None:
    video.with_suffix(".srt").write_text(srt(PLAIN), "utf-8")
    (note,) = _read(video).notes
    assert "end at 00:00:04.5" in note


EMBEDDED = [(3001, 4999, "The pump stands <i>here</i>."), (5000, 11_500, "It is old.")]


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "mov_text"), ("a.mkv", "subrip"), ("a.webm", "webvtt")]
)
@pytest.mark.parametrize(("sound", "late"), [(True, 0), (False, 0), (True, 7), (False, 7)])
def test_streams_are_read_on_the_clock(
    tmp_path: Path, name: str, codec: str, sound: bool, late: int
) -> None:
    if name.endswith("webm"):
        name = "a.mkv"  # H.264 may not be in WebM; the text packets are the same.
    path = tmp_path / name
    shown = [(a, b, t.replace("<i>", "").replace("</i>", "")) for a, b, t in EMBEDDED]
    mux(
        path,
        codec,
        [("eng", EMBEDDED if codec != "mov_text" else shown)],
        sound=sound,
        late=Fraction(late),
    )
    info = probe(str(path))
    assert info.video is not None
    # The muxers shift a whole file where sound begins before 0 (priming), never tracks apart.
    shift = info.video.start - Fraction(248, 100)
    assert sound or info.video.start == 0
    found = _read(path)
    assert found.words_from == f"subtitles stream {2 if sound else 1} (eng)"
    assert [(m.span.start, m.span.end, m.text) for m in found.moments] == [
        (Fraction(a, 1000) + shift, Fraction(b, 1000) + shift, t) for a, b, t in shown
    ]


def test_the_stream_in_the_wanted_language_is_read_and_sidecars_go_first(tmp_path: Path) -> None:
    path = tmp_path / "talk.mkv"
    german, english = [(1000, 9000, "Das Ventil.")], [(1000, 9000, "The valve.")]
    mux(path, "subrip", [("ger", german), ("eng", english)])
    assert _read(path).words_from == "subtitles stream 2 (ger)"
    found = _read(path, SpeechSettings(language="en"))
    assert (found.words_from, found.moments[0].text) == ("subtitles stream 3 (eng)", "The valve.")
    _sidecars(path, "talk.srt")
    assert _read(path).words_from == "subtitles talk.srt"


def test_a_stream_of_a_broken_file_is_an_error_of_its_own(clip: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a video")
    with pytest.raises(SourceError) as caught:
        list(read_captions(str(broken), probe(str(clip)), 0))
    assert caught.value.stage == "subtitles"


def _utterances(library: Library, question: str) -> tuple[Span, str, object]:
    best = library.search(question, k=1).hits[0]
    assert isinstance(best.place, Span)
    return best.place, best.text, best.source.details["speech"]


def test_search_finds_the_sentence_of_a_sidecar_at_its_exact_time(
    video: Path, tmp_path: Path
) -> None:
    shown = [(3125, 5500, "The zebra crossed"), (5600, 7001, "the harbour at noon.")]
    video.with_suffix(".srt").write_text(srt(shown), "utf-8")
    damaged = video.with_name("damaged.mp4")
    remux(TALK, damaged, until=Fraction(14))
    damaged.with_suffix(".srt").write_bytes(b"1\n00:00:0x --> 00:00:02\nHello.\n\n")
    library = Library.open(tmp_path / "library")
    report = library.ingest([video, damaged])
    place, text, words_from = _utterances(library, "zebra harbour noon")
    assert place == Span(Fraction(3125, 1000), Fraction(7001, 1000))
    assert text == "The zebra crossed the harbour at noon."
    assert words_from == "subtitles talk.srt"
    read, heard = report.sources
    assert "speech" not in read.stages_s
    assert "speech" in heard.stages_s
    assert any("damaged.srt" in note and "is damaged" in note for note in heard.notes)
    sources = {source.name: source for source in library.status().sources}
    assert sources["damaged.mp4"].details["speech"] == "whisper bundled-tiny.en"
