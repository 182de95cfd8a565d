"""After any history of writes, ticks, backfills and failures, one more tick makes everything equal the oracle."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from convo_pipelines_tests import oracle
from convo_pipelines_tests.world import DAY, PIPELINE, World, at

CREWS = ("A", "B", "C")
days = st.integers(-3, 3)
instants = st.builds(at, days, st.integers(0, 95).map(lambda quarter: quarter / 4))

said = st.tuples(
    st.just("say"),
    st.sampled_from(CREWS),
    st.sampled_from(["s1", "s2", "s3"]),
    st.sampled_from(["human", "ai", "tool"]),
    instants,
)
written = st.tuples(st.just("write"), st.integers(0, 2), st.sampled_from(["inbound", "outbound"]), instants)
addressed = st.tuples(st.just("address"), st.integers(0, 2), st.sampled_from(["ana", "ben"]))
closed = st.tuples(st.just("close"), st.integers(0, 2))
failing = st.tuples(st.just("break"), st.sampled_from(CREWS))
mended = st.tuples(st.just("mend"), st.sampled_from(CREWS))
ticked = st.tuples(st.just("tick"))
backfilled = st.tuples(
    st.just("backfill"), days, st.integers(0, 4), st.sets(st.sampled_from(PIPELINE), min_size=1).map(sorted)
)
histories = st.lists(
    st.one_of(said, said, said, written, addressed, closed, failing, mended, ticked, backfilled), max_size=25
)


class Story:
    """Carries out one generated history."""

    def __init__(self, world: World):
        self.world = world
        for crew in CREWS:
            world.crew(crew)
        self.talks = [world.conversation() for _ in range(3)]
        self.messages: dict[int, object] = {}
        self.broken: set[str] = set()

    def say(self, crew: str, session: str, kind: str, when: object) -> None:
        if crew not in self.broken:
            self.world.say(session, kind, when, crew)

    def write(self, talk: int, direction: str, when: object) -> None:
        self.messages[talk] = self.world.message(self.talks[talk], direction, when)

    def address(self, talk: int, who: str) -> None:
        if talk in self.messages:
            self.world.recipient(self.messages[talk], who)

    def close(self, talk: int) -> None:
        self.world.execute("update app.conversations set closed_at = now() where id = %s", self.talks[talk])

    def break_(self, crew: str) -> None:
        if crew not in self.broken and len(self.broken) < len(CREWS) - 1:
            self.broken.add(crew)
            self.world.execute(f"alter table app.histories_{crew.lower()} rename column message to mislaid")

    def mend(self, crew: str) -> None:
        if crew in self.broken:
            self.broken.remove(crew)
            self.world.execute(f"alter table app.histories_{crew.lower()} rename column mislaid to message")

    def tick(self) -> None:
        self.world.tick()

    def backfill(self, day: int, length: int, assets: list[str]) -> None:
        first = (DAY + timedelta(days=day)).date()
        self.world.backfill(first, first + timedelta(days=length), assets)


@settings(max_examples=25)
@given(history=histories)
def test_after_any_history_and_one_more_tick_the_tables_equal_the_oracle(new_world: object, history: list) -> None:
    world = new_world()
    story = Story(world)
    for verb, *details in history:
        getattr(story, "break_" if verb == "break" else verb)(*details)
    for crew in CREWS:
        story.mend(crew)
    world.tick()
    oracle.assert_right(world)
    assert world.touched_days() is None
    assert all(check.passed for check in world.checks("every_message_is_counted", "discovery_is_healthy").values())
    world.close()
