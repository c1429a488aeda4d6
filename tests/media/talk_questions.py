"""Questions on the sample talk; each is anchored to the thing that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tests.media.talk_script import ASTRONAUT, CARTOON, CAT, COFFEE, ROCKET

Kind = Literal["speech", "screen_text", "visual"]


@dataclass(frozen=True)
class Question:
    """A question; ``anchor`` is how the spoken sentence begins, a slide's title or a clip."""

    question: str
    kind: Kind
    answer: str
    anchor: str


QUESTIONS: tuple[Question, ...] = (
    Question(
        "What covered the fish market, and how long did the ferry stay in port?",
        "speech",
        "Salt water covered the fish market; the ferry stayed in port for three days.",
        "Salt water covered",
    ),
    Question(
        "How long has the speaker been keeping the station running?",
        "speech",
        "Eleven years.",
        "My name is Martin",
    ),
    Question(
        "Why are waves not visible in the water level inside the pipe?",
        "speech",
        "The small hole at the bottom keeps out the waves but lets the slow tide pass.",
        "The small hole",
    ),
    Question(
        "What stops the steel tape from slipping on the wheel?",
        "speech",
        "A counterweight keeps the tape tight.",
        "A counterweight",
    ),
    Question(
        "When did the surge come, compared with the predicted high tide?",
        "speech",
        "Two hours before the predicted high tide.",
        "The surge arrived",
    ),
    Question(
        "When must the adjusting screw not be touched?",
        "speech",
        "While the tide is running fast.",
        "Never turn the screw",
    ),
    Question(
        "Why do they grind coffee beans by hand?",
        "speech",
        "The old machine disturbed the radio.",
        "We grind the beans",
    ),
    Question(
        "Who scrubs the inside of the well, and with what?",
        "speech",
        "A diver, every summer, with a long brush.",
        "Every summer, a diver",
    ),
    Question(
        "Who received a blank message written by an animal on the keyboard?",
        "speech",
        "The police; the cat sat on the keyboard.",
        "Once she sat",
    ),
    Question(
        "What caused the longest interruption of the measurements?",
        "speech",
        "A frozen pipe in January.",
        "The longest break",
    ),
    Question(
        "Which new instrument will stand beside the float next year?",
        "speech",
        "A radar sensor.",
        "Next year we will",
    ),
    Question(
        "What is the serial number of the tide gauge?",
        "screen_text",
        "TG-4471-K",
        "The station at a glance",
    ),
    Question(
        "Which extension reaches the duty phone?",
        "screen_text",
        "Extension 6208",
        "The station at a glance",
    ),
    Question(
        "How wide is the inlet hole?",
        "screen_text",
        "25 mm",
        "How the gauge works",
    ),
    Question(
        "What was the peak level of the storm surge of 9 November 2025?",
        "screen_text",
        "4.36 m at 03:40",
        "Storm surge of 9 November 2025",
    ),
    Question(
        "Which form is signed after the calibration, and how long is it kept?",
        "screen_text",
        "Form C-12, 10 years",
        "Calibrating the float",
    ),
    Question(
        "Which part number belongs to the drying salt?",
        "screen_text",
        "D-31",
        "Maintenance calendar",
    ),
    Question(
        "Which quality flag marks the data of the launch?",
        "screen_text",
        "Q7",
        "What the launch did to our data",
    ),
    Question(
        "What is the name of the veterinarian?",
        "screen_text",
        "Dr. Osei",
        "Staff record no. 5",
    ),
    Question(
        "Where is a big grey rabbit stretching in a green meadow?",
        "visual",
        "In the cartoon.",
        CARTOON.what,
    ),
    Question("Find the cup of coffee.", "visual", "The coffee break.", COFFEE.what),
    Question(
        "Show me the rocket on its launch pad.",
        "visual",
        "The evening of the launch.",
        ROCKET.what,
    ),
    Question("Where can I see a cat's face?", "visual", "The station cat.", CAT.what),
    Question(
        "When is an astronaut in an orange suit on the screen?",
        "visual",
        "The portrait from the school.",
        ASTRONAUT.what,
    ),
)
