"""The views: what an answer becomes on the page, and that nothing of a source's text becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from gmedbot.types import Answer, Citation, Safety, Statement
from gmedbot.ui.anatomy import PARTS, parts_in
from gmedbot.ui.ledger import Ledger
from gmedbot.ui.stream import finished
from gmedbot.ui.text import count, t
from gmedbot.ui.views.answer import MAX_STATES, answer_blocks, answer_states
from gmedbot.ui.views.chart import axis_top, bar_charts, number
from gmedbot.ui.views.cite import safe_url
from gmedbot.ui.views.exercises import exercise_list, matches, mean
from gmedbot.ui.views.explore import compare_view, finding_list, source_table
from gmedbot.ui.views.figure import figure
from gmedbot.ui.views.html import el
from gmedbot.ui.views.panel import highlighted, source_list, source_view
from gmedbot.ui.views.prose import prose
from tests.ui.fake import EVIL, EXERCISES, FINDINGS, LIBRARY, REMARK, SOURCES, FakeBot

pytestmark = pytest.mark.core

BOT = FakeBot()
NERVE = BOT.ask("Which nerve supplies it?")
ACTIVATION = BOT.ask("Which exercise activates it most?")


class Tags(HTMLParser):
    """What a browser would make of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


def html_of(answer: Answer) -> str:
    return "".join(answer_blocks(answer, BOT.source))


def test_el_escapes_texts_and_attributes_but_not_its_own_elements() -> None:
    made = el("p", "<b>&", el("i", '"'), title='"><script>')
    assert made == '<p title="&#34;&gt;&lt;script&gt;">&lt;b&gt;&amp;<i>&#34;</i></p>'


@pytest.mark.parametrize("question", ["nerve", "exercise", "how", "compare", "numb", "weather", "hello", "nerv"])
def test_no_answer_lets_a_text_become_markup(question: str) -> None:
    answer = replace(BOT.ask(question), question=EVIL, standalone_question=EVIL + " now")
    statements = tuple(replace(s, text=s.text + EVIL) for s in answer.statements)
    made = html_of(replace(answer, statements=statements)) + str(source_list(answer, BOT.source))
    read = Tags()
    read.feed(made)
    assert not read.tags & {"img", "script", "iframe", "form", "style"}
    assert not [name for name in read.attributes if name.startswith("on")]


def test_states_grow_to_the_whole_answer_in_few_steps() -> None:
    states = list(answer_states(ACTIVATION, BOT.source))
    assert states[-1] == answer_blocks(ACTIVATION, BOT.source)
    assert 5 <= len(states) <= MAX_STATES + 1
    sizes = [sum(map(len, state)) for state in states]
    assert sizes == sorted(sizes)


def test_a_long_answer_still_comes_in_few_states() -> None:
    many = replace(NERVE, statements=NERVE.statements * 30, conflicts=())
    assert len(list(answer_states(many, BOT.source))) <= MAX_STATES + 1


def test_every_citation_is_a_button_with_a_name_and_its_quote() -> None:
    made = html_of(NERVE)
    assert made.count('class="gm-cite"') == 3 + 1 + 1 + 2
    assert 'aria-label="Source 1: Gray 1918, Textbook. Show the passage."' in made
    assert f'data-quote="{NERVE.citations[0].quote}"' in made


def test_agreement_and_disagreement_are_said_in_words() -> None:
    made = html_of(NERVE)
    assert "2 independent sources agree" in made
    assert 'data-conflict="0"' in made and "Sources disagree" in made


def test_a_conflict_shows_both_sides_why_they_differ_and_which_is_better_supported() -> None:
    made = html_of(NERVE)
    assert made.count('class="gm-sidebox') == 2
    assert made.count("Better supported") == 1
    assert "root sets differ" in made and "A dissection study outweighs" in made


def test_a_conflict_without_a_winner_says_so() -> None:
    assert t("conflict.neither") in html_of(ACTIVATION)


def test_the_safety_card_leads() -> None:
    blocks = answer_blocks(BOT.ask("numb"), BOT.source)
    assert "gm-safety is-emergency" in blocks[0]


def test_a_declined_answer_says_so_and_does_not_repeat_its_suggestions() -> None:
    answer = BOT.ask("What is the weather?")
    text = answer.answer + "\n\nYou could ask:\n- " + answer.suggestions[0]
    made = html_of(replace(answer, answer=text))
    assert t("declined.title") in made
    assert made.count(answer.suggestions[0]) == 2  # the button's text and its data-ask
    assert "You could ask" not in made


def test_the_verdict_of_a_yes_no_answer_stands_before_its_lead() -> None:
    lead = NERVE.statements[0]
    answer = replace(NERVE, answer=f"**Yes.** {lead.text} [1]", shape="yes-no", verdict="Yes.")
    assert '<strong class="gm-verdict">Yes.</strong>' in html_of(answer)
    assert "gm-verdict" not in html_of(NERVE)


