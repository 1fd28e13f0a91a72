"""What a search text means: words, phrases, synonyms, typing errors and excerpts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import errors
from services.search import postgres_engine, words
from services.search.words import Alternative, Clause, Fragment, Lexeme, Synonyms


def word(text: str) -> Clause:
    return Clause((Alternative((text,)),))


def lexicon(*known: str, **similar: tuple[str, ...]) -> words.Lexicon:
    """Words that products have, and unknown ones with what is like them. A stem is the word without its s."""
    there = {each: Lexeme(each.rstrip("s"), known=True) for each in known}
    return there | {each: Lexeme(each.rstrip("s"), known=False, similar=alike) for each, alike in similar.items()}


def test_words_are_compared_without_case_and_accents() -> None:
    assert words.words_of("Café-Crème, 1.5 L") == ("cafe", "creme", "1", "5", "l")


def test_a_text_is_read_as_words_phrases_and_what_must_not_occur() -> None:
    clauses = words.parsed('red "arm chair" -leather t-shirt -"real wood"')
    assert clauses == (
        word("red"),
        Clause((Alternative(("arm", "chair"), phrase=True),), quoted=True),
        Clause((Alternative(("leather",)),), excluded=True),
        word("t"),
        word("shirt"),
        Clause((Alternative(("real", "wood"), phrase=True),), excluded=True, quoted=True),
    )


@pytest.mark.parametrize("text", ["", "   ", "!?", '""', "-", '" - "', "'"])
def test_a_text_without_words_has_no_clauses(text: str) -> None:
    assert words.parsed(text) == ()


def test_a_quote_that_is_not_closed_is_read_as_words() -> None:
    assert words.parsed('"arm chair') == (word("arm"), word("chair"))


def test_of_a_long_text_the_first_words_count() -> None:
    assert len(words.parsed("word " * 100)) == words.MOST_WORDS


@given(st.text(max_size=200))
def test_whatever_is_typed_only_letters_and_digits_reach_the_engine(text: str) -> None:
    clauses = words.parsed(text)
    assert len(words.vocabulary(clauses)) <= words.MOST_WORDS
    assert all(each.isalnum() for each in words.vocabulary(clauses))
    quoted = postgres_engine.tsquery(clauses).split("'")
    assert all(each.isalnum() for each in quoted[1::2])
    assert all(not set(each) - set("()&|!<-> ") for each in quoted[::2])


def test_a_synonym_is_found_by_the_stem_of_what_was_typed() -> None:
    known = words.thesaurus([Synonyms("sofas", ("sofa", "couch"), (("sofa",), ("couch",)))])
    [clause] = words.expanded(words.parsed("sofas"), lexicon("sofas"), known)
    assert clause.alternatives == (Alternative(("sofas",)), Alternative(("sofa",)), Alternative(("couch",)))


def test_the_longest_term_counts_and_a_quoted_word_has_no_synonyms() -> None:
    sets = [
        Synonyms("cells", ("cell phone", "mobile"), (("cell", "phone"), ("mobile",))),
        Synonyms("cell", ("cell", "battery"), (("cell",), ("battery",))),
    ]
    known = words.thesaurus(sets)
    [clause, other] = words.expanded(words.parsed("cell phone case"), lexicon("cell", "phone", "case"), known)
    assert clause.alternatives == (Alternative(("cell", "phone")), Alternative(("mobile",)))
    assert other == word("case")
    assert words.expanded(words.parsed('"cell"'), lexicon("cell"), known) == words.parsed('"cell"')


def test_a_word_that_no_product_has_becomes_similar_ones() -> None:
    found = lexicon("red", hedphones=("headphones", "phones"), xyz=("axes",))
    [red, phones] = words.corrected(words.parsed("red hedphones"), found)
    assert red == word("red")
    assert phones.alternatives == (Alternative(("headphones",)),)
    assert words.corrected(words.parsed("xyz"), found) == words.parsed("xyz")
    assert words.corrected(words.parsed("-hedphones"), found) == words.parsed("-hedphones")


@pytest.mark.parametrize(
    ("one", "other", "errors_made"),
    [("tabel", "table", 1), ("hedphones", "headphones", 1), ("chair", "chair", 0), ("", "abc", 3), ("sofa", "soda", 1)],
)
def test_the_distance_of_words_counts_typing_errors(one: str, other: str, errors_made: int) -> None:
    assert words.distance(one, other) == words.distance(other, one) == errors_made


@given(st.text("ab", max_size=6), st.text("ab", max_size=6))
def test_a_distance_is_never_more_than_the_longer_word(one: str, other: str) -> None:
    assert abs(len(one) - len(other)) <= words.distance(one, other) <= max(len(one), len(other))


def test_short_words_may_have_fewer_typing_errors() -> None:
    assert [words.allowed(each) for each in ("tv", "lamp", "table", "kettle")] == [0, 1, 1, 2]


def test_a_guess_replaces_and_leaves_out_words_that_no_product_has() -> None:
    found = lexicon("red", "chair", cheir=("chairs", "chair"), qqq=())
    assert words.guessed(words.parsed("red cheir -blue"), found) == "red chair -blue"
    assert words.guessed(words.parsed("red qqq"), found) == "red"
    assert words.guessed(words.parsed("red chair"), found) == ""
    assert words.guessed(words.parsed("qqq"), found) == ""


def test_a_tsquery_has_every_clause_and_one_of_its_alternatives() -> None:
    clauses = (
        Clause((Alternative(("cell", "phone")), Alternative(("mobile",)))),
        Clause((Alternative(("arm", "chair"), phrase=True),), excluded=True),
    )
    assert postgres_engine.tsquery(clauses) == "(('cell' & 'phone') | ('mobile')) & !(('arm' <-> 'chair'))"


def test_an_excerpt_is_cut_at_its_matches() -> None:
    assert words.fragments("a \x02red\x03 chair, \x02red\x03") == (
        Fragment("a ", matched=False),
        Fragment("red", matched=True),
        Fragment(" chair, ", matched=False),
        Fragment("red", matched=True),
    )
    assert words.fragments("") == ()


def test_synonyms_are_kept_folded_and_each_once() -> None:
    assert words.synonym_terms(["Sofa", "COUCH", "sofá", "Three-Seater"]) == ("sofa", "couch", "three seater")


@pytest.mark.parametrize(
    ("terms", "fields"), [(["sofa", "Sofa"], ["terms"]), (["sofa", "!", "?"], ["terms[1]", "terms[2]"])]
)
def test_synonyms_that_say_nothing_are_refused(terms: list[str], fields: list[str]) -> None:
    with pytest.raises(errors.DomainError) as refused:
        words.synonym_terms(terms)
    assert refused.value.reason == "SYNONYMS_INVALID"
    assert [violation.field for violation in refused.value.violations] == fields


def test_a_word_that_no_product_has_is_replaced_by_the_closest_one_or_stays() -> None:
    known = lexicon("red", hedphone=("telephone", "headphone"), qq=())
    assert [words.closest(each, known) for each in ("hedphone", "qq", "red", "new")] == [
        "headphone",
        "qq",
        "red",
        "new",
    ]
