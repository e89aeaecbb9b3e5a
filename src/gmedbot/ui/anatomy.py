"""The parts of the anatomy figure: their names, the words that mean them, and their shapes in two views.

The shapes are drawn for gmedbot: a right hip, simplified, not to scale. In the side view the front of the body is on
the right; in the back view the midline is on the left. What is said about a part comes from the sources, not from here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["PARTS", "VIEWS", "Part", "Shape", "parts_in"]

VIEWS = ("lateral", "posterior")

#: A point of the drawing.
Point = tuple[float, float]


@dataclass(frozen=True)
class Shape:
    """How a part looks in one view.

    Args:
        path: SVG path.  badge: where its number stands.  fibres: two curves (as points) between which fibres run.
        is_deep: lies under a muscle and is drawn dashed over it.
    """

    path: str
    badge: Point
    fibres: tuple[tuple[Point, ...], tuple[Point, ...]] | None = None
    is_deep: bool = False


@dataclass(frozen=True)
class Part:
    """A part that can be chosen. ``words`` is a regular expression of the names that sources use for it."""

    part_id: str
    name: str
    kind: str  #: bone, muscle, own (the gluteus medius), line, nerve, vessel, bursa
    words: str
    ask: str
    shapes: Mapping[str, Shape] = field(default_factory=dict)

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(rf"\b(?:{self.words})\b", re.IGNORECASE)


_TROCH_L: tuple[Point, ...] = ((243, 322), (255, 314), (270, 314))
_TROCH_P: tuple[Point, ...] = ((352, 318), (360, 312), (368, 318))

#: Bones first, then deep to shallow: a later part is drawn over an earlier one.
PARTS: tuple[Part, ...] = (
    Part(
        "ilium", "Ilium", "bone", r"ilium|iliac (?:crest|wing|fossa|bone)|ilia", "Where does the gluteus medius arise?",
        {
            "lateral": Shape(
                "M386 168C378 112 318 62 236 52C160 46 96 92 74 160C68 178 74 194 92 204C104 212 104 222 118 230"
                "C146 240 176 252 184 284C190 312 186 330 192 352C206 392 232 398 262 398C306 398 332 366 336 326"
                "C338 292 340 268 356 240C364 222 380 196 386 168Z",
                (230, 58),
            ),
            "posterior": Shape(
                "M128 140C150 88 206 52 276 56C330 60 366 96 376 142C380 168 366 190 352 214C336 242 334 268 344 296"
                "C334 326 302 334 272 322C250 300 228 292 206 296C190 268 172 240 140 226C122 214 116 172 128 140Z",
                (300, 66),
            ),
        },
    ),
    Part(
        "greater-trochanter", "Greater trochanter", "bone", r"greater trochanters?|trochanteric facets?|(?:lateral|superoposterior|anterior) facet",
        "Where does the gluteus medius insert?",
        {
            "lateral": Shape(
                "M228 340C228 320 246 308 262 308C282 308 292 324 290 346C288 372 292 398 292 430L290 540L226 540L230 430"
                "C232 400 228 370 228 340Z",
                (258, 392),
            ),
            "posterior": Shape(
                "M298 306C312 296 326 308 336 318C340 308 352 302 364 304C380 308 388 326 384 348C380 378 372 404 370 440"
                "L366 540L316 540L318 440C318 410 310 392 300 378C288 360 286 322 298 306Z",
                (352, 372),
            ),
        },
    ),
    Part(
        "gluteus-minimus", "Gluteus minimus", "muscle", r"gluteus minimus|gluteus minimi|minimus",
        "How does the gluteus minimus lie to the gluteus medius?",
        {
            "lateral": Shape(
                "M362 228C346 188 300 166 246 172C212 178 190 204 184 244C206 270 236 292 256 318L276 322C292 290 326 256 362 228Z",
                (208, 232), (((356, 226), (330, 194), (290, 176), (246, 176), (206, 196), (190, 240)), ((276, 322), (262, 320), (254, 318))),
            ),
            "posterior": Shape(
                "M214 208C240 170 300 160 344 190C354 202 350 220 344 240C342 268 350 292 360 314L344 312C312 296 250 262 214 208Z",
                (236, 206), (((218, 208), (256, 180), (300, 174), (342, 196)), ((346, 312), (352, 313), (360, 314))),
            ),
        },
    ),
    Part(
        "piriformis", "Piriformis", "muscle", r"piriformis", "How does the piriformis lie to the gluteus medius?",
        {
            "lateral": Shape(
                "M120 262C150 258 200 284 250 312L258 322C250 330 236 330 222 326C184 314 146 298 116 290C104 282 108 266 120 262Z",
                (142, 276), (((118, 266), (114, 278), (118, 288)), ((252, 316), (250, 322), (240, 326))),
            ),
            "posterior": Shape(
                "M92 222C130 232 210 262 352 306C360 312 360 322 352 326C280 322 180 304 96 282C82 272 80 232 92 222Z",
                (150, 266), (((92, 228), (88, 250), (96, 278)), ((354, 310), (356, 317), (352, 323))),
            ),
        },
    ),
    Part(
        "gmed-anterior", "Anterior fibres", "own", r"anterior (?:fib(?:re|er)s?|part|portion|region|segment|third)",
        "What do the anterior fibres of the gluteus medius do?",
        {
            "lateral": Shape(
                "M376 178C368 140 346 110 318 92C300 164 284 240 262 312L278 320C298 276 336 220 376 178Z",
                (334, 152), (((372, 178), (358, 138), (322, 98)), ((277, 319), (272, 316), (264, 314))),
            ),
        },
    ),
    Part(
        "gmed-middle", "Middle fibres", "own", r"(?:middle|central) (?:fib(?:re|er)s?|part|portion|region|segment|third)",
        "What do the middle fibres of the gluteus medius do?",
        {
            "lateral": Shape(
                "M318 92C276 66 214 62 172 80C196 160 224 240 246 318L262 312C284 240 300 164 318 92Z",
                (246, 138), (((314, 94), (246, 72), (178, 82)), ((262, 313), (254, 314), (247, 317))),
            ),
            "posterior": Shape(
                "M250 66C300 62 346 92 366 138C372 164 358 190 352 226C350 262 358 292 370 318L356 312C318 236 280 150 250 66Z",
                (312, 118), (((256, 70), (310, 84), (362, 140)), ((356, 313), (362, 314), (369, 318))),
            ),
        },
    ),
    Part(
        "gmed-posterior", "Posterior fibres", "own", r"posterior (?:fib(?:re|er)s?|part|portion|region|segment|third)",
        "What do the posterior fibres of the gluteus medius do?",
        {
            "lateral": Shape(
                "M172 80C140 96 116 132 112 176C140 200 202 264 240 328L246 318C224 240 196 160 172 80Z",
                (150, 132), (((168, 86), (132, 124), (116, 176)), ((246, 319), (243, 323), (240, 327))),
            ),
            "posterior": Shape(
                "M250 66C204 72 164 102 148 146C150 172 160 190 178 202C240 226 310 270 352 320L356 312C318 236 280 150 250 66Z",
                (204, 140), (((246, 70), (190, 96), (152, 146), (174, 198)), ((357, 313), (355, 316), (352, 320))),
            ),
        },
    ),
    Part(
        "gluteal-lines", "Gluteal lines", "line", r"gluteal lines?|(?:anterior|posterior|inferior)(?: and (?:posterior|inferior))? gluteal lines?",
        "Between which lines of the ilium does the gluteus medius arise?",
        {
            "lateral": Shape(
                "M124 100C112 130 106 170 122 226M356 130C312 150 250 148 204 182C186 198 176 216 168 240M352 220C318 232 270 232 232 250C214 258 200 270 190 284",
                (118, 196), None, True,
            ),
            "posterior": Shape("M158 104C146 136 144 180 160 226", (146, 186), None, True),
        },
    ),
    Part(
        "superior-gluteal-artery", "Superior gluteal artery", "vessel", r"superior gluteal (?:artery|vessels)",
        "Which artery supplies the gluteus medius?",
        {
            "posterior": Shape("M150 252C176 236 196 222 218 190C240 160 280 138 322 140M218 190C256 186 300 196 336 214", (196, 196), None, True),
        },
    ),
    Part(
        "superior-gluteal-nerve", "Superior gluteal nerve", "nerve", r"superior gluteal nerves?",
        "Which nerve supplies the gluteus medius?",
        {
            "lateral": Shape(
                "M152 262C178 240 206 216 246 206C292 198 338 214 384 236M206 222C204 192 214 160 224 132M262 204C276 178 288 150 306 128M246 206C256 232 258 252 262 274",
                (182, 214), None, True,
            ),
            "posterior": Shape(
                "M156 262C190 250 222 232 262 222C300 214 332 222 352 236M212 238C224 206 240 168 262 138M262 222C282 194 304 170 330 160",
                (286, 240), None, True,
            ),
        },
    ),
    Part(
        "trochanteric-bursa", "Trochanteric bursa", "bursa", r"(?:sub)?(?:trochanteric|gluteus (?:medius|maximus)|subgluteus \w+) bursae?|bursae?|bursa",
        "Which bursae lie at the greater trochanter?",
        {
            "lateral": Shape("M244 344C244 332 254 326 262 328C272 330 276 342 272 354C268 364 252 366 246 358C244 354 244 350 244 344Z", (258, 346)),
            "posterior": Shape("M374 326C384 324 390 336 388 348C386 360 376 366 370 358C366 350 366 330 374 326Z", (380, 344)),
        },
    ),
    Part(
        "tensor-fasciae-latae", "Tensor fasciae latae", "muscle", r"tensor fasciae? latae|TFL",
        "How do the tensor fasciae latae and the gluteus medius work together?",
        {
            "lateral": Shape(
                "M384 160C396 172 402 196 394 232C382 288 356 340 330 388L318 382C330 336 346 262 362 214C368 192 374 172 384 160Z",
                (366, 268), (((384, 164), (396, 190), (394, 226)), ((319, 382), (324, 385), (330, 387))),
            ),
        },
    ),
    Part(
        "gluteus-maximus", "Gluteus maximus", "muscle", r"gluteus maximus|gluteus maximi|maximus",
        "How does the gluteus maximus lie to the gluteus medius?",
        {
            "lateral": Shape(
                "M92 110C64 142 46 200 52 262C58 338 118 412 196 446C226 456 250 440 254 420C250 404 244 392 232 384C190 340 142 262 120 176C112 150 104 128 92 110Z",
                (96, 320), (((92, 116), (60, 190), (56, 262), (80, 340)), ((236, 388), (246, 404), (250, 424))),
            ),
            "posterior": Shape(
                "M128 152C100 186 72 232 62 286C58 350 120 420 224 462C270 478 316 474 340 456C352 438 350 420 336 404C260 356 176 270 128 152Z",
                (150, 372), (((126, 160), (84, 222), (66, 292), (90, 366)), ((340, 410), (344, 432), (336, 452))),
            ),
        },
    ),
)  # fmt: skip


def parts_in(text: str) -> list[Part]:
    """The parts that a text names, in the figure's order; a longer name hides a shorter one inside it."""
    return [part for part in PARTS if part.pattern.search(text)]
