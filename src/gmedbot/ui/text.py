"""Every string of the pages, in one place, so that wording is reviewed once and another language is one more table.

``t(key, **values)`` gives a string; the keys that begin with ``js.`` are sent to the browser. ``gr.I18n`` is not
used: it reaches only Gradio's own labels, of which these pages show none (docs/ui.md).
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["EN", "browser_strings", "count", "evidence_label", "kind_label", "t"]

EN: Mapping[str, str] = {
    "app.name": "gmedbot",
    "app.tagline": "The gluteus medius, from the sources",
    "app.title": "gmedbot – the gluteus medius, answered from sources",
    "app.notice": "For learning, not medical advice.",
    "app.linked": "Every sentence links to its source.",
    "nav.label": "Pages",
    "nav.chat": "Chat",
    "nav.explore": "Explore",
    "nav.anatomy": "Anatomy",
    "nav.skip": "Skip to the content",
    "nav.theme": "Colour theme: follow the device, light or dark",
    # chat page
    "chat.heading": "Ask about the gluteus medius",
    "chat.intro": "Answers quote {sources} word for word. Where sources agree you read it once; where they disagree "
    "you see both sides.",
    "chat.examples": "Questions to start with",
    "chat.region": "Conversation",
    "chat.question": "Your question",
    "chat.placeholder": "Ask a question…",
    "chat.send": "Ask",
    "chat.stop": "Stop",
    "chat.settings": "Answer settings",
    "chat.topics": "Topics",
    "chat.length": "Length",
    "chat.length.full": "Full",
    "chat.length.short": "Short",
    "chat.evidence": "Evidence",
    "chat.evidence.all": "All sources",
    "chat.evidence.studies": "Studies and reviews",
    "topic.anatomy": "Anatomy",
    "topic.function": "Function",
    "topic.exercises": "Exercises",
    "topic.injury": "Injury & care",
    "side.label": "Conversations",
    "side.new": "New conversation",
    "side.open": "Show conversations",
    "side.close": "Close",
    "side.private": "Kept in this browser only.",
    "side.clear": "Delete all",
    # one turn
    "turn.you": "You asked",
    "turn.answer": "Answer",
    "turn.edit": "Edit the question",
    "turn.read_as": "Read as",
    "turn.copy": "Copy the answer",
    "turn.retry": "Ask again",
    "turn.up": "Good answer",
    "turn.down": "Something is wrong",
    "turn.link": "Copy a link to this question",
    "turn.sources": "{sources}",
    "turn.suggestions": "Ask next",
    "turn.glossary": "Words used here",
    "turn.caution": "Take care",
    "turn.steps": "How to do it",
    "cite.name": "Source {n}: {label}, {kind}. Show the passage.",
    "cite.more": "Show {n} more sources",
    "status.agreed": "{n} independent sources agree",
    "status.disputed": "Sources disagree",
    "status.show": "Show the disagreement",
    "declined.title": "Not in my sources",
    # what a screen reader says when an answer is complete
    "say.done": "Answer complete: {summary}.",
    "say.counts": "{statements} from {sources}",
    "say.conflicts": "{counts}; the sources disagree on {points}",
    "say.declined": "Nothing was found in the sources for this question.",
    "say.then": "Below it: {summary}.",
    "error.title": "That did not work",
    "error.empty": "Type a question first.",
    "error.long": "That question has {found} characters; {most} is the most. A question is short: cut it to what you "
    "want to know.",
    "error.internal": "The answer could not be made because of an error in the program. Your question is kept; try "
    "again, or ask in other words.",
    "error.record": "This answer was kept by another version of gmedbot and cannot be shown. Ask again to see it.",
    # conflict, chart, safety
    "conflict.title": "Sources disagree",
    "conflict.about": "{attribute}",
    "conflict.side": "View {letter}",
    "conflict.better": "Better supported",
    "conflict.why_differ": "Why they differ",
    "conflict.why_better": "Weight of evidence",
    "conflict.neither": "Neither side is clearly better supported.",
    "conflict.type.value": "Different values",
    "conflict.type.polarity": "Opposite statements",
    "conflict.type.frequency": "Different frequencies",
    "conflict.type.anatomy": "Different anatomy",
    "conflict.type.recommendation": "Different advice",
    "conflict.type.outdated": "Older and newer view",
    "chart.title": "Values by study",
    "chart.note": "Bars start at zero; lines show ± 1 standard deviation where the study gives it.",
    "chart.label": "Measured",
    "chart.bar": "Bar",
    "chart.value": "Value",
    "chart.source": "Source",
    "safety.emergency": "Get emergency help now",
    "safety.urgent": "Get medical help soon",
    "safety.routine": "Worth having looked at",
    "figure.title": "On the figure",
    "figure.open": "Open the figure",
    # source panel
    "panel.label": "Sources",
    "panel.empty": "Choose a number in an answer to read its passage here.",
    "panel.all": "Sources of this answer",
    "panel.position": "Source {n} of {total}",
    "panel.back": "All sources",
    "panel.prev": "Previous source",
    "panel.next": "Next source",
    "panel.close": "Close the sources",
    "panel.passage": "The passage",
    "panel.quote": "Quoted",
    "panel.copy": "Copy quote",
    "panel.out": "Open the source",
    "panel.all_of_source": "All that this source says",
    "panel.also": "Also said by {others}",
    "panel.disputed": "Disputed by {others}",
    "panel.nobody": "No other source says this.",
    "panel.digest": "The text is gmedbot's digest of the source, in its own words.",
    "panel.gone": "This passage is not in the index that is loaded now ({index}). The quote is kept with the answer.",
    "panel.sample": "n = {n}",
    "panel.copy_of": "Repeats {label}; counted once",
    # trouble pages
    "missing.title": "gmedbot has no index to answer from",
    "missing.wanted": "What was needed",
    "missing.found": "What was found",
    "missing.run": "What to run",
    "missing.wait": "This page looks again by itself and opens the chat as soon as the index is there.",
    "gone.title": "There is no such page",
    "gone.text": "The address leads nowhere. The chat and the Explore page are where they were.",
    "gone.home": "Go to the chat",
}

_EXPLORE: Mapping[str, str] = {
    "explore.title": "Explore the sources",
    "explore.intro": "{sources}, {statements}; {agreed} said by more than one source, {disputed} disputed.",
    "explore.exercises": "Exercises",
    "explore.compare": "Compare",
    "explore.findings": "Findings",
    "explore.sources": "Sources",
    "explore.views": "Views",
    "exercise.chart": "Gluteus medius activity by exercise",
    "exercise.note": "Each dot is one study, its line ± 1 SD; the tick is the mean of the dots. %MVIC compares with a "
    "maximal effort, and studies differ in method: read a wide row as uncertain.",
    "exercise.filter": "Filter",
    "exercise.equipment": "Equipment",
    "exercise.position": "Position",
    "exercise.weight_bearing": "Weight-bearing",
    "exercise.any": "Any",
    "exercise.yes": "Weight-bearing",
    "exercise.no": "Not weight-bearing",
    "exercise.apply": "Show",
    "exercise.name": "Exercise",
    "exercise.mean": "Mean",
    "exercise.range": "Range",
    "exercise.studies": "Studies",
    "exercise.technique": "How to do it",
    "exercise.cautions": "Cautions",
    "exercise.none": "No exercise fits these filters.",
    "exercise.unmeasured": "No study in the corpus measured it.",
    "exercise.also": "Also called {names}",
    "exercise.back": "All exercises",
    "exercise.ask": "Ask about this exercise",
    "exercise.study": "Study",
    "exercise.sort": "Sort by {column}",
    "compare.title": "What the sources say about one thing",
    "compare.choose": "Choose an attribute to see who says what about it.",
    "compare.back": "All attributes",
    "compare.pick": "Attribute",
    "compare.note": "Rows that say the same stand together; strongest evidence first.",
    "compare.says": "What it says",
    "compare.group.agreed": "{n} independent sources agree",
    "compare.group.single": "One source",
    "compare.group.disputed": "Disputed",
    "compare.none": "No attribute has two sources yet.",
    "findings.title": "Findings by status",
    "findings.agreed": "Agreed",
    "findings.disputed": "Disputed",
    "findings.single": "One source only",
    "findings.none": "No finding has this status.",
    "findings.more": "Show {n} more",
    "findings.against": "Against it",
    "findings.back": "All findings",
    "findings.ask": "Ask about this",
    "sources.title": "Sources by kind and year",
    "sources.year": "Year",
    "sources.kind": "Kind",
    "sources.evidence": "Evidence",
    "sources.name": "Source",
    "sources.claims": "Statements",
    "sources.back": "All sources",
    "sources.undated": "no year",
    "sources.said": "What this source says",
    "anatomy.title": "The gluteus medius and its neighbours",
    "anatomy.intro": "Choose a part to see what it is and to ask about it. A drawing made for gmedbot: simplified, not to "
    "scale, right hip.",
    "anatomy.lateral": "From the side",
    "anatomy.posterior": "From behind",
    "anatomy.list": "Parts",
    "anatomy.ask": "Ask about it",
    "anatomy.none": "Choose a part of the figure.",
    "anatomy.sources": "From the sources",
    # maintainers
    "maintain.title": "Maintainers",
    "maintain.login": "Log in",
    "maintain.password": "Password",
    "maintain.wrong": "That is not the password.",
    "maintain.slow": "Too many wrong passwords. Wait a minute.",
    "maintain.logout": "Log out",
    "maintain.index": "Index and corpus",
    "maintain.builds": "Builds",
    "maintain.current": "in use",
    "maintain.conflicts": "Conflicts to review",
    "maintain.feedback": "Feedback",
    "maintain.unanswered": "Unanswered questions",
    "maintain.nothing": "Nothing here yet.",
    "maintain.kept": "Votes and unanswered questions are kept for {days} days, with a hash in place of the person.",
    "maintain.changed": "What the newest build says differently",
    "maintain.views": "Maintainers' pages",
    "maintain.overview": "Overview",
    "maintain.judge": "Judge them pair by pair",
}

_JUDGE: Mapping[str, str] = {
    "judge.title": "Disagreements",
    "judge.intro": "Pairs of sentences that the program says cannot both be right, the least certain first. What you "
    "save is kept in {file}, bound to these very words, and takes effect with the next {command}.",
    "judge.views": "Show",
    "judge.all": "All",
    "judge.open": "Not judged",
    "judge.judged": "Judged",
    "judge.aside": "Set aside",
    "judge.none": "No pair here.",
    "judge.more": "Show {n} more",
    "judge.pair": "{attribute}: {first} and {second}",
    "judge.no_attribute": "Two statements",
    "judge.reason": "The program's reason",
    "judge.reason.review": "The maintainer's reason",
    "judge.confidence": "How sure it is",
    "judge.sure": "Judged by a maintainer",
    "judge.not_held": "The loaded index holds nothing between these two.",
    "judge.said.agree": "The loaded index says that they agree.",
    "judge.conflict": "It is a conflict",
    "judge.agree": "They agree",
    "judge.different": "Different things",
    "judge.verdicts": "Your judgement",
    "judge.chosen": "(chosen)",
    "judge.note": "Note: why. Readers of a conflict see it as the reason.",
    "judge.state.open": "Not judged",
    "judge.state.waiting": "Waits for a build",
    "judge.state.done": "In effect",
    "judge.state.aside": "Set aside",
    "judge.line.waiting": "Judged: {label}. Takes effect with the next {command}.",
    "judge.line.done": "Judged: {label}. The loaded index was built with it.",
    "judge.line.aside": "Was judged: {label}. A sentence has changed since, so the judgement is not applied. Judge it again.",
    "judge.withdraw": "Withdraw the judgement",
    "judge.withdrawn": "Nobody's judgement of this pair is kept. What the loaded index holds of it stays until the next "
    "{command}.",
    "judge.in_group": "It was judged as part of a dispute or a group; what you save here goes before that. To take that "
    "back, edit its row in {file}: it speaks of other pairs too.",
    "judge.by_hand": "This pair is judged only as part of a dispute or a group. That row of {file} speaks of other pairs "
    "too, so it is edited by hand.",
    "judge.lost": "Judgements whose sentence is gone",
    "judge.lost.intro": "The index does not hold these sentences any more, or holds them in other words. The judgements "
    "stay in {file} and are not applied. {command} takes one back.",
    "judge.lost.pair": "{label}, with {other}",
    "judge.elsewhere": "Judging is possible only where gmedbot is served on this machine alone (127.0.0.1) and opened "
    "on it, through no proxy. Anywhere else: {command}.",
    "judge.packaged": "The corpus that came with the package is not written to: an update would undo it. Copy it first, "
    "with {command}, then build and start gmedbot in the same folder.",
    "judge.no_label": "Choose one of the three judgements.",
    "judge.long": "That note has {found} characters; {most} is the most.",
    "judge.gone": "A sentence of this pair is not in the index that is loaded now. Open the page anew.",
    "judge.changed": "This pair was judged, or its text changed, after you opened it: look at it as it stands now. Your "
    "judgement is not saved and your note is still here; press again to save it in place of the other.",
    "judge.changed_withdraw": "This pair was judged otherwise, or its text changed, after you opened it: look at it as it "
    "stands now. Nothing was withdrawn; press again to withdraw it all the same.",
    "judge.expired": "You are not logged in any more, so nothing was saved. Keep your note, log in again and open the "
    "page anew.",
    "judge.failed": "The server did not answer as it should; nothing is known to be saved. Your note is still here.",
    "judge.back": "Back to the list",
}

_BROWSER: Mapping[str, str] = {
    "js.searching": "Looking in the sources…",
    "js.print_sources": "Sources and quotes",
    "js.stopped": "Stopped. What had arrived is kept.",
    "js.stopped_early": "Stopped before anything arrived.",
    "js.lost": "The connection to the server was lost before the answer was complete.",
    "js.offline": "The server does not answer. Is it still running?",
    "js.retry": "Try again",
    "js.copied": "Copied.",
    "js.copy_failed": "The browser did not allow copying.",
    "js.link_copied": "Link copied.",
    "js.new_title": "New conversation",
    "js.rename": "Rename",
    "js.delete": "Delete",
    "js.name": "Name of the conversation",
    "js.deleted": "Conversation deleted.",
    "js.undo": "Undo",
    "js.clear_sure": "Delete all conversations kept in this browser?",
    "js.full": "The browser's storage is full: the oldest conversations were removed.",
    "js.no_storage": "This browser does not keep conversations: they end with the page.",
    "js.save": "Save",
    "js.cancel": "Cancel",
    "js.edit_label": "Edit the question; what follows it is removed",
    "js.empty": "Type a question first.",
    "js.long": "That question has {found} characters; {most} is the most.",
    "js.reason_title": "What is wrong?",
    "js.reason.wrong": "Wrong",
    "js.reason.wrong-source": "Wrong source",
    "js.reason.missing": "Something missing",
    "js.reason.unclear": "Unclear",
    "js.reason.other": "Other",
    "js.thanks": "Thank you. Your vote stays on this server.",
    "js.unvoted": "Vote removed.",
    "js.vote_failed": "The vote could not be kept.",
    "js.export": "Save the conversation",
    "js.export.md": "Markdown",
    "js.export.html": "HTML page",
    "js.export.json": "JSON (can be verified)",
    "js.export.print": "Print or PDF",
    "js.export_failed": "The file could not be made.",
    "js.passage_failed": "The passage could not be fetched; the quote is kept with the answer.",
    "js.theme.auto": "Theme: as the device",
    "js.theme.light": "Theme: light",
    "js.theme.dark": "Theme: dark",
    "js.settings_all": "All topics, full answers, all sources",
    "js.today": "Today",
    "js.earlier": "Earlier",
    "js.older": "Older",
    "js.actions": "Actions for {title}",
}

_KINDS: Mapping[str, str] = {
    "emg-study": "EMG study",
    "randomised-trial": "Randomised trial",
    "systematic-review": "Systematic review",
}

_EVIDENCE: Mapping[str, str] = {
    "lay": "Lay text",
    "expert": "Expert text",
    "study": "Study",
    "trial": "Trial",
    "synthesis": "Synthesis of studies",
}

_ALL: Mapping[str, str] = {**EN, **_EXPLORE, **_JUDGE, **_BROWSER}


def t(key: str, **values: object) -> str:
    """The string of a key, with its values filled in. Raises: KeyError for a key that does not exist."""
    return _ALL[key].format(**values) if values else _ALL[key]


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 source", "3 sources"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def kind_label(kind: str) -> str:
    """The kind of a source in words: "emg-study" → "EMG study"."""
    return _KINDS.get(kind) or kind.replace("-", " ").capitalize()


def evidence_label(evidence: str) -> str:
    """The level of evidence in words."""
    return _EVIDENCE.get(evidence, evidence.capitalize())


def browser_strings() -> dict[str, str]:
    """The strings that the page's scripts show, without their ``js.`` prefix."""
    return {key.removeprefix("js."): value for key, value in _BROWSER.items()}
