"""Sentences as clients meet them, whoever reads them: looked at, tried out, saved."""

from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from beanie import PydanticObjectId

import errors
import resolvers.users
from ai.drafts import Alternative, Draft, Source
from ai.sentences import Sentences
from auth import Viewer
from documents import Role
from schema.context import ContextFactory, Services
from segmentation import query
from segmentation.dates import AsOf
from tests.api.conftest import Api
from tests.factories import a_customer

GENERATE = """mutation ($prompt: String!) {
  generateSegmentRules(prompt: $prompt) {
    query rules explanation assumptions unmatched audienceSize source
    alternatives { query rules explanation audienceSize }
    userErrors { field code }
  }
}"""
PREVIEW = """query ($definition: SegmentDefinition!) {
  previewSegment(definition: $definition) { query audienceSize sample { name } userErrors { field code } }
}"""
CREATE = """mutation ($input: CreateSegmentInput!) {
  createSegment(input: $input) { segment { id query prompt } userErrors { field code } }
}"""
UPDATE = """mutation ($id: ID!, $input: UpdateSegmentInput!) {
  updateSegment(id: $id, input: $input) { segment { query prompt } userErrors { field code } }
}"""
SENTENCE = "big spenders in Pune"


@dataclass(frozen=True, slots=True)
class OneSentence:
    """Understands one sentence, and no other."""

    async def read(self, sentence: str, as_of: AsOf) -> Draft:
        if sentence != SENTENCE:
            raise errors.InvalidInput("Nothing in it is understood.")
        return Draft(
            query.parse('city = "Pune" AND totalSpend >= 500'),
            "Live in Pune, and spent 500 or more.",
            Source.BUILT_IN,
            assumptions=("big spenders are the top tenth",),
            unmatched=("please",),
            alternatives=(Alternative(query.parse('city = "Pune" OR totalSpend >= 500'), "Either will do."),),
        )


@pytest.fixture
def services(services: Services) -> Services:
    return replace(services, reader=OneSentence())


@pytest.fixture(autouse=True)
async def people(marketer: Api) -> None:
    for name, city, spend in (("Asha", "Pune", "900"), ("Ben", "Pune", "100"), ("Carla", "Delhi", "900")):
        await a_customer(name=name, city=city, total_spend=Decimal(spend))


async def test_a_sentence_is_told_as_rules_with_what_was_assumed_and_whom_each_reading_reaches(marketer: Api) -> None:
    read = await marketer.ask(GENERATE, prompt=SENTENCE)
    assert read["rules"]["rules"][0] == {"field": "city", "operator": "=", "value": "Pune"}
    assert read["alternatives"][0]["rules"]["combinator"] == "or"
    assert [each.pop("rules") for each in (read, *read["alternatives"])]
    assert read == {
        "query": 'city = "Pune" AND totalSpend >= 500',
        "explanation": "Live in Pune, and spent 500 or more.",
        "assumptions": ["big spenders are the top tenth"],
        "unmatched": ["please"],
        "audienceSize": 1,
        "source": "BUILT_IN",
        "alternatives": [
            {
                "query": 'city = "Pune" OR totalSpend >= 500',
                "explanation": "Either will do.",
                "audienceSize": 3,
            }
        ],
        "userErrors": [],
    }


async def test_a_sentence_previews_and_saves_the_rules_it_means(marketer: Api) -> None:
    preview = await marketer.ask(PREVIEW, definition={"prompt": SENTENCE})
    assert [preview["audienceSize"], [one["name"] for one in preview["sample"]]] == [1, ["Asha"]]
    created = await marketer.ask(CREATE, input={"name": "Big", "definition": {"prompt": SENTENCE}})
    assert created["segment"]["prompt"] == SENTENCE
    assert created["segment"]["query"] == preview["query"]


async def test_a_segment_forgets_its_sentence_when_its_rules_come_from_elsewhere(marketer: Api) -> None:
    segment = (await marketer.ask(CREATE, input={"name": "Big", "definition": {"query": "EVERYONE"}}))["segment"]
    said = await marketer.ask(UPDATE, id=segment["id"], input={"definition": {"prompt": SENTENCE}})
    assert said["segment"]["prompt"] == SENTENCE
    written = await marketer.ask(UPDATE, id=segment["id"], input={"definition": {"query": "visitCount > 1"}})
    assert written["segment"] == {"query": "visitCount > 1", "prompt": None}


async def test_a_sentence_that_means_nothing_is_refused_everywhere_and_selects_nobody(marketer: Api) -> None:
    read = await marketer.ask(GENERATE, prompt="?")
    assert read["userErrors"] == [{"field": ["prompt"], "code": "INVALID"}]
    assert [read["rules"], read["audienceSize"], read["alternatives"]] == [None, None, []]
    preview = await marketer.ask(PREVIEW, definition={"prompt": "?"})
    assert preview["userErrors"] == [{"field": ["definition", "prompt"], "code": "INVALID"}]
    assert [preview["audienceSize"], preview["sample"]] == [None, []]
    created = await marketer.ask(CREATE, input={"name": "Big", "definition": {"prompt": "?"}})
    assert created == {
        "segment": None,
        "userErrors": [{"field": ["input", "definition", "prompt"], "code": "INVALID"}],
    }


async def test_an_analyst_reads_sentences_and_saves_none(api: Api) -> None:
    administrator = Viewer(PydanticObjectId(), Role.ADMIN)
    secret = (await resolvers.users.create_api_key(administrator, "tests", Role.ANALYST)).secret
    analyst = api.signed_in_as(secret)
    assert (await analyst.ask(GENERATE, prompt=SENTENCE))["audienceSize"] == 1
    assert await analyst.refusal(CREATE, input={"name": "x", "definition": {"prompt": SENTENCE}}) == "FORBIDDEN"


async def test_the_reader_of_every_server_reads_what_its_data_has(services: Services, marketer: Api) -> None:
    api = replace(marketer, contexts=ContextFactory(replace(services, reader=Sentences())))
    read = await api.ask(GENERATE, prompt="customers in Pune who spent over 500")
    assert (read["audienceSize"], read["source"], read["userErrors"]) == (1, "BUILT_IN", [])
    assert set(read["query"].split(" AND ")) == {'city = "Pune"', "totalSpend > 500"}
    refused = await api.ask(GENERATE, prompt="what a lovely day")
    assert refused["userErrors"] == [{"field": ["prompt"], "code": "INVALID"}]
