"""Nothing that says who somebody is reaches Dagster."""

import json
from collections.abc import Callable

import dagster as dg

from convo_pipelines.database.addresses import dagster_url
from convo_pipelines.definitions import defs
from convo_pipelines_tests.database.test_personal_data import MAIL, PHONE, delete, found_in
from convo_pipelines_tests.world import LINKS, PIPELINE, World, at

NAME, SAID = "Ana of the test", "what Ana said"


def test_nothing_that_says_who_somebody_is_reaches_dagster(
    world: World, stored_instance: dg.DagsterInstance, environment: Callable[..., object]
) -> None:
    world.crew()
    environment(PREVIEW_PERSONAL_DATA="false")
    world.say_raw(PHONE, json.dumps({"type": "human", "content": SAID}), at(0))
    world.say_raw(PHONE, f'["{SAID}"]', at(0))
    world.say_raw(None, f'["{SAID}"]', at(0))
    ana = world.insert("people", client_id=world.client(), name=NAME, email=MAIL, phone=f"+{PHONE}")
    talk = world.conversation(subject=f"of {MAIL}")
    world.address(talk, world.contact(MAIL.upper(), ana))
    world.address(talk, world.contact(f"unknown-{MAIL}"))
    world.project(talk)
    for assets in (PIPELINE, LINKS) * 2:
        world.materialize(assets, instance=stored_instance)
    day = at(0).date()
    world.materialize([*PIPELINE, *LINKS], (day, day), stored_instance)
    world.execute("delete from analytics.people_conversations")
    world.execute("update analytics.histories_sessions set message_count = 7")
    world.evaluations(stored_instance)
    for job in ("reconcile", "health"):
        defs.resolve_job_def(job).execute_in_process(
            instance=stored_instance, resources={"warehouse": world.warehouse}, raise_on_error=False
        )
    delete(world)
    world.evaluations(stored_instance)
    assert found_in(dagster_url(), "public", PHONE, MAIL, NAME.lower(), SAID.lower()) == {}
