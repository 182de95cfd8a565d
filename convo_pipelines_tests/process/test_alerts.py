"""Alerts of processes that start anew."""

import subprocess
import sys

from convo_pipelines_tests.receivers import Mailbox
from convo_pipelines_tests.world import World


def test_mail_is_sent_and_a_restart_tells_nobody_twice(world: World, mailbox: Mailbox) -> None:
    program = (
        "from convo_pipelines.operations import alerts; from convo_pipelines.operations.health import Finding\n"
        "from convo_pipelines.database.warehouse import Warehouse\n"
        "warehouse = Warehouse()\n"
        "with warehouse.connection() as connection:\n"
        "    alerts.observe(connection, [Finding('a table is behind', 'people_conversations', None, '7')])\n"
        "alerts.deliver(warehouse)\n"
    )
    environment = {"CONVO_DATABASE_URL": world.url, "ALERT_URLS": mailbox.url}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    [message] = mailbox.mails
    assert message["Subject"] == "convo_pipelines: 1 new: a table is behind: people_conversations"
    assert "a table is behind" in "".join(str(part.get_payload(decode=True)) for part in message.walk())
