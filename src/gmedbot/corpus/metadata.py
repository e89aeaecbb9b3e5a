"""Who wrote a page, when and where: JSON-LD, citation and Open Graph tags, canonical address, DOI.

A page may say anything of itself, so every value is checked for its form and cleaned before it is kept; a value that
fails is left out and the maintainer fills it in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin, urlsplit

from gmedbot.corpus.cleaning import clean_line

__all__ = ["PageFacts", "doi_in", "page_facts", "year_in"]

_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"'<>&?#|{}\\^]+[^\s\"'<>&?#|{}\\^.,;:)\]]")
_YEAR = re.compile(r"\b(1[89]\d\d|20\d\d)\b")
_ARTICLES = (
    "article",
    "scholarlyarticle",
    "medicalscholarlyarticle",
    "newsarticle",
    "blogposting",
    "medicalwebpage",
    "webpage",
    "techarticle",
    "report",
    "review",
    "healthtopiccontent",
)


@dataclass(frozen=True)
class PageFacts:
    """What a document says of itself; None or empty where it does not say it."""

    title: str = ""
    authors: tuple[str, ...] = ()
    year: int | None = None
    container: str = ""
    doi: str | None = None
    url: str | None = None

    def filled(self, other: PageFacts) -> PageFacts:
        """These facts, and the other's where there are none."""
        return replace(
            self,
            title=self.title or other.title,
            authors=self.authors or other.authors,
            year=self.year or other.year,
            container=self.container or other.container,
            doi=self.doi or other.doi,
            url=self.url or other.url,
        )


def page_facts(tree: Any, url: str | None) -> PageFacts:
    """Facts of an HTML page, most reliable place first. Args: tree: lxml document; url: where it came from."""
    meta = _meta(tree)
    site = _site(url)
    found = _from_citation(meta).filled(_from_json(tree)).filled(_from_tags(tree, meta))
    canonical = _canonical(tree, meta, url)
    title = _without_site(found.title, found.container or site)
    headings = {" ".join(node.text_content().split()).casefold() for node in tree.iter("h1", "h2")}
    title = next((part for part in _parts_of(title) if part.casefold() in headings), title)
    return replace(
        found,
        title=title,
        container=found.container or site,
        doi=found.doi or _doi_of_page(tree, meta),
        url=canonical,
    )


def doi_in(text: str) -> str | None:
    """The first DOI of a text, bare and in lower case."""
    match = _DOI.search(text)
    return match.group().lower() if match else None


def year_in(text: str) -> int | None:
    """The first plausible year of publication of a date."""
    match = _YEAR.search(text)
    return int(match.group()) if match and 1800 <= int(match.group()) <= 2100 else None


def _meta(tree: Any) -> Mapping[str, list[str]]:
    """name, property or itemprop of each meta tag in lower case → its contents."""
    found: dict[str, list[str]] = {}
    for node in tree.iter("meta"):
        name = (node.get("name") or node.get("property") or node.get("itemprop") or "").casefold()
        content = (node.get("content") or "").strip()
        if name and content:
            found.setdefault(name, []).append(content)
    return found


def _first(meta: Mapping[str, list[str]], *names: str) -> str:
    return next((clean_line(meta[name][0]) for name in names if name in meta), "")


def _from_citation(meta: Mapping[str, list[str]]) -> PageFacts:
    """Highwire and Dublin Core tags, which journals set for Google Scholar."""
    authors = [name for key in ("citation_author", "dc.creator", "dc.contributor.author") for name in meta.get(key, ())]
    journal = _first(meta, "citation_journal_title", "citation_conference_title", "prism.publicationname", "dc.source")
    volume, issue, page = (_first(meta, f"citation_{part}") for part in ("volume", "issue", "firstpage"))
    if journal and volume:
        journal += f" {volume}" + (f"({issue})" if issue else "") + (f":{page}" if page else "")
    return PageFacts(
        title=_first(meta, "citation_title", "dc.title", "bepress_citation_title"),
        authors=_people(authors),
        year=year_in(
            _first(
                meta,
                "citation_publication_date",
                "citation_date",
                "citation_year",
                "citation_online_date",
                "dc.date",
                "prism.publicationdate",
            )
        ),
        container=journal,
        doi=doi_in(_first(meta, "citation_doi", "dc.identifier", "prism.doi", "bepress_citation_doi")),
    )


