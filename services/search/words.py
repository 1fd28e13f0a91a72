"""What a search text means: words, phrases, synonyms, typing errors and excerpts. Pure, without I/O.

A text becomes clauses, all of which must hold; a clause has alternatives, of which one must. Words are compared by their
stems, which the engine knows: here a stem is whatever its `Lexicon` says.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.chassis import errors

# More words than anybody means. The rest of a text is ignored.
MOST_WORDS = 16
# The longest word that is compared: what is longer is cut.
LONGEST_WORD = 60
# The most alternatives of a clause that synonyms and similar words add.
MOST_ALTERNATIVES = 12
MOST_SIMILAR = 3
# Between these the engine puts what matched in an excerpt. Texts of people have no control characters.
MATCH_BEGINS, MATCH_ENDS = "\x02", "\x03"

_WORD = re.compile(r"[^\W_]+")
_PART = re.compile(r'(-?)"([^"]*)"|(?:^|(?<=\s))(-)(?=[^\W_])|([^\s"]+)')


@dataclass(frozen=True, slots=True)
class Alternative:
    """Words that must all occur, in this order and next to each other if it is a phrase."""

    words: tuple[str, ...]
    phrase: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """One of the alternatives must hold, or none of them may when it is excluded. quoted: it is what was written, no more."""

    alternatives: tuple[Alternative, ...]
    excluded: bool = False
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Lexeme:
    """What is known of a word: its stem, whether a product has it (or it says nothing), and words like it, most alike first."""

    stem: str
    known: bool
    similar: tuple[str, ...] = ()


Lexicon = Mapping[str, Lexeme]


@dataclass(frozen=True, slots=True)
class Synonyms:
    """Terms that mean the same, each as its words; stems are the same terms by the stems of their words."""

    id: str
    terms: tuple[str, ...]
    stems: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Thesaurus:
    """All synonyms, by the stems of a term."""

    terms: Mapping[tuple[str, ...], tuple[Alternative, ...]] = field(default_factory=dict)
    longest: int = 0


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of an excerpt, and whether it matched."""

    text: str
    matched: bool


def folded(text: str) -> str:
    """The text in lower case and without accents: what looks the same to somebody in a hurry is the same."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text, folded."""
    return tuple(word[:LONGEST_WORD] for word in _WORD.findall(folded(text)))


def parsed(text: str) -> tuple[Clause, ...]:
    """The clauses of what somebody typed: a word each, a phrase where it is quoted, excluded after a minus sign."""
    clauses: list[Clause] = []
    room = MOST_WORDS
    minus = False
    for quoted_minus, quoted, sign, plain in _PART.findall(text):
        if sign:
            minus = True
            continue
        phrase = words_of(quoted)[:room]
        if phrase:
            clauses.append(Clause((Alternative(phrase, phrase=True),), excluded=bool(quoted_minus), quoted=True))
        single = words_of(plain)[:room]
        clauses += [Clause((Alternative((word,)),), excluded=minus) for word in single]
        room -= len(phrase) + len(single)
        minus = False
    return tuple(clauses)


def vocabulary(clauses: Sequence[Clause]) -> tuple[str, ...]:
    """The words of these clauses, each once."""
    return tuple(dict.fromkeys(word for clause in clauses for option in clause.alternatives for word in option.words))


def thesaurus(sets: Sequence[Synonyms]) -> Thesaurus:
    """All synonyms, to be looked up."""
    terms: dict[tuple[str, ...], tuple[Alternative, ...]] = {}
    for known in sets:
        options = tuple(_option(term) for term in known.terms)
        for stems in known.stems:
            if stems:
                terms[stems] = tuple(dict.fromkeys((*terms.get(stems, ()), *options)))
    return Thesaurus(terms, max(map(len, terms), default=0))


def expanded(clauses: Sequence[Clause], lexicon: Lexicon, known: Thesaurus) -> tuple[Clause, ...]:
    """The clauses with what means the same as alternatives. Of terms that overlap the longest counts, from the left."""
    result: list[Clause] = []
    at = 0
    while at < len(clauses):
        length, options = _longest(clauses[at:], lexicon, known)
        if not options:
            result.append(clauses[at])
            at += 1
            continue
        said = Alternative(tuple(clause.alternatives[0].words[0] for clause in clauses[at : at + length]))
        others = [option for option in options if option.words != said.words]
        result.append(Clause((said, *others[: MOST_ALTERNATIVES - 1])))
        at += length
    return tuple(result)


