"""A session of ncclient: reads everything, edits, and reads the models. Prints one line of JSON."""

import json
import ssl
import sys

from ncclient import manager
from ncclient.operations import RPCError

port, work, version = int(sys.argv[1]), sys.argv[2], sys.argv[3]


if version == "1.2":
    # ncclient makes its context of the protocol that it is given
    options = {"protocol": ssl.PROTOCOL_TLSv1_2}
else:
    options = {"protocol": ssl.PROTOCOL_TLS_CLIENT}
with manager.connect_tls(
    host="localhost",
    port=port,
    server_hostname="localhost",
    **options,
    certfile=f"{work}/client-chain.pem",
    keyfile=f"{work}/client.key",
    ca_certs=f"{work}/server-ca.pem",
    timeout=120,
) as session:
    everything = session.get_config(source="running").data_xml
    schemas = [one.split("module=")[1].split("&")[0] for one in session.server_capabilities if "module=" in one]
    sizes = [len(session.get_schema(name).data) for name in schemas]
    with session.locked("running"):
        pass
    try:
        session.copy_config(source="running", target="startup")
        refused = ""
    except RPCError as error:
        refused = error.tag
    print(json.dumps({"bytes": len(everything), "largest": max(sizes), "modules": sorted(schemas), "refused": refused}))