def _from_json(tree: Any) -> PageFacts:
    """JSON-LD: the first entry that is an article or a page."""
    best = PageFacts()
    for node in tree.iter("script"):
        if (node.get("type") or "").casefold().strip() != "application/ld+json":
            continue
        try:
            data = json.loads(node.text_content() or "null", strict=False)
        except (ValueError, RecursionError):
            continue
        for entry in _entries(data, 0):
            best = best.filled(_entry_facts(entry))
    return best


def _entries(data: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    if depth > 4:
        return
    if isinstance(data, list):
        for item in data[:50]:
            yield from _entries(item, depth + 1)
    elif isinstance(data, dict):
        kinds = data.get("@type")
        names = [str(kind).casefold() for kind in (kinds if isinstance(kinds, list) else [kinds])]
        if any(name in _ARTICLES for name in names):
            yield data
        yield from _entries(data.get("@graph"), depth + 1)
        yield from _entries(data.get("mainEntity"), depth + 1)


def _entry_facts(entry: Mapping[str, Any]) -> PageFacts:
    authors = entry.get("author") or entry.get("creator") or ()
    people = [_name(item) for item in (authors if isinstance(authors, list) else [authors])]
    identifiers = [entry.get(key) for key in ("doi", "identifier", "sameAs", "@id")]
    dates = [str(entry.get(key) or "") for key in ("datePublished", "dateModified", "dateCreated")]
    container = _name(entry.get("isPartOf")) or _name(entry.get("publisher"))
    return PageFacts(
        title=clean_line(str(entry.get("headline") or entry.get("name") or "")),
        authors=_people([name for name in people if name]),
        year=next((year for year in map(year_in, dates) if year), None),
        container=clean_line(container, 120),
        doi=next((doi for value in identifiers if (doi := doi_in(json.dumps(value, ensure_ascii=False)))), None),
    )


def _name(value: Any) -> str:
    if isinstance(value, list):
        return _name(value[0]) if value else ""
    if isinstance(value, dict):
        return str(value.get("name") or "")
    return value if isinstance(value, str) and not value.startswith("http") else ""


def _from_tags(tree: Any, meta: Mapping[str, list[str]]) -> PageFacts:
    """Open Graph, common meta names, the first h1, rel=author, time elements, the title element."""
    heading = next(
        (" ".join(node.text_content().split()) for node in tree.iter("h1") if node.text_content().strip()), ""
    )
    title_node = tree.find(".//title")
    title = (
        _first(meta, "og:title", "twitter:title")
        or clean_line(heading)
        or clean_line(title_node.text_content() if title_node is not None else "")
    )
    names = list(meta.get("author", ())) + [
        name for name in meta.get("article:author", ()) if not name.startswith("http")
    ]
    if not names:
        names = [
            " ".join(node.text_content().split())
            for node in tree.iter("a", "span", "div", "p")
            if node.get("rel") == "author"
            or node.get("itemprop") == "author"
            or "byline" in (node.get("class") or "").split()
            or "author-name" in (node.get("class") or "")
        ][:3]
    dates = [
        _first(
            meta,
            "article:published_time",
            "datepublished",
            "date",
            "pubdate",
            "dcterms.date",
            "article:modified_time",
            "og:updated_time",
            "last-modified",
        )
    ]
    dates += [node.get("datetime") or node.text_content() for node in tree.iter("time")][:3]
    dates += list(_stated_dates(tree))
    return PageFacts(
        title=title,
        authors=_people(names),
        year=next((year for year in map(year_in, dates) if year), None),
        container=_first(meta, "og:site_name", "application-name", "dc.publisher"),
    )


_STATED = re.compile(
    r"\b(?:page )?(?:last )?(?:updated|published|reviewed|modified|posted)(?: on|:)?\s[^.\n]{0,30}?\b(?:19|20)\d\d",
    re.IGNORECASE,
)


def _stated_dates(tree: Any) -> Iterator[str]:
    """Dates that the page shows its readers ("Last reviewed: 12 June 2023")."""
    for node in tree.iter("p", "span", "div", "small", "i", "em", "li", "td"):
        text = " ".join(" ".join(node.itertext()).split())
        if len(text) < 200 and (match := _STATED.search(text)):
            yield match.group()


def _people(names: list[str]) -> tuple[str, ...]:
    """Names as written, cleaned, each once; text that is no name (addresses, sentences) is left out."""
    found: dict[str, None] = {}
    for raw in names:
        for part in (
            re.split(r"\s*(?:;|\band\b|&|\s\|\s)\s*", clean_line(raw, 200))
            if "," not in raw or ";" in raw
            else _comma_names(clean_line(raw, 200))
        ):
            name = re.sub(r"^(?:by|written by|author:?|reviewed by)\s+", "", part.strip(), flags=re.IGNORECASE).strip(
                " ,.·|"
            )
            if (
                1 <= len(name.split()) <= 8
                and len(name) <= 80
                and re.search(r"[^\W\d]{2}", name)
                and not re.search(r"https?:|@|[<>{}\[\]]|\b(?:admin|editor|ignore|must|should)\b", name, re.IGNORECASE)
            ):
                found[name] = None
    return tuple(found)[:12]


_CREDENTIAL = re.compile(
    r"(?:[A-Z]{2,6}|Ph\.?D\.?|M\.?D\.?|D\.?P\.?T\.?|M\.?S\.?c?\.?|B\.?S\.?c?\.?|M\.?P\.?H\.?|Dr|Jr|Sr|Dip\w*|[A-Z]\w*-C|C\w*SCS)\.?(?:\s+[A-Z]{2,6})*"
)


def _comma_names(text: str) -> list[str]:
    """ "Smith, Jane" is one person; "Jane Smith, PT, DPT" too; "Jane Smith, Ann Lee" are two."""
    parts = [part.strip() for part in re.split(r",|\band\b|&", text) if part.strip()]
    if len(parts) == 2 and len(parts[0].split()) == 1 and len(parts[1].split()) <= 3:
        if re.fullmatch(r"(?:[A-Z]\.?[ -]?){1,3}", parts[1]):
            return [f"{parts[0]} {parts[1]}"]
        if not _CREDENTIAL.fullmatch(parts[1]):
            return [f"{parts[1]} {parts[0]}"]
    return [part for part in parts if not _CREDENTIAL.fullmatch(part)]


def _canonical(tree: Any, meta: Mapping[str, list[str]], url: str | None) -> str | None:
    """The address to cite: the canonical link if it is whole, of http(s) and of the page's own site, else the address."""
    links = [
        node.get("href")
        for node in tree.iter("link")
        if (node.get("rel") or "").casefold() == "canonical" and node.get("href")
    ]
    for candidate in [*links, *meta.get("og:url", ()), *meta.get("citation_public_url", ())]:
        whole: str = urljoin(url, candidate) if url else candidate
        if _is_address(whole) and (url is None or _domain(whole) == _domain(url)):
            return whole.split("#")[0]
    return url.split("#")[0] if url and _is_address(url) else None


def _is_address(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return (
        bool(re.fullmatch(r"https?://[^\s<>\"'\\`{}|]{3,500}", url))
        and "." in host
        and not re.fullmatch(r"[\d.]+", host)
    )


def _domain(url: str) -> str:
    try:
        return ".".join((urlsplit(url).hostname or "").split(".")[-2:])
    except ValueError:
        return ""


def _site(url: str | None) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.") if url else ""
    except ValueError:
        return ""


def _parts_of(title: str) -> list[str]:
    """The parts of "Glute release – Bodywork Studio"; a title without such a mark has none."""
    parts = re.split(r"\s+(?:[|»·•–—]|-)\s+", title)
    return parts if len(parts) > 1 else []


def _without_site(title: str, site: str) -> str:
    """A title without the name of the site at its end: "Gluteus medius | Example Clinic"."""
    parts = _parts_of(title)
    if parts:
        last, plain = re.sub(r"\W", "", parts[-1]).casefold(), re.sub(r"\W", "", site).casefold()
        if title.count("|") or (plain and (last in plain or plain in last or plain.startswith(last[:6]))):
            return title[: title.rindex(parts[-1])].rstrip(" |»·•–—-") or title
    return title


def _doi_of_page(tree: Any, meta: Mapping[str, list[str]]) -> str | None:
    """A DOI in the head of the page: a meta value, or a doi.org link labelled as the page's own."""
    for name, values in meta.items():
        if "doi" in name:
            for value in values:
                if doi := doi_in(value):
                    return doi
    for node in tree.iter("p", "div", "span", "li"):
        text: str = " ".join(node.text_content().split())
        if len(text) < 200 and re.match(r"(?:doi\b|https?://(?:dx\.)?doi\.org/10\.)", text, re.IGNORECASE):
            return doi_in(text)
    return None
