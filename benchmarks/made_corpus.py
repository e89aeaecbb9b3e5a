"""A made corpus of any size, the same one every time: what a build of many sources is measured on.

    python -m benchmarks.made_corpus DIR COUNT

Documents of 150 to 600 words in the proportions of a folder that has grown for years: most speak of the hip in their own
words (one recombined from statements, muscles, parts, numbers and made-up studies; half as digests, half as full texts), a
tenth are copies of earlier ones (whole, edited or in part, some with lineage), a tenth have nothing to do with the field.
No sentence of the project's own corpus is used. The vocabulary is the project's.
"""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.common import ROOT, emit

__all__ = ["make_corpus"]

_SEED = 20261122
_COPIES, _ELSEWHERE, _DIGESTS = 0.1, 0.1, 0.5  #: shares of all documents; digests of those about the field

_SLOTS: dict[str, Sequence[str]] = {
    "muscle": (
        "gluteus medius", "gluteus medius", "gluteus medius", "gluteus medius", "gluteus minimus", "gluteus maximus",
        "tensor fasciae latae", "piriformis", "quadratus lumborum", "biceps femoris", "rectus femoris", "iliopsoas",
        "obturator internus", "adductor longus", "vastus lateralis",
    ),
    "part": ("anterior fibres", "middle fibres", "posterior fibres", "tendon", "deep layer", "superficial layer"),
    "bone": ("greater trochanter", "iliac crest", "ilium", "anterior gluteal line", "posterior gluteal line", "lateral facet",
             "superoposterior facet", "femoral neck", "sacrum", "femur"),
    "nerve": ("superior gluteal nerve", "inferior gluteal nerve", "femoral nerve", "sciatic nerve", "obturator nerve"),
    "roots": ("L4 to S1", "L5 and S1", "L4 and L5", "L5 to S2", "L4, L5 and S1"),
    "artery": ("superior gluteal artery", "inferior gluteal artery", "lateral circumflex femoral artery"),
    "action": ("abduction", "internal rotation", "external rotation", "extension", "flexion", "stabilisation of the pelvis"),
    "exercise": (
        "side-lying hip abduction", "the clamshell", "the side plank", "the single-leg squat", "the lateral step-up",
        "the pelvic drop", "the single-leg bridge", "the monster walk", "the side step with a band", "the forward lunge",
        "the single-leg deadlift", "the fire hydrant", "the standing hip abduction", "the step-down", "the bridge", "the squat",
    ),
    "people": (
        "runners", "healthy adults", "women after the menopause", "people with hip osteoarthritis", "football players",
        "people after a hip replacement", "dancers", "older adults", "recruits", "cyclists", "people with low back pain",
        "adolescent athletes", "people with patellofemoral pain", "nurses", "people with lateral hip pain", "hikers",
    ),
    "symptom": ("pain at night", "tenderness over the greater trochanter", "a limp", "weakness of abduction",
                "a positive Trendelenburg sign", "pain on climbing stairs", "pain when lying on the side", "numbness"),
    "illness": ("gluteal tendinopathy", "greater trochanteric pain syndrome", "trochanteric bursitis", "a full-thickness tear",
                "a partial tear", "hip osteoarthritis", "meralgia paraesthetica", "a stress fracture of the femoral neck"),
    "treatment": ("exercise and education", "a corticosteroid injection", "shockwave therapy", "rest", "surgical repair",
                  "platelet-rich plasma", "massage", "dry needling", "weight loss", "a stick in the opposite hand"),
    "test": ("the single-leg stance test", "palpation of the greater trochanter", "magnetic resonance imaging", "ultrasound",
             "the Trendelenburg test", "resisted abduction", "the FADER test", "hand-held dynamometry"),
    "how": ("surface electromyography", "fine-wire electromyography", "dissection of embalmed specimens", "three-dimensional gait analysis",
            "a questionnaire sent by post", "magnetic resonance imaging", "isokinetic dynamometry", "a blinded assessor"),
    "often": ("often", "rarely", "usually", "sometimes", "almost always", "seldom"),
    "level": ("low", "moderate", "high", "very high"),
    "name": ("Arden", "Belmont", "Corrie", "Dunmore", "Eskdale", "Farrow", "Glenn", "Harte", "Inskip", "Jarrow", "Kestrel", "Lowden",
             "Marsh", "Norwick", "Oakes", "Penrith", "Quill", "Rowan", "Selby", "Tarn", "Ulver", "Venn", "Whitby", "Yarrow"),
    "place": ("Alderton", "Brookfield", "Carrick", "Dalton", "Easterby", "Fenwick", "Grange", "Holm", "Ivybridge", "Kirkby"),
}  # fmt: skip

