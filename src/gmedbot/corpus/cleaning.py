"""Text of any reader → Markdown that is safe to keep and worth to quote.

Three jobs, in this order. *Mend*: broken encodings, invisible characters, white space. *Disarm*: nothing of the text
may become live: no HTML, no image, no link, no heading that the page did not have. *Drop*: what the page says about
itself (cookies, newsletters, sharing, related posts, comments, reference lists) and what it says to a machine.

Every drop is counted and named, so that a maintainer sees in the preview what went.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import ftfy

from gmedbot.corpus.plain import disarm, is_to_machine

__all__ = ["HIDDEN", "Cleaned", "clean_line", "clean_markdown", "disarm", "is_own_line", "mend", "unbroken_lines"]

HIDDEN = re.compile(
    "[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
    "\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]"
)
_SPACE = re.compile(r"[ \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")

#: Lines of a page about itself. Each pattern must cover the line from its beginning.
_OWN_LINES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("cookie notice", r"(?:we|this (?:site|website|page)|our (?:site|website))(?: and our partners)? (?:also )?(?:use|uses|store|place)s? cookies|by (?:continuing|clicking|using)[^.]*\b(?:cookies|agree|consent)|"
         r"(?:accept|reject|manage|allow)(?: all)?(?: the)? (?:cookies|preferences|consent)|cookie (?:policy|settings|preferences|notice)|you can opt[- ]?out|we value your privacy|please refer to our privacy"),
        ("newsletter", r"(?:subscribe|sign[- ]?up|join|register)\b[^.]{0,60}\b(?:newsletter|mailing list|email|e-mail|updates|inbox|community|list|channel|patreon|free|today)|(?:get|receive)\b[^.]{0,50}\b(?:in|to) your inbox|"
         r"(?:enter )?your e-?mail(?: address)?(?: here)?\b|no spam|unsubscribe|subscribe(?: now| today)?\s*$|never miss|(?:our )?newsletter\s*$|you can subscribe|support .{3,40}\bto (?:stay|keep|continue|help)\b.*"),
        ("sharing", r"(?:share|pin|tweet|like|follow)(?: this| us| me| it| the)?(?: post| page| article)?(?: on| with| via|:|\s*$)|(?:facebook|twitter|x|linkedin|pinterest|whatsapp|instagram|youtube|tiktok|reddit|e-?mail|print|copy link)"
         r"(?:[\s|·•,/]+(?:facebook|twitter|x|linkedin|pinterest|whatsapp|instagram|youtube|tiktok|reddit|e-?mail|print|copy link))*\s*$|\d+\s+shares?\s*$|follow us\b"),
        ("navigation", r"(?:skip to (?:main )?content|back to top|menu|toggle (?:menu|navigation)|search(?: for)?:?|home|log ?in|sign in|sign out|my account|add to (?:cart|basket)|buy now|shop now|book (?:now|online|an appointment)|"
         r"contact us|about us|privacy policy|terms(?: (?:of use|and conditions|& conditions))?|sitemap|next(?: post| page| article)?|previous(?: post| page| article)?|prev|load more|view all|see all|show more|read more|learn more|continue reading|click here|jump to(?: recipe| section)?|"
         r"table of contents|contents|on this page|in this article|advertisements?|sponsored|ad|edit|print this page|download(?: pdf| now)?|play(?: video)?|watch(?: the)? video)[\s.:»›>→…]*$|"
         r"home\s*[»›>/|→].*|(?:[\w &'-]+\s*[»›→]\s*){2,}.*|(?:tags?|categories|category|filed under|posted in|tagged)\s*:.*"),
        ("dates and counts", r"(?:estimated )?(?:read(?:ing)?\s?time|time to read)\b.*|\d+\s*(?:min(?:ute)?s?)\s*read\b.*|(?:page )?(?:last )?(?:updated|modified|edited|published|posted|reviewed)(?: on| by|:)?\s+[^.]{0,40}\d{4}[^.]{0,40}$|"
         r"\d+\s+(?:comments?|views?|likes?|replies)\s*$|by\s+[A-Z][\w.'-]+(?: [A-Z][\w.'-]+){1,3}\s*(?:[|·,–-].*)?\d{4}.*$|(?:written|medically reviewed|reviewed|fact[- ]checked|edited|written or reviewed) by\b.{0,120}$"),
        ("legal", r"(?:copyright|©|\(c\))\s*(?:\d{4}|[A-Z]).*|.{0,80}\ball rights reserved\b.*|we comply with the honcode.*|(?:for trustworthy health|information: verify here\.?)$"),
        ("credits", r"(?:sources?|contributors?|credits?|photo(?: credit)?|image(?: credit| source)?|written by|illustrations?)\s*:\s.{0,200}$|\[?email[  ]protected\]?|[\w.+-]+@[\w-]+\.[\w.]+\s*$|(?:questions?|comments?|typos?)\?(?: \w+\?)*\s*$|(?:next review due|page last (?:reviewed|edited))\b.*|this (?:page|article) was last\b.*"),
        ("comments", r"(?:leave a (?:reply|comment)|post a comment|add a comment|cancel reply|reply\s*$|your email address will not be published.*|required fields are marked.*|save my name, email.*|notify me of.*|log in to (?:reply|comment).*|\w[\w .]{1,40} says:\s*$)"),
    )
)  # fmt: skip

#: A heading that opens a stretch about the page or its references: dropped up to the next heading of its level.
_OWN_SECTIONS = re.compile(
    r"(?:\W*)(?:(?:related|similar) (?:posts?|articles?|pages?|content|reading|topics|links|products|videos)|you (?:may|might) (?:also )?(?:like|enjoy|be interested in).*|more (?:from|like this|articles|posts|to read).*|recommended (?:for you|reading|articles|posts).*|"
    r"(?:read|see) (?:also|next)|popular (?:posts?|articles?)|recent (?:posts?|articles?|comments?)|latest (?:posts?|articles?|news)|featured (?:posts?|articles?|products?|videos?)|trending.*|"
    r"comments?(?:\s*\(\d+\))?|\d+ (?:comments?|responses?|thoughts? on.*)|leave a (?:reply|comment)|join the (?:discussion|conversation)|about the authors?|author(?: bio| information|s)?|meet the (?:author|team).*|share this.*|"
    r"follow us.*|newsletter.*|(?:subscribe|sign up)\b.*|stay (?:connected|in touch|updated|independent).*|support (?:us|our|this)\b.*|categories|tags|archives?|contact(?: us)?|get in touch.*|book (?:now|an appointment).*|our (?:services|products|locations|clinics)|"
    r"external links|navigation menu|site map|disclosures?|advertisements?|sponsors?|cookies?.*|privacy.*|acknowledge?ments?|funding|conflicts? of interests?|competing interests?|(?:author )?contributions?|ethics.*|data availability.*|"
    r"supplementary.*|orcid.*|rights and permissions|cite this.*|citation|how to cite.*|download.*|table of contents|contents)\s*:?\s*$",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"\W*(?:related|you (?:may|might)|more (?:from|like|articles|posts)|recommended|popular|recent|latest|featured|trending|comments?|leave a|join the|\d+ (?:comments?|thoughts?)|about the author)",
    re.IGNORECASE,
)
_REFERENCES = re.compile(
    r"\W*(?:references?|bibliography|sources?|works cited|literature(?: cited)?|further reading|notes and references|citations|footnotes)\s*:?\s*$",
    re.IGNORECASE,
)
_HEADING = re.compile(r"(#{1,6})\s+(.*\S)\s*$")


@dataclass
class Cleaned:
    """Markdown, and what was left out of it: name → how many lines or sentences."""

    text: str
    dropped: Counter[str] = field(default_factory=Counter)


def mend(text: str) -> str:
    """Right encoding, no invisible characters, plain spaces. Letters, numbers and signs stay as they are."""
    config = ftfy.TextFixerConfig(
        uncurl_quotes=False, fix_character_width=False, unescape_html=False, normalization="NFC"
    )
    fixed = ftfy.fix_text(text.replace("\r\n", "\n").replace("\r", "\n"), config)
    fixed = fixed.replace("\u2028", "\n").replace("\u2029", "\n\n").replace("\x0c", "\n").replace("\x85", "\n")
    fixed = HIDDEN.sub("", fixed)
    return "\n".join(
        _SPACE.sub(" ", line).rstrip() if not line.startswith(" ") else line.rstrip() for line in fixed.split("\n")
    )


def clean_line(text: str, limit: int = 300) -> str:
    """One line for the front matter: mended, disarmed, without sentences to machines, cut at a word."""
    plain = " ".join(disarm(mend(text)).split()).strip("#*_ ")
    if is_to_machine(plain):
        plain = " ".join(part for part in re.split(r"(?<=[.!?;:|])\s+", plain) if not is_to_machine(part))
    return plain if len(plain) <= limit else plain[:limit].rsplit(" ", 1)[0] + " …"


def clean_markdown(text: str, title: str = "", is_flat: bool = False) -> Cleaned:
    """Clean the Markdown that a reader made (headings ``#``, items ``- ``, tables ``|``, blank lines between blocks).

    Args: title: of the page; a heading that repeats it is dropped, because the file gets its own. is_flat: the levels
    of headings are a guess (plain text), so a closing section such as "Related posts" goes on to the end.
    """
    dropped: Counter[str] = Counter()
    out: list[str] = []
    skip_level = 0
    reason = ""
    whole = max(1, len(text))
    for block in _blocks(disarm(mend(text))):
        heading = _HEADING.match(block)
        if heading is not None:
            level, name = len(heading.group(1)), heading.group(2).strip("#*_: ")
            if skip_level < 0 or (skip_level and level > skip_level):
                continue
            skip_level = 0
            if _REFERENCES.match(name) or _OWN_SECTIONS.match(name):
                skip_level = level
                if is_flat and _TAIL.match(name) and sum(map(len, out)) > 0.4 * whole:
                    skip_level = -1
                dropped["reference list" if _REFERENCES.match(name) else f"section: {name[:40]}"] += 1
            elif name.casefold() == title.casefold() or (_same(name, title) and not out) or (reason := own_line(name)):
                if reason:
                    dropped[reason] += 1
            elif name and not is_to_machine(name):
                out.append(f"{'#' * min(max(level, 2), 6)} {name}")
            continue
        if skip_level:
            continue
        kept = _clean_block(block, dropped)
        if kept:
            out.append(kept)
    return Cleaned(_joined(_without_empty_headings(out)), dropped)


def _blocks(text: str) -> Iterator[str]:
    """Headings alone; paragraphs, lists and tables as they stand between blank lines."""
    for part in re.split(r"\n\s*\n", text):
        lines: list[str] = []
        for line in part.split("\n"):
            if _HEADING.match(line):
                if lines:
                    yield "\n".join(lines)
                lines = []
                yield line
            else:
                lines.append(line)
        if any(line.strip() for line in lines):
            yield "\n".join(lines)


def _clean_block(block: str, dropped: Counter[str]) -> str:
    kept: list[str] = []
    for line in block.split("\n"):
        bare = re.sub(r"^\s*(?:[-*+•]|\d{1,2}[.)])\s+", "", line).strip()
        if not bare:
            continue
        reason = own_line(bare)
        if reason:
            dropped[reason] += 1
            continue
        if is_to_machine(line):
            parts = re.split(r"(?<=[.!?])\s+", line)
            good = [part for part in parts if not is_to_machine(part)]
            dropped["addressed to a machine"] += len(parts) - len(good)
            line = " ".join(good)
        if line.strip():
            kept.append(line.rstrip())
    return "\n".join(kept)


def is_own_line(text: str) -> bool:
    """Whether a line speaks of the page and not of its subject."""
    return bool(own_line(text))


def own_line(text: str) -> str:
    """What a line about the page itself is; "" for a line about the subject."""
    return next((name for name, pattern in _OWN_LINES if len(text) < 400 and pattern.match(text)), "")


def _same(a: str, b: str) -> bool:
    first, second = (re.sub(r"\W+", " ", text).casefold().strip() for text in (a, b))
    return bool(first) and (first == second or (len(first) > 8 and second.startswith(first)))


def _without_empty_headings(blocks: list[str]) -> list[str]:
    """A heading followed by one of its own or a higher level, or by nothing, names nothing."""
    kept: list[str] = []
    below = 7  # level of the next heading after this place; 0 once there is text
    has_text = False
    for block in reversed(blocks):
        heading = _HEADING.match(block)
        if heading is None:
            kept.append(block)
            has_text = True
            below = 7
            continue
        level = len(heading.group(1))
        if has_text or (below > level and below != 7):
            kept.append(block)
            below, has_text = level, False
    return kept[::-1]


def _joined(blocks: list[str]) -> str:
    return "\n\n".join(blocks).strip() + "\n" if blocks else ""


def unbroken_lines(text: str) -> str:
    """Join lines that were broken for the width of a page, and words that were cut at a line end."""
    text = re.sub(r"(?<=[a-z])-\n(?=[a-z])", "", text)
    out: list[str] = []
    for line in text.split("\n"):
        bare = line.strip()
        is_own = not bare or re.match(r"(?:[-*+•▪◦]|\d{1,2}[.)])\s|#|\|", bare)
        if out and out[-1] and not is_own and not out[-1].startswith(("#", "|")):
            out[-1] += " " + bare
        else:
            out.append(bare)
    return "\n".join(out)