def test_the_lead_of_a_how_to_is_its_first_step() -> None:
    answer = BOT.ask("how")
    answer = replace(answer, statements=(Statement("Lie down.", (1,), role="lead"), *answer.statements))
    made = html_of(answer)
    assert made.count('<ol class="gm-steps">') == 1 and "<li>Lie down." in made


def test_a_remark_is_said_once_above_the_answer() -> None:
    for question in ("Welcher Nerv?", "Wie wird das Wetter?"):
        made = html_of(BOT.ask(question))
        assert made.startswith('<p class="gm-remark">') and made.count(REMARK) == 1
    assert "gm-remark" not in html_of(NERVE)


def test_a_safety_card_stands_before_the_remark() -> None:
    blocks = answer_blocks(replace(BOT.ask("numb"), remark=REMARK), BOT.source)
    assert "gm-safety" in blocks[0] and "gm-remark" in blocks[1]


def test_an_emergency_without_an_answer_is_not_called_declined() -> None:
    answer = BOT.ask("numb")
    assert answer.safety is not None
    bare = replace(answer, shape="decline", answer=f"**{answer.safety.message}**\n\n{REMARK}", remark=REMARK)
    assert t("declined.title") not in html_of(bare)
    assert t("declined.title") in html_of(replace(bare, answer=bare.answer + "\n\nI could not find that."))


def test_a_greeting_is_answered_as_one_and_not_declined() -> None:
    answer = BOT.ask("hello")
    made = html_of(answer)
    assert '<div class="gm-greeting"><p>Hello! I answer questions' in made
    assert t("declined.title") not in made and "You could ask" not in made
    assert made.count("data-ask=") == 2
    assert finished(answer, BOT)["say"].startswith("Answer complete: Hello!")  # what a screen reader hears


def test_how_the_question_was_read_is_shown_only_if_it_was_changed() -> None:
    assert t("turn.read_as") in html_of(replace(NERVE, question="and it?", standalone_question="And the nerve?"))
    assert t("turn.read_as") not in html_of(NERVE)


def test_charts_start_at_zero_and_each_unit_has_its_own() -> None:
    named = {c.n: (c, "x") for c in ACTIVATION.citations}
    (chart,) = bar_charts(ACTIVATION.chart, named)
    widths = [float(w) for w in re.findall(r'gm-bar" style="width:([\d.]+)%', chart)]
    values = [point.value for point in ACTIVATION.chart]
    assert widths == pytest.approx([100 * v / 140 for v in values], abs=0.01)
    other = replace(ACTIVATION.chart[0], unit="N")
    assert len(list(bar_charts((*ACTIVATION.chart, other), named))) == 2


def test_the_axis_ends_at_a_round_number_above_the_highest_value() -> None:
    assert [axis_top(x) for x in (0, 0.9, 101, 123, 155, 16)] == [1, 1, 120, 140, 160, 16]
    assert number(64.0) == "64" and number(0.255) == "0.26"


def test_only_web_addresses_become_links() -> None:
    assert safe_url("javascript:alert(1)") is None and safe_url("data:text/html,x") is None
    assert safe_url("https://doi.org/10.1/x") == "https://doi.org/10.1/x"


def test_prose_knows_paragraphs_lists_bold_and_markers_and_nothing_else() -> None:
    made = prose("One **two**\nthree [1]\n\n- a\n- b\n\n1. c\n<img src=x> [x](javascript:y)", lambda n: el("i", str(n)))
    assert made.startswith(
        "<p>One <strong>two</strong> three <i>1</i></p><ul><li>a</li><li>b</li></ul><ol><li>c</li></ol>"
    )
    assert "<img" not in made and "<a" not in made


def test_the_quoted_characters_are_marked_at_their_offsets() -> None:
    for claim in LIBRARY.claims.values():
        passage = LIBRARY.passages[claim.passage_id]
        made = highlighted(passage, claim.start, claim.end)
        assert f'<mark id="gm-mark" tabindex="-1">{el("x", claim.text)[3:-4]}</mark>' in made


def test_offsets_outside_the_passage_mark_nothing() -> None:
    passage = next(iter(LIBRARY.passages.values()))
    assert "<mark" not in highlighted(passage, passage.end + 5, passage.end + 9)