#: heading → statements about the field; {slots} as above, {n}, {percent}, {degrees}, {weeks}, {sets} and {year} are numbers
_FIELD: dict[str, Sequence[str]] = {
    "Origin": (
        "The {muscle} arises from the outer surface of the {bone}, between the crest and the {bone}.",
        "In {n} specimens from {place} the {part} of the {muscle} began at the {bone}.",
        "Some fibres of the {muscle} come from the fascia that covers them, in {percent} % of hips.",
    ),
    "Insertion": (
        "The {part} of the {muscle} insert on the {bone} of the {bone}.",
        "{name} measured a footprint of {n} square millimetres for the {muscle} on the {bone}.",
        "The tendon of the {muscle} reaches the {bone}, and {often} sends a slip to the {bone}.",
    ),
    "Nerve supply": (
        "The {muscle} is supplied by the {nerve} ({roots}).",
        "A branch of the {nerve} enters the {part} of the {muscle} about {n} mm from the {bone}.",
        "In {percent} % of {n} dissected hips the {nerve} carried fibres from {roots} to the {muscle}.",
    ),
    "Blood supply": (
        "The {artery} brings blood to the {muscle}.",
        "The {part} of the {muscle} also receive twigs from the {artery}, as {name} saw in {n} of {n} injected specimens.",
    ),
    "Function": (
        "The {muscle} produces {action} of the hip.",
        "With the hip flexed to {degrees} degrees the {part} of the {muscle} turn from {action} to {action}.",
        "During walking the {muscle} keeps the pelvis level at {percent} % of the gait cycle.",
        "Its moment arm for {action} was {n} mm in the model of {name} and colleagues.",
    ),
    "Activation": (
        "Mean activation of the {muscle} during {exercise} was {percent} % of maximal voluntary contraction.",
        "{exercise} produced {level} activity of the {muscle} ({percent} ± {sets} %MVIC) in {people}.",
        "In {people} the {part} worked harder in {exercise} than in {exercise}.",
        "A load of {percent} % of body mass raised the activity of the {muscle} in {exercise} by {percent} %.",
    ),
    "Exercise": (
        "{name} advises {sets} sets of {n} repetitions of {exercise} on {sets} days a week.",
        "{exercise} should be avoided by {people} while {symptom} lasts.",
        "For {people} {exercise} is a better beginning than {exercise}.",
        "Hold each repetition of {exercise} for {sets} seconds and rest for {n} seconds between the sets.",
    ),
    "Symptoms": (
        "{illness} {often} brings {symptom}.",
        "In a survey of {n} {people}, {percent} % with {illness} reported {symptom}.",
        "{symptom} is {often} the first thing that {people} notice.",
    ),
    "Frequency": (
        "{illness} affects {percent} % of {people}.",
        "{name} found {illness} on imaging in {n} of {n} {people} without complaints.",
    ),
    "Diagnosis": (
        "{test} had a sensitivity of {percent} % and a specificity of {percent} % for {illness}.",
        "{test} is {often} enough to tell {illness} from {illness}.",
        "Two examiners agreed on {test} with a kappa of 0.{percent}.",
    ),
    "Treatment": (
        "{treatment} reduced pain from {illness} more than {treatment} after {weeks} weeks.",
        "After {weeks} weeks {percent} % of those given {treatment} called themselves much better.",
        "{treatment} is recommended for {illness} when {symptom} has lasted longer than {weeks} weeks.",
        "{treatment} made no difference to {illness} in {n} {people}.",
    ),
    "Prognosis": (
        "Most {people} with {illness} return to sport within {weeks} weeks.",
        "{percent} % of {n} {people} still had {symptom} after {weeks} weeks.",
    ),
    "Method": (
        "{name} followed {n} {people} in {place} for {weeks} weeks, using {how}.",
        "The work was done in {place} with {how}, and the people who measured did not know the groups.",
        "Of {n} who were asked, {percent} % took part; those who left were younger.",
    ),
}  # fmt: skip

_OTHER: dict[str, Sequence[str]] = {
    "Bread": (
        "Rest the dough of {name} for {n} minutes in a bowl under a damp cloth before shaping it.",
        "A loaf from {place} holds {percent} % water and is baked at {n} degrees on stone.",
        "Rye needs {sets} folds less than wheat, says the baker of {place}.",
    ),
    "Stars": (
        "{name} counted {n} sunspots from the roof of the school in {place} in {year}.",
        "The comet of {year} was seen {sets} nights in a row above {place}.",
        "A mirror of {n} millimetres gathers {percent} % more light than the one before it.",
    ),
    "Railways": (
        "The line from {place} to {place} was opened in {year} and closed {n} years later.",
        "Engine number {n} pulled {sets} coaches at {percent} kilometres an hour through the tunnel at {place}.",
        "{name} drew the bridge of {sets} arches that still carries the road to {place}.",
    ),
    "Gardens": (
        "Sow the beans of {place} {sets} weeks after the last frost, {n} centimetres apart.",
        "In {year} slugs took {percent} % of the lettuce in the garden of {name}.",
    ),
    "Library": (
        "The library of {place} lent {n} books in {year}, {percent} % of them novels.",
        "{name} left {n} maps to the library, of which {sets} show the harbour before the fire.",
    ),
}

