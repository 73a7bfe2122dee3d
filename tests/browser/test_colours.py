"""The timeline's colours: computed, without a browser.

A reader with protanopia, deuteranopia or tritanopia sees other colours. The matrices here are those
of Machado, Oliveira and Fernandes (2009) for the complete form of each; they apply to linear RGB.
Colours are compared by their distance in CIELAB: about 2.3 is just noticeable."""

import itertools
import re
import unittest

from tools.see.page import read

APART = 15  # The distance that any two colours must have
NEIGHBOURS_APART = 20  # The distance of colours whose environments follow each other

SIGHTS = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
                   (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
                     (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602),
                   (0.004733, 0.691367, 0.303900)),
}
XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750),
       (0.0193339, 0.1191920, 0.9503041))
WHITE = (0.95047, 1.0, 1.08883)


def apply(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector)) for row in matrix]


def linear(colour):
    values = [int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)]
    return [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]


def lab(rgb):
    """Linear RGB as CIELAB."""
    def f(t):
        return t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116
    x, y, z = (f(max(value, 0) / white) for value, white in zip(apply(XYZ, rgb), WHITE))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(a, b, sight):
    seen = [lab([min(max(v, 0), 1) for v in apply(SIGHTS[sight], linear(c))]) for c in (a, b)]
    return sum((p - q) ** 2 for p, q in zip(*seen)) ** 0.5


def luminance(colour):
    return sum(a * b for a, b in zip(XYZ[1], linear(colour)))


def contrast(a, b):
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def palette():
    text = read("colours.js")
    return re.findall("#[0-9a-f]{6}", re.search(r"PALETTE = \[(.*?)\]", text, re.S)[1])


def shades():
    """The colours of 21 environments whose numbers follow each other."""
    numbers = re.search(r"LIGHTER = ([\d.]+), DARKER = ([\d.]+)", read("colours.js"))
    lighter, darker = map(float, numbers.groups())

    def mixed(colour, other, part):
        values = [int(colour[at:at + 2], 16) * (1 - part) + other * part for at in (1, 3, 5)]
        return "#%02x%02x%02x" % tuple(int(value + 0.5) for value in values)
    return [*palette(), *(mixed(c, 255, lighter) for c in palette()),
            *(mixed(c, 0, darker) for c in palette())]


def themes():
    """{"light": {"ink": "#...", ...}, "dark": ...}"""
    text = read("colours.js")
    return {name: dict(re.findall(r'(\w+): "(#[0-9a-f]{6})"', body))
            for name, body in re.findall(r"(?s)\n    (light|dark): \{(.*?)\}", text)}


class ColoursTest(unittest.TestCase):
    def test_distance_is_right(self):
        self.assertAlmostEqual(distance("#000000", "#ffffff", "usual"), 100, places=1)
        # A reader with deuteranopia confuses this red and this green, but not red and blue.
        self.assertGreater(distance("#b00000", "#687000", "usual"), 60)
        self.assertLess(distance("#b00000", "#687000", "deuteranopia"), 10)
        self.assertGreater(distance("#b00000", "#0000b0", "deuteranopia"), 80)

    def test_palette_is_apart(self):
        colours = palette()
        self.assertEqual(len(set(colours)), 7)
        for sight in SIGHTS:
            for a, b in itertools.combinations(colours, 2):
                with self.subTest(sight=sight, a=a, b=b):
                    self.assertGreater(distance(a, b, sight), APART)

    def test_neighbours_are_further_apart(self):
        colours = shades()
        self.assertEqual(len(set(colours)), 21)
        for sight in SIGHTS:
            for a, b in zip(colours, colours[1:] + colours[:1]):
                with self.subTest(sight=sight, a=a, b=b):
                    self.assertGreater(distance(a, b, sight), NEIGHBOURS_APART)

    def test_text_can_be_read(self):
        found = themes()
        self.assertEqual(sorted(found), ["dark", "light"])
        for name, theme in found.items():
            for text, ground, least in (("ink", "page", 7), ("soft", "page", 4.5),
                                        ("accent", "page", 4.5), ("ink", "laneFocus", 4.5),
                                        ("kernelInk", "kernel", 3), ("wait", "page", 4.5)):
                with self.subTest(theme=name, text=text, ground=ground):
                    self.assertGreaterEqual(contrast(theme[text], theme[ground]), least)