def test_the_panel_says_who_agrees_and_who_disputes() -> None:
    ledger = Ledger.read(BOT)
    claim = LIBRARY.claims["ward-2010.nerve.1"]
    assert ledger.claim_at(claim.passage_id, claim.start, claim.end) == claim
    others = ledger.others(LIBRARY.claims["gray-1918.nerve.0"])
    assert [source.source_id for source, _ in others.also] == ["ward-2010", "lay-page"]
    disputed = ledger.others(LIBRARY.claims["gray-1918.nerve.1"])
    assert [source.source_id for source, _ in disputed.against] == ["ward-2010"]
    source = ledger.sources["gray-1918"]
    made = source_view(LIBRARY.passages["gray-1918.nerve"], source, (0, 0), others)
    assert "Also said by 2 other sources" in made


def test_an_exercise_has_one_voice_for_each_study() -> None:
    by_name = {card.name: card for card in EXERCISES}
    assert mean(by_name["side-lying hip abduction"]) == pytest.approx(61.5)
    assert mean(by_name["lateral band walk"]) is None


def test_exercises_are_filtered_by_equipment_position_and_load() -> None:
    fitting = [card.name for card in EXERCISES if matches(card, {"position": "side-lying", "bearing": "no"})]
    assert fitting == ["side-lying hip abduction", "clam"]
    assert t("exercise.none") in exercise_list(EXERCISES, {}, {"equipment": "sledge"})


def test_explore_views_show_every_source_and_finding() -> None:
    ledger = Ledger.read(BOT)
    assert all(source.label in source_table(ledger) for source in ledger.sources.values())
    disputed = [f for f in FINDINGS if f.status == "disputed"]
    assert finding_list(ledger, "disputed").count("gm-findingcard") == len(disputed)
    assert "2 independent sources agree" in compare_view(ledger, BOT.attributes(), "nerve")


def test_parts_named_in_a_text_are_found() -> None:
    text = "The superior gluteal nerve runs above the piriformis to the anterior fibres."
    assert [p.part_id for p in parts_in(text)] == ["piriformis", "gmed-anterior", "superior-gluteal-nerve"]
    assert not parts_in("Side-lying hip abduction reached 81 %MVIC.")


def test_every_part_is_drawn_named_and_can_be_reached() -> None:
    for view in ("lateral", "posterior"):
        made = figure(view, {"piriformis"})
        shown = [p for p in PARTS if view in p.shapes]
        assert all(f'href="/anatomy?part={p.part_id}#gm-chosen"' in made for p in shown)
        assert made.count("<a ") == len(shown) and made.count('aria-current="true"') == 1


def test_an_answer_about_structure_has_a_figure_and_one_about_exercises_has_none() -> None:
    assert "gm-mini" in html_of(NERVE)
    assert "gm-mini" not in html_of(ACTIVATION)


def test_a_citation_without_a_known_source_still_has_a_name() -> None:
    lost = Citation(1, "gone", "A title", 2001, "emg-study", "study", None, "p", (), "Quote.", 0, 6)
    answer = Answer("q", "q", "answered", "Quote. [1]", (Statement("Quote.", (1,)),), (lost,))
    assert "A title 2001" in "".join(answer_blocks(answer, lambda _: None))


def test_safety_text_is_escaped() -> None:
    answer = replace(BOT.ask("numb"), safety=Safety("urgent", EVIL, "x"))
    assert "<img" not in html_of(answer)


def test_counts_read_as_english() -> None:
    assert [count(1, "source"), count(2, "source"), count(2, "study", "studies")] == [
        "1 source",
        "2 sources",
        "2 studies",
    ]


# --- several questions in one message -------------------------------------------------------------------------------


def of_two(first: Statement, *rest: Statement) -> Answer:
    """The nerve answer under a question, and ``rest`` after it."""
    return replace(NERVE, statements=(replace(first, asks="What does it do?"), *rest), conflicts=(), suggestions=())


def test_each_question_of_a_message_is_a_heading_above_its_own_lead() -> None:
    lead, _, other = NERVE.statements
    second = replace(lead, text="Second lead.", asks="Which <nerve> is it?")
    made = html_of(of_two(lead, other, second, other))
    headings = re.findall(r'<h3 class="gm-asked">(.*?)</h3>', made)
    assert headings == ["What does it do?", "Which &lt;nerve&gt; is it?"]
    assert made.count('<p class="gm-lead">') == 2 and made.count('<ul class="gm-points">') == 2
    assert "gm-asked" not in html_of(NERVE)
    order = [made.index(text) for text in (headings[0], lead.text, headings[1], "Second lead.")]
    assert order == sorted(order)


def test_questions_that_follow_at_once_keep_their_own_headings() -> None:
    lead = NERVE.statements[0]
    made = html_of(of_two(lead, replace(lead, text="Second.", asks="And then?")))
    assert made.index("What does it do?") < made.index(lead.text) < made.index("And then?") < made.index("Second.")


