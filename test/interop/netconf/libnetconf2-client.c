// A client with libnetconf2, which fetches every announced module with get-schema and reads each answer by these models.
#include <libyang/libyang.h>
#include <nc_client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAGS(inside)                                                                                                \
    "<truststore xmlns=\"urn:ietf:params:xml:ns:yang:ietf-truststore\"><certificate-bags "                           \
    "xmlns:nc=\"urn:ietf:params:xml:ns:netconf:base:1.0\">" inside "</certificate-bags></truststore>"

static void print(NC_VERB_LEVEL level, const char *message) { fprintf(stderr, "%d %s\n", level, message); }

/** Prints `NAME: ` and what the answer is: ok, the tag of an error, or data as XML in one line. */
static void ask(struct nc_session *session, const char *name, struct nc_rpc *rpc) {
    uint64_t id;
    struct lyd_node *envelope = NULL, *data = NULL;
    char *text = NULL;
    if (nc_send_rpc(session, rpc, 10000, &id) != NC_MSG_RPC ||
        nc_recv_reply(session, rpc, id, 60000, &envelope, &data) != NC_MSG_REPLY) {
        printf("%s: no answer\n", name);
    } else {
        lyd_print_mem(&text, data ? data : envelope, LYD_XML, LYD_PRINT_SHRINK);
        printf("%s: %s\n", name, text ? text : "");
    }
    free(text);
    nc_rpc_free(rpc);
    lyd_free_tree(envelope);
    lyd_free_tree(data);
}

static struct nc_rpc *edit(const char *content) {
    return nc_rpc_edit(NC_DATASTORE_RUNNING, NC_RPC_EDIT_DFLTOP_MERGE, NC_RPC_EDIT_TESTOPT_UNKNOWN,
                       NC_RPC_EDIT_ERROPT_ROLLBACK, content, NC_PARAMTYPE_CONST);
}

static struct nc_rpc *get_config(const char *filter) {
    return nc_rpc_getconfig(NC_DATASTORE_RUNNING, filter, NC_WD_UNKNOWN, NC_PARAMTYPE_CONST);
}

/** Arguments: the port, and files with the client's certificate, its key and the CA of the server. */
int main(int count, char **arguments) {
    if (count != 5) return 2;
    nc_client_init();
    nc_verbosity(NC_VERB_VERBOSE);
    nc_set_print_clb(print);
    nc_client_tls_set_cert_key_paths(arguments[2], arguments[3]);
    nc_client_tls_set_trusted_ca_paths(arguments[4], NULL);
    struct nc_session *session = nc_connect_tls("localhost", atoi(arguments[1]), NULL);
    if (!session) return 1;
    ask(session, "get-config", get_config(NULL));
    ask(session, "get", nc_rpc_get(NULL, NC_WD_UNKNOWN, NC_PARAMTYPE_CONST));
    ask(session, "lock", nc_rpc_lock(NC_DATASTORE_RUNNING));
    const char *bag = BAGS("<certificate-bag nc:operation=\"create\"><name>new</name></certificate-bag>");
    ask(session, "create", edit(bag));
    ask(session, "create again", edit(bag));
    ask(session, "filtered", get_config(BAGS("<certificate-bag><name>new</name></certificate-bag>")));
    ask(session, "unlock", nc_rpc_unlock(NC_DATASTORE_RUNNING));
    nc_session_free(session, NULL);
    nc_client_destroy();
    return 0;
}
