from click.testing import CliRunner
from convo_pipelines.cli import main
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines_tests.world import World

def adopt(*arguments):
    return CliRunner().invoke(main, ["adopt", "n8n", *arguments])

def test_it(empty_database: str):
    world = World(Warehouse(empty_database))
    world.execute("create table public.n8n_chat_histories (id serial primary key, session_id varchar(255) not null, message jsonb not null)")
    world.execute("""insert into public.n8n_chat_histories (session_id, message) values ('sales-1', '{"type":"human"}'), ('support-1', '{"type":"human"}'), ('xx', '{"type":"human"}')""")
    for arguments in ([], ["--add-created-at"], ["--add-created-at", "--agents-by", "^([a-z]+)-"], ["--add-created-at", "--agents-by", "^([a-z]+)-", "--yes"], ["--agents-by", "^([a-z]+)-", "--yes"], ["--yes"], ["--agents-by", "^(("], ["--agents-by", "workflow"]):
        result = adopt(*arguments)
        print(arguments, result.exit_code)
        print(result.output, result.exception)
    world.execute("""insert into public.n8n_chat_histories (session_id, message) values ('sales-1', '{"type":"human"}'), ('new-1', '{"type":"human"}'), ('xx', '{"type":"human"}')""")
    world.tick()
    print(world.execute("select * from analytics.conversation_summaries"))
    print(world.execute("select * from analytics.unmatched_sessions"))
    print(world.checks("no_sessions_without_crew"))
    print(adopt("--agents-by", "^([a-z]+)-", "--yes").output)
    print(world.execute("select * from analytics.unmatched_sessions"))