_TAILS = (
    "", "", "", "", ", according to {name}", ", as measured with {how}", " in a group of {n}", ", at least in {people}", " in the {year} series",
)  # fmt: skip


def _sentence(rng: random.Random, template: str) -> str:
    """One statement, every slot filled anew."""
    if rng.random() < 0.5:
        template = template[:-1] + rng.choice(_TAILS) + "."
    numbers: dict[str, Callable[[], int]] = {
        "n": lambda: rng.randint(6, 240),
        "percent": lambda: rng.randint(2, 98),
        "degrees": lambda: rng.choice((0, 20, 30, 45, 60, 75, 90)),
        "weeks": lambda: rng.choice((2, 4, 6, 8, 12, 16, 26, 52)),
        "sets": lambda: rng.randint(2, 9),
        "year": lambda: rng.randint(1985, 2025),
    }
    parts = template.split("{")
    out = [parts[0]]
    for part in parts[1:]:
        slot, rest = part.split("}", 1)
        out.append(f"{numbers[slot]() if slot in numbers else rng.choice(_SLOTS[slot])}{rest}")
    text = "".join(out)
    return text[:1].upper() + text[1:]


def _body(rng: random.Random, themes: dict[str, Sequence[str]], words: int) -> list[tuple[str, list[str]]]:
    """(heading, sentences) until there are about so many words."""
    sections: list[tuple[str, list[str]]] = []
    headings = list(themes)
    rng.shuffle(headings)
    count, place = 0, 0
    while count < words:
        heading = headings[place % len(headings)]
        own = [_sentence(rng, rng.choice(themes[heading])) for _ in range(rng.randint(2, 6))]
        sections.append((heading, own))
        count += sum(len(sentence.split()) for sentence in own)
        place += 1
    return sections


def _edited(rng: random.Random, sections: list[tuple[str, list[str]]]) -> list[tuple[str, list[str]]]:
    """A copy as copies are: whole, with every twelfth word or so another, or in part among new sentences."""
    kind = rng.choice(("whole", "edited", "part"))
    if kind == "whole":
        return sections
    if kind == "edited":
        swap = ("about", "perhaps", "clearly", "roughly", "indeed")
        return [
            (h, [" ".join(rng.choice(swap) if rng.random() < 0.08 else w for w in s.split()) for s in own])
            for h, own in sections
        ]
    return [*sections[: max(1, len(sections) // 2)], *_body(rng, _FIELD, 120)]


def _render(
    number: int, rng: random.Random, sections: list[tuple[str, list[str]]], is_digest: bool, lineage: str | None
) -> str:
    name, place = rng.choice(_SLOTS["name"]), rng.choice(_SLOTS["place"])
    kind, evidence = rng.choice(
        (("web-article", "lay"), ("clinician-article", "expert"), ("emg-study", "study"), ("randomised-trial", "trial"),
         ("textbook", "expert"), ("systematic-review", "synthesis"))
    )  # fmt: skip
    head = (
        f'---\nid: made-{number:05d}\ntitle: "{sections[0][0]} and {sections[-1][0].lower()}: report {number} from {place}"\n'
        f'authors: ["{name} {place[0]}"]\nyear: {rng.randint(1985, 2025)}\ncontainer: "Journal of {place}"\nkind: {kind}\n'
        f"evidence: {evidence}\ntopics: [anatomy]\nlineage: {lineage or 'null'}\n"
        + ("" if is_digest else "full-text: true\n")
        + f"---\n# Report {number}\n"
    )
    join = "\n" if is_digest else " "
    return head + "".join(f"\n## {heading}\n{join.join(own)}\n" for heading, own in sections)


def make_corpus(folder: Path, count: int) -> int:
    """Write ``count`` documents and the vocabulary into a new folder. Returns the number of words."""
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "corpus" / "vocabulary", folder / "vocabulary")
    shutil.copy(ROOT / "corpus" / "safety.yaml", folder / "safety.yaml")
    words = 0
    for number in range(count):
        rng = random.Random(_SEED * 100_003 + number)
        length, chance = rng.randint(150, 600), rng.random()
        lineage = None
        if number > 10 and chance < _COPIES:
            origin = rng.randrange(number)
            first = random.Random(_SEED * 100_003 + origin)
            wanted, _ = first.randint(150, 600), first.random()
            sections = _edited(rng, _body(first, _FIELD, wanted))
            lineage = f"made-{origin:05d}" if rng.random() < 0.5 else None
        else:
            sections = _body(rng, _OTHER if chance < _COPIES + _ELSEWHERE else _FIELD, length)
        text = _render(number, rng, sections, rng.random() < _DIGESTS, lineage)
        words += len(text.split())
        (folder / f"made-{number:05d}.md").write_text(text, "utf-8")
    return words


def main() -> int:
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    emit(f"{count} documents, {make_corpus(folder, count)} words in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