def test_each_question_has_its_own_verdict() -> None:
    lead = NERVE.statements[0]
    second = replace(lead, text="Second.", asks="Is it so?", verdict="No.")
    made = html_of(replace(of_two(lead, second), shape="yes-no"))
    assert re.findall(r'<strong class="gm-verdict">(.*?)</strong>', made) == ["No."]
    assert made.index("Is it so?") < made.index("No.</strong>") < made.index("Second.")


def test_a_correction_is_said_in_bold_before_the_first_heading() -> None:
    lead = NERVE.statements[0]
    opening = replace(lead, text="It abducts.", verdict="First, a correction:")
    asked = replace(lead, asks="What does it do?")
    made = html_of(replace(NERVE, statements=(opening, asked), conflicts=()))
    assert re.search(r'<p class="gm-lead"><strong class="gm-verdict">First, a correction:</strong> It abducts\.', made)
    assert made.index("It abducts.") < made.index('class="gm-asked"')


def test_steps_under_their_question_are_a_list_of_steps_from_the_first() -> None:
    lead = NERVE.statements[0]
    how = Statement("Lie down.", (1,), role="step", asks="How is it done?")
    made = html_of(of_two(lead, how, Statement("Lift the leg.", (1,), role="step")))
    (steps,) = re.findall(r'<ol class="gm-steps">(.*?)</ol>', made)
    assert steps.count("<li>") == 2 and "<li>Lie down." in steps and "<li>Lift the leg." in steps
    assert made.index("How is it done?") < made.index("Lie down.")


def test_a_how_to_first_does_not_make_steps_of_the_next_lead() -> None:
    how = Statement("Lie down.", (1,), role="step")
    second = replace(NERVE.statements[0], asks="Which nerve?")
    made = html_of(replace(of_two(how, second), shape="how-to"))
    assert made.count("<li>Lie down.") == 1 and made.count('class="gm-steps"') == 1
    assert f'<p class="gm-lead">{second.text}' in made


def test_a_correction_before_a_how_to_is_no_step_and_keeps_its_words() -> None:
    correction = replace(NERVE.statements[0], text="It abducts.", role="lead", verdict="First, a correction:")
    steps = (Statement("Lie down.", (1,), role="step"), Statement("Lift the leg.", (1,), role="step"))
    made = html_of(replace(NERVE, statements=(correction, *steps), conflicts=(), shape="how-to"))
    assert re.search(r'<p class="gm-lead"><strong class="gm-verdict">First, a correction:</strong> It abducts\.', made)
    (listed,) = re.findall(r'<ol class="gm-steps">(.*?)</ol>', made)
    assert listed.count("<li>") == 2 and "It abducts" not in listed and "<li>Lie down." in listed


def test_points_of_a_second_question_are_no_steps_of_the_first() -> None:
    steps = (Statement("Lie down.", (1,), role="step"), Statement("Lift the leg.", (1,), role="step"))
    second = replace(NERVE.statements[0], text="Second.", asks="And then?")
    made = html_of(replace(of_two(*steps, second, Statement("A point.", (1,))), shape="how-to"))
    (listed,) = re.findall(r'<ol class="gm-steps">(.*?)</ol>', made)
    assert listed.count("<li>") == 2 and "A point." not in listed
    assert '<ul class="gm-points"><li>A point.' in made


def test_a_statement_that_stands_beside_others_on_a_side_still_shows_its_card() -> None:
    statement = replace(NERVE.statements[0], citations=(3,), status="disputed")
    (card,) = NERVE.conflicts
    other = replace(card.sides[1], citations=(2,), also=(("Said otherwise.", (3,)),))
    first = replace(card.sides[0], citations=(1,))
    answer = replace(NERVE, statements=(statement,), conflicts=(replace(card, sides=(first, other)),))
    made = html_of(answer)
    assert 'data-conflict="0"' in made and "Said otherwise." in made


def test_an_answer_to_two_questions_grows_and_ends_whole() -> None:
    lead, _, other = NERVE.statements
    answer = of_two(lead, other, replace(lead, text="Second.", asks="And then?"))
    states = list(answer_states(answer, BOT.source))
    assert states[-1] == answer_blocks(answer, BOT.source)
    assert all(len(a) <= len(b) for a, b in pairwise(states))
    assert "And then?" not in "".join(states[0]) and "And then?" in "".join(states[-1])


@pytest.mark.parametrize(
    ("authors", "shown"),
    [
        (("Flack NAMS", "Nicholson HD"), "Flack 2014"),
        (("Unnamed author (yoga blog)",), "A title 2014"),
        (("author list not visible",), "A title 2014"),
        (("Wikipedia contributors",), "Wikipedia contributors 2014"),
        ((), "A container 2014"),
    ],
)
def test_a_source_without_a_named_author_goes_by_its_title(authors: tuple[str, ...], shown: str) -> None:
    source = replace(next(iter(SOURCES)), authors=authors, title="A title", container="A container", year=2014)
    assert source.label == shown
