"""The words of the sample manual, chapters 1 to 4: knowing, installing and using the gauge."""

from __future__ import annotations

from tests.media.manual_blocks import (
    Block,
    Figure,
    Heading,
    Notice,
    Paragraph,
    Points,
    Steps,
    Table,
)

CHAPTERS: tuple[Block, ...] = (
    Heading("1 Introduction"),
    Heading("1.1 What the TG-40 does", 2),
    Paragraph(
        "The TG-40 is a float-operated tide gauge for harbors, estuaries and research piers. It "
        "measures the height of the water above a fixed zero mark and keeps a record of every "
        "value. The instrument was designed to run unattended for a full winter: all moving "
        "parts can be inspected without tools, and a power cut does not interrupt the record."
    ),
    Paragraph(
        "The gauge does not measure waves. A stilling well separates the float from the open "
        "water, so that swell with periods shorter than 30 seconds is reduced to less than two "
        "percent of its height. Anyone who needs wave heights should add a pressure sensor on "
        "the auxiliary input described in section 4.4."
    ),
    Heading("1.2 Parts of the gauge", 2),
    Paragraph(
        "Figure 1 shows the complete instrument. The float hangs on a perforated steel tape that "
        "runs over the measuring wheel to the counterweight. The encoder sits on the axle of the "
        "wheel and turns every movement into pulses. The logger, the battery and the radio share "
        "one sealed housing, which is called the blue box in the rest of this manual because of "
        "its lid."
    ),
    Figure("Figure 1: The TG-40 in its stilling well", "gauge", 250),
    Heading("1.3 Technical data", 2),
    Paragraph(
        "The values in Table 1 hold for a gauge that has been calibrated as described in "
        "chapter 5 and that is operated between minus 20 and plus 45 degrees Celsius."
    ),
    Table(
        "Table 1: Technical data",
        ("Property", "Value", "Remark"),
        (
            ("Measuring range", "0 to 12.5 m", "longer tape on request"),
            ("Resolution", "1 mm", "one pulse of the encoder"),
            ("Uncertainty", "3 mm", "95 percent of readings"),
            ("Fastest level change", "0.9 m per minute", "faster changes raise E-04"),
            ("Memory", "18 months", "at one value per minute"),
            ("Mass without well", "14.6 kg", "battery included"),
            ("Protection class", "IP67", "lid closed, both latches"),
        ),
        (0.34, 0.28, 0.38),
    ),
    Paragraph(
        "The type plate is riveted to the left side of the blue box. Please quote the five "
        "characters after the letters TG whenever you write to the manufacturer."
    ),
    Heading("1.4 What is in the crate", 2),
    Points(
        (
            "the blue box with encoder, logger and radio",
            "the copper float, wrapped in felt",
            "15 meters of measuring tape and a counterweight of 1.9 kilograms",
            "the contact ruler with its lamp and a spare needle",
            "the red pin, the bamboo pole and a bag with drying salt",
        )
    ),
    Paragraph(
        "Report transport damage within eight days. Keep the crate: the float must travel in "
        "it when it is sent in for repair."
    ),
    Heading("2 Safety"),
    Heading("2.1 Who may work on the gauge", 2),
    Paragraph(
        "Everyday operation needs no special training. Work above open water, work inside the "
        "stilling well and work on the mains supply are reserved for persons who have been "
        "instructed by the harbor authority. Two people must be present whenever the hatch of "
        "the stilling well is open."
    ),
    Notice(
        "Danger",
        "The counterweight can fall without warning when the tape is cut or unhooked. Lock the "
        "wheel with the red pin before you touch the tape.",
    ),
    Heading("2.2 Working above water", 2),
    Points(
        (
            "Wear a life jacket of at least 150 newtons whenever the railing is open.",
            "Do not enter the well room at wind speeds above 17 meters per second.",
            "Test the air in the well with a gas meter; leave when oxygen falls below 19.5 "
            "percent.",
            "Keep the throwing line on the hook beside the door, never inside the cupboard.",
        )
    ),
    Heading("2.3 Lightning", 2),
    Paragraph(
        "The antenna mast is the highest point of most stations. Its copper braid must have at "
        "least 25 square millimeters and must reach the water at the lowest tide. When thunder "
        "follows lightning in less than ten seconds, leave the station and close the door behind "
        "you. After a strike, replace the violet surge cartridge even if it looks undamaged."
    ),
    Heading("2.4 Batteries and chemicals", 2),
    Paragraph(
        "The battery pack contains lithium iron phosphate cells. Never charge it below freezing; "
        "the charger refuses to do so, and the refusal must not be bypassed. The drying salt in "
        "the blue box turns from orange to green when it is used up. It irritates the skin, so "
        "wear gloves and wash your hands."
    ),
    Heading("3 Installation"),
    Heading("3.1 Choosing the site", 2),
    Paragraph(
        "A good site is deep enough at the lowest tide, sheltered from ship wakes and close to a "
        "benchmark that has been surveyed within the last six years. Keep a distance of at least "
        "40 meters from sluice gates and from the outlets of pumps, because moving water lowers "
        "the level in the well. Places where ice collects in spring are not suitable."
    ),
    Heading("3.2 Mounting the stilling well", 2),
    Paragraph(
        "The well is delivered in sections of two meters. Its foot must stay at least 60 "
        "centimeters below the lowest expected water level, and its head at least one meter "
        "above the highest one. The ratio between the area of the inlet and the area of the well "
        "decides how strongly waves are damped; the supplied orifice plate gives a ratio of 1 "
        "to 324."
    ),
    Steps(
        (
            "Fix the wall brackets every 1.5 meters with stainless anchors.",
            "Lower the first section and check that it hangs plumb within 2 millimeters per meter.",
            "Join the sections with the flat seals and tighten the twelve bolts crosswise to 22 "
            "newton meters.",
            "Screw in the orifice plate with its beveled side facing the open water.",
        )
    ),
    Heading("3.3 Hanging the float", 2),
    Paragraph(
        "Unpack the float only after the well is finished; a dent of the size of a coin changes "
        "the reading by about a millimeter. Hook the tape to the float with the brass carabiner, "
        "lay it over the wheel so that its holes catch the pins, and hook on the counterweight. "
        "The counterweight must never touch the water, not even at the lowest tide."
    ),
    Heading("3.4 First start", 2),
    Paragraph(
        "Insert the battery, close the lid and hold the green button for four seconds. The gauge "
        "beeps twice and shows the word HELLO, then the level. Enter the distance between the "
        "benchmark and the edge of the wheel when the display asks for it. The gauge now "
        "collects values for 25 hours before it sends the first message, so that one complete "
        "tide is on record."
    ),
    Heading("4 Operation"),
    Heading("4.1 The display", 2),
    Paragraph(
        "The display sleeps to save energy and wakes up at a touch. Its upper line shows the "
        "level in meters, its lower line the trend of the last ten minutes. An arrow with two "
        "heads means that the water is standing still. A small lock in the corner means that "
        "the settings are protected; the factory code for the lock is 7310."
    ),
    Heading("4.2 Choosing how often values are stored", 2),
    Paragraph(
        "The encoder is read every six seconds. What is stored is the average of the readings in "
        "an interval that you can choose in the menu Storage: one, three, six or ten minutes. "
        "Harbors usually take six minutes. During a surge alarm the gauge switches to one minute "
        "by itself and returns to the old interval after the level has stayed below the alarm "
        "mark for two hours."
    ),
    Heading("4.3 Reading the data", 2),
    Paragraph(
        "Data leave the gauge over the radio, over the cable or on a memory card. Files carry "
        "the extension .tgl and hold one line for each stored value. Table 2 explains the "
        "fields of a line. Times are always in UTC; the gauge knows no daylight saving time."
    ),
    Table(
        "Table 2: Fields of a data line",
        ("Field", "Example", "Meaning"),
        (
            ("time", "2025-04-18T06:36Z", "end of the interval"),
            ("level", "2.417", "average height in meters"),
            ("spread", "0.004", "standard deviation in meters"),
            ("volt", "12.9", "battery voltage"),
            ("flag", "Q1", "quality, Q1 is good and Q9 is missing"),
        ),
        (0.2, 0.36, 0.44),
    ),
    Heading("4.4 Auxiliary input", 2),
    Paragraph(
        "A second sensor can be connected to the round socket with five pins. The input accepts "
        "4 to 20 milliamperes and is read once a minute. Pin 3 supplies up to 80 milliamperes at "
        "12 volts; a heater must not be connected to it. If the auxiliary sensor is a pressure "
        "sensor, hang it at least 30 centimeters above the sea bed, away from sand."
    ),
    Heading("4.5 The clock", 2),
    Paragraph(
        "The clock is set by satellite every night at 02:10 UTC. Without satellite reception it "
        "drifts by no more than three seconds a month. If the clock has been corrected by more "
        "than ten seconds, the next line in the file is marked with the letter T."
    ),
    Heading("4.6 Alarm levels", 2),
    Paragraph(
        "Three alarm levels can be entered in meters above the zero mark. The yellow level sends "
        "a text message to the harbor office, the orange level also rings the control room, and "
        "the red level switches on the siren for 45 seconds. An alarm is raised only after the "
        "level has been exceeded in three readings in a row, so that a passing ship does not "
        "wake the town."
    ),
    Notice(
        "Note",
        "The siren can be silenced with the key that hangs in the glass box. Silencing it does "
        "not clear the alarm in the data.",
    ),
    Heading("4.7 Remote commands", 2),
    Paragraph(
        "The control room can send short commands over the radio. PING asks for the level, "
        "STATUS for voltage and humidity, and SYNC sets the clock. Commands that change settings "
        "need the word GRANITE in front of them and are confirmed by the gauge within 90 seconds."
    ),
)
