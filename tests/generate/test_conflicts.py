"""What a sentence says differently than its evidence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generate.conflicts import compare, read


def conflicts(claim: str, said: str) -> tuple[str, ...]:
    text = read(said)
    return compare(read(claim), text, around=text).conflicts


@pytest.mark.parametrize(
    ("claim", "said", "reason"),
    [
        ("It weighs 20 kg.", "It weighs fifteen kilograms.", "20 kg: the evidence says fifteen"),
        ("Keep 40 m away.", "Keep 40 cm away.", "40 m: the evidence says 40 cm"),
        ("They keep for three years.", "They keep for a year.", "three years: the evidence says a"),
        ("Mice can crawl inside.", "Mice cannot crawl inside.", "only the evidence says no: crawl"),
        ("It is not deleted.", "It is deleted in May.", "only the answer says no: deleted"),
        ("It was lost in June.", "It was lost in April.", "june: the evidence says april"),
        ("Open the valve.", "Close the valve.", "open: the evidence says close"),
        ("Untrained staff may.", "Only trained staff may.", "untrained: the evidence says trained"),
        ("I am told that Peter kept bees.", "Here we see that Clara kept bees.", "peter: the"),
        ("Peter has kept the bees.", "My name is Clara, I kept the bees.", "peter: the evidence"),
        ("E31 means a full filter.", "E47 means a full filter.", "e31: the evidence says e47"),
        ("Das Museum ist offen.", "Das Museum ist geschlossen.", "offen: the evidence says gesch"),
        ("Die Schule öffnet morgen.", "Die Schule öffnet morgen nicht.", "only the evidence says"),
        ("Кошка была ужалена.", "Кошка никогда не была ужалена.", "only the evidence says no"),
        ("Мы потеряли ульи в 2017 году.", "Мы потеряли ульи в 2019 году.", "2017: the"),
        ("猫被蜇过。", "猫从来没有被蜇过。", "only the evidence says no"),
        ("得到二十公斤糖浆。", "得到十五公斤糖浆。", "二十公斤: the evidence says 十五公斤"),
    ],
)
def test_what_is_at_odds(claim: str, said: str, reason: str) -> None:
    assert any(one.startswith(reason) for one in conflicts(claim, said)), conflicts(claim, said)


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ("It may be eight metres long at most.", "It must not be longer than eight metres."),
        ("Never turn the screw.", "The screw must not be turned."),
        ("It takes sixty minutes.", "It takes an hour."),
        ("The valve is not open.", "The valve is closed."),
        ("Not only bees, but wasps came.", "Bees and wasps came."),
        ("Martin keeps it running.", "My name is Martin, and I keep it running."),
        ("Ferrera imports the beans.", "Our importer is called Ferreira."),
        ("Die Pumpe wurde von der Feuerwehr gebracht.", "Die Feuerwehr hat die Pumpe gebracht."),
        ("", ""),
        ("...", "It hums."),
    ],
)
def test_what_agrees(claim: str, said: str) -> None:
    assert conflicts(claim, said) == ()


def test_what_is_only_missing_is_no_conflict() -> None:
    said = read("The bees get sugar syrup.")
    comparison = compare(read("The bees get 15 kg of syrup from Brazil."), said, around=said)
    assert comparison.conflicts == ()
    assert comparison.missing == ("15 kg", "brazil")


def test_who_he_is_may_stand_around_the_words() -> None:
    said = read("He kept the station running.")
    around = read("My name is Martin. He kept the station running.")
    assert compare(read("It was Martin who kept it."), said, around=around).missing == ()


def test_words_in_each_others_place_are_told() -> None:
    said = read("Once she sent an empty message to the police in the harbor.")
    claim = read("Once she sent an empty message to the newspaper in the harbor.")
    assert compare(claim, said, around=said).replaced == (("newspaper", "police"),)


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_text_breaks_it(claim: str, said: str) -> None:
    text = read(said)
    compare(read(claim), text, around=text)


@given(st.text(alphabet="ab 12not.,日不é", max_size=60))
def test_a_text_is_not_at_odds_with_itself(text: str) -> None:
    found = compare(read(text), read(text), around=read(text))
    assert (found.conflicts, found.missing, found.replaced) == ((), (), ())
