"""Who is in which conversation: links appear and disappear with what they stand for."""

from convo_pipelines_tests import oracle
from convo_pipelines_tests.world import World


def links(world: World, kind: str = "people") -> list[dict]:
    return world.execute(f"select * from analytics.{kind}_conversations order by id")


def test_every_spelling_finds_its_person(world: World) -> None:
    for identifier, spellings in oracle.SPELLINGS.items():
        if identifier is None:
            continue
        kind = "email" if "@" in identifier else "phone" if identifier.startswith("+") else "linkedin"
        column = {"email": "email", "phone": "phone", "linkedin": "linkedin_urn"}[kind]
        world.person(**{column: spellings[0]})
        for spelling in spellings:
            world.address(world.conversation(), world.contact(spelling, kind=kind))
    world.sync()
    oracle.assert_links_right(world)
    assert {row["status"] for row in world.execute("select * from analytics.participant_resolutions")} == {"resolved"}
    assert len(links(world)) == sum(len(s) for identifier, s in oracle.SPELLINGS.items() if identifier)
