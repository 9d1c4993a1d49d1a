"""A session of netconf-client. Prints one line of JSON."""

import json
import sys

from netconf_client.connect import connect_tls
from netconf_client.ncclient import Manager

port, work = int(sys.argv[1]), sys.argv[2]
session = connect_tls(
    host="localhost",
    port=port,
    keyfile=f"{work}/client.key",
    certfile=f"{work}/client-chain.pem",
    ca_certs=f"{work}/server-ca.pem",
)
with Manager(session, timeout=120) as manager:
    reply = manager.get_config(source="running")
    manager.lock(target="running")
    manager.unlock(target="running")
    print(json.dumps({"bytes": len(reply.data_xml), "session": session.session_id}))
