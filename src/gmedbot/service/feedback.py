"""Votes and unanswered questions, kept in a database for the maintainers and removed when they are old.

No personal data: a client is the salted hash of a random name that its browser made up, and the salt never leaves
the database. Any SQLAlchemy URL will do; the default is a SQLite file beside the index.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Literal

from sqlalchemy import DateTime, Engine, String, Text, UniqueConstraint, create_engine, delete, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from gmedbot.errors import StorageError
from gmedbot.settings import Settings

__all__ = ["REASONS", "FeedbackStore", "Unanswered", "Vote", "feedback_url", "without_names"]

REASONS = ("wrong", "wrong-source", "missing", "unclear", "other")
Value = Literal["up", "down"]


class _Base(DeclarativeBase):
    pass


class _Meta(_Base):
    __tablename__ = "meta"
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(200))


class _Vote(_Base):
    __tablename__ = "votes"
    __table_args__ = (UniqueConstraint("client", "turn"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    client: Mapped[str] = mapped_column(String(24))
    turn: Mapped[str] = mapped_column(String(64))
    value: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(String(24), default="")
    question: Mapped[str] = mapped_column(Text)
    passages: Mapped[str] = mapped_column(Text, default="")
    index_id: Mapped[str] = mapped_column(String(80), default="")
    at: Mapped[datetime] = mapped_column(DateTime)


class _Unanswered(_Base):
    __tablename__ = "unanswered"
    id: Mapped[int] = mapped_column(primary_key=True)
    question: Mapped[str] = mapped_column(Text)
    index_id: Mapped[str] = mapped_column(String(80), default="")
    at: Mapped[datetime] = mapped_column(DateTime)


@dataclass(frozen=True)
class Vote:
    """One person's opinion of one answer."""

    value: str
    reason: str
    question: str
    passages: tuple[str, ...]
    index_id: str
    at: datetime
    client: str = ""


@dataclass(frozen=True)
class Unanswered:
    """A question that the sources could not answer, how often it was asked, and when last."""

    question: str
    times: int
    last: datetime


def feedback_url(settings: Settings) -> str:
    """The database's address: the setting, else a file beside the index (not in it: a rebuild must not lose it)."""
    if settings.feedback_url:
        return settings.feedback_url
    return f"sqlite:///{(Path(settings.index) / 'feedback.sqlite').as_posix()}"


#: What tells who somebody is, as people write it about themselves, and what is kept in its place.
_PERSONAL = (
    (re.compile(r"\S+@\S+\.\w+"), "[e-mail]"),
    (re.compile(r"(?:https?://|www\.)\S+"), "[address]"),
    (re.compile(r"\b\d{1,4}[./-]\d{1,2}[./-]\d{2,4}\b"), "[date]"),
    (re.compile(r"\+?\(?\d(?:[\s()./-]*\d){6,}"), "[number]"),
    (
        re.compile(
            r"((?i:\b(?:my name is|my name's|name:|i am called|call me|i am|i'm|this is|here is|regards,?|signed,?)) +)"
            r"((?:(?:Mr|Mrs|Ms|Dr|Miss)\.? +)?[A-Z][\w'’-]+(?: +[A-Z][\w'’-]+)*)"
        ),
        r"\1[name]",
    ),
    (re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.? +[A-Z][\w'’-]+(?: +[A-Z][\w'’-]+)*"), "[name]"),
)


def without_names(text: str) -> str:
    """A question without what tells who asked it: addresses, telephone and other long numbers, dates, names.

    Names are found where they are introduced ("my name is …", "Dr …"), not wherever they may stand: the retention setting
    is what bounds the rest.
    """
    for pattern, instead in _PERSONAL:
        text = pattern.sub(instead, text)
    return text


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(tzinfo=None)


class FeedbackStore:
    """The votes. Every method opens its own session, so it may be used from any thread.

    Args:
        url: SQLAlchemy address.  days: how long anything is kept.
    Raises: StorageError where the database cannot be opened.
    """

    def __init__(self, url: str, days: int) -> None:
        self._days = days
        try:
            if url.startswith("sqlite:///") and ":memory:" not in url:
                Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
            self._engine: Engine = create_engine(url)
            _Base.metadata.create_all(self._engine)
            self._salt = self._read_salt()
            self.forget_old()
        except (SQLAlchemyError, OSError) as error:
            raise StorageError(
                "a database for votes", f"{type(error).__name__}: {error}", "set feedback_url (docs/settings.md)"
            ) from error

    def _read_salt(self) -> str:
        with Session(self._engine) as session, session.begin():
            row = session.get(_Meta, "salt")
            if row is None:
                row = _Meta(key="salt", value=secrets.token_hex(16))
                session.add(row)
            return row.value

    def client_hash(self, name: str) -> str:
        """What stands for a client in the database; it cannot be turned back."""
        return hashlib.sha256(f"{self._salt}:{name}".encode()).hexdigest()[:16]

    def vote(
        self,
        client: str,
        turn: str,
        value: Value | None,
        *,
        question: str,
        reason: str = "",
        passages: Sequence[str] = (),
        index_id: str = "",
    ) -> None:
        """Keep a vote in place of an earlier one of the same person on the same answer; None takes it back."""
        hashed = self.client_hash(client)
        with Session(self._engine) as session, session.begin():
            row = session.scalar(select(_Vote).where(_Vote.client == hashed, _Vote.turn == turn))
            if value is None:
                if row is not None:
                    session.delete(row)
                return
            if row is None:
                row = _Vote(client=hashed, turn=turn)
                session.add(row)
            row.value = value
            row.reason = reason if reason in REASONS and value == "down" else ""
            row.question, row.index_id, row.at = without_names(question[:4000]), index_id[:80], _now()
            row.passages = "\n".join(passages)[:8000]

    def add_unanswered(self, question: str, index_id: str) -> None:
        """Keep a question that was declined, with nothing about who asked."""
        with Session(self._engine) as session, session.begin():
            session.add(_Unanswered(question=without_names(question[:4000]), index_id=index_id[:80], at=_now()))

    def votes(self, limit: int = 200) -> tuple[Vote, ...]:
        """The latest votes, newest first."""
        with Session(self._engine) as session:
            rows = session.scalars(select(_Vote).order_by(_Vote.at.desc(), _Vote.id.desc()).limit(limit))
            return tuple(
                Vote(r.value, r.reason, r.question, tuple(r.passages.split("\n")) if r.passages else (), r.index_id,
                     r.at, r.client)
                for r in rows
            )  # fmt: skip

    def unanswered(self, limit: int = 200) -> tuple[Unanswered, ...]:
        """Questions that were declined, most often asked first."""
        key = func.lower(func.trim(_Unanswered.question))
        query = (
            select(func.min(_Unanswered.question), func.count(), func.max(_Unanswered.at))
            .group_by(key)
            .order_by(func.count().desc(), func.max(_Unanswered.at).desc())
            .limit(limit)
        )
        with Session(self._engine) as session:
            return tuple(Unanswered(question, times, last) for question, times, last in session.execute(query))

    def forget_old(self) -> int:
        """Remove what is older than the retention. Returns how many rows went."""
        before = _now() - timedelta(days=self._days)
        gone = 0
        with Session(self._engine) as session, session.begin():
            for table in (_Vote, _Unanswered):
                ids = session.scalars(select(table.id).where(table.at < before)).all()
                if ids:
                    session.execute(delete(table).where(table.id.in_(ids)))
                gone += len(ids)
        return gone

    def close(self) -> None:
        """Give the database back."""
        self._engine.dispose()
