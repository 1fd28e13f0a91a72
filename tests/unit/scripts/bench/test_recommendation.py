"""What the scenario of recommendations asks and counts; the recommendations themselves are the bench."""

import json
from dataclasses import asdict

from scripts.bench import load, recommendation, requests
from scripts.bench.recommendation import Answered, Quality, Question
from scripts.sample_data import baskets

SOLD = baskets.assortment("T", seed=1)


def test_a_hidden_product_counts_by_its_place() -> None:
    asked = [Question("a", "x"), Question("b", "x"), Question("c", "x"), Question("d", "x")]
    answers = [["x", "y"], ["y", "x"], ["y", "z"], []]
    assert Quality.of(answers, asked) == Quality(hit_rate=0.5, mrr=0.375)
    assert Quality.of([], []) == Quality(0.0, 0.0)


def test_popularity_answers_the_same_to_everybody_but_what_is_asked_about() -> None:
    ordered = [("a", "b"), ("a", "c"), ("a", "b", "c"), ("b", "d")]
    answers = recommendation.popular(ordered, [Question("a", "d"), Question("z", "a")])
    assert answers == [["b", "c", "d"], ["a", "b", "c", "d"]]


def test_a_question_is_about_two_products_of_one_basket_and_the_same_in_every_run() -> None:
    some = list(baskets.baskets(SOLD, 300, seed=5))
    asked = recommendation.questions(some, seed=6)
    assert asked == recommendation.questions(some, seed=6)
    for basket, question in zip(some, asked, strict=True):
        assert question.about != question.hidden
        assert {question.about, question.hidden} <= set(basket)


def test_questions_of_one_kind_are_counted_apart() -> None:
    answered = Answered([Question("a", "x"), Question("b", "y")], [["x"], []], [[], ["z", "y"]], [1.0, 1.0])
    assert answered.quality(lambda question: question.about == "a") == (1, Quality(1.0, 1.0), Quality(0.0, 0.0))
    assert answered.quality(lambda _: True) == (2, Quality(0.5, 0.5), Quality(0.5, 0.25))


def test_baskets_that_are_given_are_ordered_one_after_the_other_once_each() -> None:
    ordered = (("A", "B"), ("C",), ("A",))
    wanted = requests.Wanted(("t",), ("A", "B", "C"), 0, "run", units=1, baskets=ordered)
    plan = load.Plan("shop", 80, wanted, connections=1, seconds=1, most=3)
    read = load.planned(json.dumps(asdict(plan)))
    assert read == plan
    stream = requests.stream("shop:80", read.wanted)
    bodies = [json.loads(next(stream).partition(b"\r\n\r\n")[2]) for _ in ordered]
    assert [tuple(item["sku"] for item in body["items"]) for body in bodies] == list(ordered)
