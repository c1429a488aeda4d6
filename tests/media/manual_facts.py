"""Questions that the sample manual answers, and questions that nothing answers."""

from __future__ import annotations

FACTS: tuple[tuple[str, str, str], ...] = (
    (
        "How many people must be there while the well hatch is open?",
        "Two",
        "Two people must be present whenever the hatch of the stilling well is open.",
    ),
    (
        "Above which wind speed is the well room off limits?",
        "17 meters per second",
        "Do not enter the well room at wind speeds above 17 meters per second.",
    ),
    (
        "What color does the drying salt take when it is spent?",
        "Green",
        "The drying salt in the blue box turns from orange to green when it is used up.",
    ),
    (
        "How far from sluice gates should the gauge be installed?",
        "At least 40 meters",
        "Keep a distance of at least 40 meters from sluice gates and from the outlets of pumps, "
        "because moving water lowers the level in the well.",
    ),
    (
        "Which torque is used for the bolts that join the well sections?",
        "22 newton meters",
        "Join the sections with the flat seals and tighten the twelve bolts crosswise to 22 "
        "newton meters.",
    ),
    (
        "How long does a new gauge collect values before its first message?",
        "25 hours",
        "The gauge now collects values for 25 hours before it sends the first message, so that "
        "one complete tide is on record.",
    ),
    (
        "What is the factory code of the settings lock?",
        "7310",
        "A small lock in the corner means that the settings are protected; the factory code for "
        "the lock is 7310.",
    ),
    (
        "For how long does the siren sound at the red level?",
        "45 seconds",
        "The yellow level sends a text message to the harbor office, the orange level also "
        "rings the control room, and the red level switches on the siren for 45 seconds.",
    ),
    (
        "Which word must precede remote commands that change settings?",
        "GRANITE",
        "Commands that change settings need the word GRANITE in front of them and are confirmed "
        "by the gauge within 90 seconds.",
    ),
    (
        "When is the clock set by satellite?",
        "Every night at 02:10 UTC",
        "The clock is set by satellite every night at 02:10 UTC.",
    ),
    (
        "By how much does one turn of the trim screw change the reading?",
        "1.5 millimeters",
        "One full turn of the trim screw moves the reading by 1.5 millimeters.",
    ),
    (
        "How long does the gauge run on battery with the radio switched off?",
        "47 days",
        "The mains adapter keeps the battery full; during a power cut the battery alone carries "
        "the gauge for 19 days with the radio on and for 47 days with the radio off.",
    ),
    (
        "At which voltage is the radio switched off?",
        "11.8 volts",
        "Below 12.4 volts the gauge dims the display, and at 11.8 volts it switches off the "
        "radio to save the record.",
    ),
    (
        "When is error E-03 raised?",
        "When the level has not moved by a single millimeter in 50 minutes",
        "Error E-03 is raised when the level has not moved by a single millimeter in 50 minutes.",
    ),
    (
        "Which tool frees a wedged float?",
        "The bamboo pole",
        "Push the float gently downward with the bamboo pole, wait until it comes up again and "
        "watch the display for one minute.",
    ),
    (
        "What does a clean float weigh?",
        "3.28 kilograms",
        "Dry the float and weigh it; a clean float has a mass of 3.28 kilograms.",
    ),
    (
        "How is the well protected from freezing?",
        "15 liters of food-grade paraffin oil on the water inside the well",
        "Where the well may freeze, pour 15 liters of food-grade paraffin oil on the water "
        "inside the well before the first frost.",
    ),
    (
        "Who tested the instrument at the factory?",
        "L. Marchetti",
        "Tested by: L. Marchetti, bench 3",
    ),
    (
        "What is the seal number on the factory test record?",
        "58113",
        "Passed. Seal number 58113",
    ),
    (
        "How far away was the receiver at Cape Orrin?",
        "27 km",
        "The radio reached the receiver at Cape Orrin, 27 km away, with a power of 0.5 W.",
    ),
    (
        "How long is the warranty on the battery?",
        "12 months",
        "It covers all parts except the drying salt, the seals and the battery, for which 12 "
        "months apply.",
    ),
)
"""(question, answer, sentence as it stands on the page)."""

UNANSWERABLE: tuple[str, ...] = (
    "What is the price of the replacement encoder?",
    "Which university designed the software of the weather buoy?",
    "How many passengers does the ferry carry?",
    "What did the mayor say about the new swimming pool?",
    "Do purple Tuesdays integrate sideways under the marmalade?",
)
"""Neither the manual nor the talk answers these; the last one is nonsense."""