def _longest(clauses: Sequence[Clause], lexicon: Lexicon, known: Thesaurus) -> tuple[int, tuple[Alternative, ...]]:
    """The longest term with synonyms that these clauses begin with: how many clauses it takes, and what means the same."""
    stems: list[str] = []
    for clause in clauses[: known.longest]:
        if clause.excluded or clause.quoted:
            break
        word = clause.alternatives[0].words[0]
        stems.append(lexicon[word].stem if word in lexicon else word)
    for length in range(len(stems), 0, -1):
        if tuple(stems[:length]) in known.terms:
            return length, known.terms[tuple(stems[:length])]
    return 1, ()


def corrected(clauses: Sequence[Clause], lexicon: Lexicon) -> tuple[Clause, ...]:
    """The clauses with words that no product has, and that have no synonyms, replaced by similar ones, where there are some."""
    return tuple(_corrected(clause, lexicon) for clause in clauses)


def _corrected(clause: Clause, lexicon: Lexicon) -> Clause:
    """A clause of one unknown word with what it may have been meant to be."""
    word = _only_word(clause)
    found = lexicon.get(word)
    if clause.excluded or found is None or found.known:
        return clause
    close = [similar for similar in found.similar if distance(word, similar) <= allowed(word)]
    # Of words that are as far away, the one that is more alike stays first.
    close.sort(key=lambda similar: distance(word, similar))
    options = tuple(Alternative((similar,)) for similar in close[:MOST_SIMILAR])
    return replace(clause, alternatives=options) if options else clause


def closest(word: str, lexicon: Lexicon) -> str:
    """The word, or the most similar one if no product has it and there is one."""
    found = lexicon.get(word)
    if found is None or found.known:
        return word
    return min(found.similar, key=lambda similar: distance(word, similar), default=word)


def guessed(clauses: Sequence[Clause], lexicon: Lexicon) -> str:
    """A text in which each word that no product has is the most similar one; empty when there is nothing to change."""
    said = [written(clause) if clause.excluded else _guess(clause, lexicon) for clause in clauses]
    kept = [word for word in said if word]
    return " ".join(kept) if kept != [written(clause) for clause in clauses] else ""


def _guess(clause: Clause, lexicon: Lexicon) -> str:
    found = lexicon.get(_only_word(clause))
    if found is None or found.known:
        return written(clause)
    # A word that is like nothing is left out: with it, nothing can be found.
    return min(found.similar, key=lambda similar: distance(_only_word(clause), similar), default="")


def _only_word(clause: Clause) -> str:
    """The word of a clause that is one word, unquoted and without alternatives; else empty."""
    one = len(clause.alternatives) == 1 and len(clause.alternatives[0].words) == 1 and not clause.quoted
    return clause.alternatives[0].words[0] if one else ""


def written(clause: Clause) -> str:
    """A clause as somebody would type it, by its first alternative."""
    option = clause.alternatives[0]
    quote = '"' if clause.quoted else ""
    return f"{'-' if clause.excluded else ''}{quote}{' '.join(option.words)}{quote}"


def allowed(word: str) -> int:
    """How many typing errors a word of this length may have."""
    return 0 if len(word) < 3 else 1 if len(word) < 6 else 2


def distance(one: str, other: str) -> int:
    """How many letters were added, left out, replaced, or swapped with their neighbour to make one word of the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]


def fragments(marked: str) -> tuple[Fragment, ...]:
    """The parts of an excerpt that the engine has marked."""
    return tuple(_cut(marked))


def _cut(marked: str) -> Iterator[Fragment]:
    first, *others = marked.split(MATCH_BEGINS)
    if first:
        yield Fragment(first, matched=False)
    for other in others:
        inside, _, rest = other.partition(MATCH_ENDS)
        yield Fragment(inside, matched=True)
        if rest:
            yield Fragment(rest, matched=False)


def _option(term: str) -> Alternative:
    found = words_of(term)
    return Alternative(found, phrase=len(found) > 1)


def synonym_terms(asked: Iterable[str]) -> tuple[str, ...]:
    """Terms as they are kept: folded, each once. Raises SYNONYMS_INVALID for a term without words, or fewer than two."""
    given = list(asked)
    terms = [" ".join(words_of(term)) for term in given]
    said = "a term must have letters or digits"
    wrong = [errors.Violation(f"terms[{n}]", said, "SYNONYMS_INVALID") for n, term in enumerate(terms) if not term]
    found = tuple(dict.fromkeys(terms))
    if not wrong and len(found) < 2:
        wrong = [
            errors.Violation(
                "terms", "at least two terms must differ in more than case and accents", "SYNONYMS_INVALID"
            )
        ]
    if wrong:
        raise errors.invalid("SYNONYMS_INVALID", wrong[0].description, *wrong)
    return found
