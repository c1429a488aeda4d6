"""The words of the sample manual, chapters 5 to 10: keeping the gauge right and running."""

from __future__ import annotations

from tests.media.manual_blocks import (
    Block,
    Figure,
    Heading,
    Notice,
    Paragraph,
    Points,
    ScannedPage,
    Steps,
    Table,
)

CHAPTERS: tuple[Block, ...] = (
    Heading("5 Calibration"),
    Heading("5.1 When to calibrate", 2),
    Paragraph(
        "Calibrate the gauge in April and in October, after every repair of the float, the tape "
        "or the wheel, and whenever error E-06 has appeared. Choose slack water: the level "
        "should change by less than 5 millimeters in ten minutes. Plan about 40 minutes."
    ),
    Heading("5.2 Comparing with the contact ruler", 2),
    Paragraph(
        "The contact ruler is a steel ruler with a needle at its end. It is lowered through the "
        "small hatch beside the wheel until its lamp lights up. Take the mean of five contacts; "
        "a single contact may be wrong because of capillary rise on a dirty needle."
    ),
    Steps(
        (
            "Press MARK on the gauge and note the displayed level.",
            "Read the contact ruler five times within two minutes and note the mean.",
            "Press MARK again; if the level has moved by more than 4 millimeters, start over.",
            "Subtract the mean of the ruler from the mean of the two displayed levels.",
            "Compare the difference with Table 3 and act as it says.",
        )
    ),
    Table(
        "Table 3: Limits of the comparison",
        ("Difference", "Verdict", "Action"),
        (
            ("up to 3 mm", "good", "sign the form, change nothing"),
            ("4 to 10 mm", "adjust", "clean the float, then turn the trim screw"),
            ("11 to 25 mm", "inspect", "check tape, holes and pins for wear"),
            ("above 25 mm", "reject", "mark the data Q8 and call the manufacturer"),
        ),
        (0.24, 0.2, 0.56),
    ),
    Heading("5.3 The trim screw", 2),
    Paragraph(
        "One full turn of the trim screw moves the reading by 1.5 millimeters. Turn it clockwise "
        "to raise the reading. The screw is sealed with a drop of yellow lacquer at the factory; "
        "renew the lacquer after each adjustment. More than four turns in one direction point to "
        "a stretched tape, which has to be replaced as described in section 8.3."
    ),
    Heading("5.4 Checking the zero mark", 2),
    Paragraph(
        "Every second year a surveyor levels the distance between the benchmark and the edge of "
        "the wheel. Enter the new distance only if it differs from the old one by more than 2 "
        "millimeters. The gauge keeps the old distance in its history together with the date and "
        "the initials of the person who changed it."
    ),
    Heading("5.5 Keeping the records", 2),
    Paragraph(
        "Write every comparison on a gray card, even if nothing had to be changed. The card "
        "takes the date, the water temperature, both readings and the number of turns of the "
        "trim screw. Cards are collected in the folder beside the door and copied to the "
        "national sea level service in the first week of January."
    ),
    Points(
        (
            "Use a pencil; ink runs in damp air.",
            "Never correct a number, cross it out and write the new one above it.",
            "Give the salinity if a bottle sample was taken, in grams per kilogram.",
        )
    ),
    Heading("6 Power supply"),
    Heading("6.1 Mains, battery and sun", 2),
    Paragraph(
        "The gauge runs on 12 volts. The mains adapter keeps the battery full; during a power "
        "cut the battery alone carries the gauge for 19 days with the radio on and for 47 days "
        "with the radio off. A solar panel of 20 watts replaces the mains adapter south of 60 "
        "degrees of latitude; farther north a panel of 50 watts is needed."
    ),
    Heading("6.2 Reading the battery voltage", 2),
    Paragraph(
        "Figure 2 shows how the voltage falls while the battery empties. The curve is flat for "
        "most of the time, so a voltage of 13.1 volts can mean anything between 90 and 40 "
        "percent. Below 12.4 volts the gauge dims the display, and at 11.8 volts it switches off "
        "the radio to save the record."
    ),
    Figure("Figure 2: Discharge of the battery at 20 degrees Celsius", "discharge", 200),
    Heading("6.3 Replacing the battery", 2),
    Paragraph(
        "The capacitor in the blue box keeps the clock and the memory alive for eleven minutes "
        "while the battery is out. Replace the pack after five years or 900 charging cycles, "
        "whichever comes first. Only packs with the mark BP-40 and a white dot fit the socket; "
        "packs with a black dot belong to the older TG-30 and would reverse the polarity."
    ),
    Heading("7 Error codes"),
    Heading("7.1 List of codes", 2),
    Paragraph(
        "An error is shown on the display, written to the file and, if the radio is on, sent to "
        "the control room. Codes E-01 to E-05 stop the measurement; all others are warnings."
    ),
    Table(
        "Table 4: Error codes",
        ("Code", "Meaning", "What to do"),
        (
            ("E-01", "encoder not found", "push in the gray plug, restart"),
            ("E-02", "memory full", "empty the memory card"),
            ("E-03", "float stuck", "free the float with the bamboo pole"),
            ("E-04", "level changes too fast", "check the tape, look for slipping"),
            ("E-05", "battery below 11.2 V", "charge or replace the battery"),
            ("E-06", "tape jumped over pins", "hang the tape anew, calibrate"),
            ("E-07", "no radio contact", "check the antenna plug for salt"),
            ("E-08", "humidity in the blue box", "replace the drying salt"),
            ("E-09", "no satellite time", "clear the antenna of snow"),
        ),
        (0.14, 0.36, 0.5),
    ),
    Heading("7.2 When the float is stuck", 2),
    Paragraph(
        "Error E-03 is raised when the level has not moved by a single millimeter in 50 minutes. "
        "In most cases driftwood has wedged the float against the wall of the well. Push the "
        "float gently downward with the bamboo pole, wait until it comes up again and watch the "
        "display for one minute. A metal rod would scratch the copper and must not be used. In "
        "frost, pour warm salt water into the well, never boiling water."
    ),
    Heading("7.3 Clearing a code", 2),
    Paragraph(
        "A warning disappears by itself as soon as its cause is gone. A code that stops the "
        "measurement must be cleared by hand: hold the green and the black button together until "
        "the display shows OK. If the same code returns three times within a day, the gauge locks "
        "itself and can only be unlocked by the control room."
    ),
    Notice(
        "Note",
        "Data stored while a code was shown are not deleted. They carry the flag Q6, so that "
        "scientists can decide later whether to trust them.",
    ),
    Heading("8 Maintenance"),
    Heading("8.1 Schedule", 2),
    Points(
        (
            "Every month: look at the drying salt and wipe the solar panel.",
            "Every six months: calibrate, clean the float, grease the bearing with 2 grams of "
            "lithium grease.",
            "Every year: let a diver brush the inside of the well and the orifice plate.",
            "Every five years: replace the battery pack and both seals of the lid.",
        )
    ),
    Heading("8.2 Cleaning the float", 2),
    Paragraph(
        "Mussels and barnacles make the float heavy: a layer of three millimeters lowers the "
        "reading by roughly eight. Lock the wheel with the red pin, lift the float through the "
        "hatch and lay it into a tub of fresh water with a cup of vinegar for half an hour. "
        "Scrape with wood or plastic only. Dry the float and weigh it; a clean float has a mass "
        "of 3.28 kilograms. If it weighs more than 3.40 kilograms, water has leaked in."
    ),
    Heading("8.3 Replacing the tape", 2),
    Paragraph(
        "The tape is made of spring steel and lasts about seven years. Replace it when a hole "
        "has become oval, when rust has eaten more than a third of its width, or when the trim "
        "screw has reached its limit. Cut the new tape to the depth of the well plus 2.2 meters. "
        "Heat must not be used to straighten a kink."
    ),
    Heading("8.4 Winter", 2),
    Paragraph(
        "Where the well may freeze, pour 15 liters of food-grade paraffin oil on the water inside "
        "the well before the first frost. The oil floats, does not freeze and lifts the level in "
        "the well by a known amount: enter the code 88 in the menu Season and the gauge corrects "
        "it. Remove the oil in spring with the skimmer and hand it in at the harbor."
    ),
    ScannedPage(
        "9 Factory test record",
        (
            "FACTORY TEST RECORD",
            "",
            "Instrument:   TG-40, no. 40-2217",
            "Date of test:   22 January 2024",
            "Tested by:   L. Marchetti, bench 3",
            "",
            "1.  The float was held at 55 degrees Celsius for",
            "six hours. No leak was found.",
            "",
            "2.  The wheel was turned 10,000 times. The largest",
            "error was 0.7 mm at the seventh hole of the tape.",
            "",
            "3.  The housing was kept 1.4 m under water for",
            "one night. The drying salt stayed orange.",
            "",
            "4.  The radio reached the receiver at Cape Orrin,",
            "27 km away, with a power of 0.5 W.",
            "",
            "Remark: the lower latch was replaced after the test",
            "because its spring was too weak.",
            "",
            "Passed.  Seal number 58113",
        ),
    ),
    Heading("10 Spare parts and service"),
    Heading("10.1 Ordering spare parts", 2),
    Paragraph(
        "Parts are ordered by the numbers in Table 5. Orders that arrive before noon leave the "
        "workshop on the same day. The float is made to measure and takes three weeks."
    ),
    Table(
        "Table 5: Spare parts",
        ("Part", "Number", "Delivered as"),
        (
            ("Battery pack", "BP-40", "single piece with fuse"),
            ("Bearing of the wheel", "P-208", "pair"),
            ("Drying salt", "D-31", "six bags of 50 g"),
            ("Surge cartridge, violet", "SC-9", "three pieces"),
            ("Measuring tape", "MT-15", "roll of 15 m"),
            ("Seal of the lid", "LS-2", "set of two"),
            ("Well brush", "BR-7", "head without pole"),
        ),
        (0.4, 0.2, 0.4),
    ),
    Heading("10.2 Warranty", 2),
    Paragraph(
        "The manufacturer grants a warranty of 36 months from the day of delivery. It covers all "
        "parts except the drying salt, the seals and the battery, for which 12 months apply. "
        "Damage by lightning is covered only if the violet surge cartridge was in place."
    ),
    Heading("10.3 Taking the gauge out of service", 2),
    Paragraph(
        "Copy the memory, remove the battery and lock the wheel with the red pin. The copper of "
        "the float is worth recycling. The encoder contains a magnet and must not be sent by air "
        "mail. Return the battery to a collection point; it may never be thrown overboard."
    ),
)
