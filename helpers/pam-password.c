/*
 * Checks or sets the password of a user of the system through PAM, for the Redfish service.
 *
 * Standard input: "check" or "set", the name, the password and the client's address, each ended by NUL.
 * Answer, as exit status and as a digit with a line feed on standard output:
 *   0 right, or set   1 wrong   2 right, but must be changed   3 locked   4 new password refused
 * Any other exit status is a fault, with which nothing is written.
 *
 * Build: cc -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -pie -Wl,-z,relro,-z,now \
 *           -o pam-password pam-password.c -lpam
 */
#define _GNU_SOURCE
#include <errno.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef SERVICE_NAME
#define SERVICE_NAME "redfish"
#endif
/* Seconds; nobody waits longer, and a set-user-id helper cannot be killed by who started it */
#ifndef LONGEST
#define LONGEST 60
#endif

enum answer { RIGHT = 0, WRONG = 1, EXPIRED = 2, LOCKED = 3, REFUSED = 4, FAULT = 70 };
enum { FIELDS = 4, ROOM = 2048 };

static char question[ROOM];

static void finish(enum answer answer) __attribute__((noreturn));

static void finish(enum answer answer) {
  explicit_bzero(question, sizeof question);
  if (answer != FAULT) {
    const char line[2] = {(char)('0' + answer), '\n'};
    if (write(STDOUT_FILENO, line, sizeof line) != (ssize_t)sizeof line) _exit(FAULT);
  }
  _exit(answer);
}

/* No core, no debugger, no swap: a password is in here. */
static void harden(void) {
  const struct rlimit none = {0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0) finish(FAULT);
  /* Without the right to lock memory the rest still holds */
  (void)mlock(question, sizeof question);
  (void)clearenv();
  alarm(LONGEST);
}

/* Exactly four fields and nothing after them; anything else is not from the service. */
static void read_question(char *fields[FIELDS]) {
  size_t length = 0;
  while (length < sizeof question) {
    ssize_t got = read(STDIN_FILENO, question + length, sizeof question - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) finish(FAULT);
    if (got == 0) break;
    length += (size_t)got;
  }
  if (length == sizeof question || length == 0 || question[length - 1] != '\0') finish(FAULT);
  size_t count = 0;
  for (size_t at = 0; at < length; at += strlen(question + at) + 1) {
    if (count == FIELDS) finish(FAULT);
    fields[count++] = question + at;
  }
  if (count != FIELDS) finish(FAULT);
}

static void forget(struct pam_response *replies, int count) {
  for (int at = 0; at < count; at++) {
    if (replies[at].resp == NULL) continue;
    explicit_bzero(replies[at].resp, strlen(replies[at].resp));
    free(replies[at].resp);
  }
  free(replies);
}

/* What is asked without echo is the password; a visible question has no answer here. */
static int converse(int count, const struct pam_message **messages, struct pam_response **out,
                    void *password) {
  if (count <= 0 || count > PAM_MAX_NUM_MSG) return PAM_CONV_ERR;
  struct pam_response *replies = calloc((size_t)count, sizeof *replies);
  if (replies == NULL) return PAM_BUF_ERR;
  for (int at = 0; at < count; at++) {
    int style = messages[at]->msg_style;
    if (style == PAM_TEXT_INFO || style == PAM_ERROR_MSG) continue;
    if (style == PAM_PROMPT_ECHO_OFF) replies[at].resp = strdup(password);
    if (replies[at].resp == NULL) {
      forget(replies, count);
      return PAM_CONV_ERR;
    }
  }
  *out = replies;
  return PAM_SUCCESS;
}

static enum answer of_authentication(int status) {
  switch (status) {
    case PAM_SUCCESS: return RIGHT;
    case PAM_AUTH_ERR:
    case PAM_USER_UNKNOWN:
    case PAM_CRED_INSUFFICIENT:
    case PAM_PERM_DENIED: return WRONG;
    case PAM_NEW_AUTHTOK_REQD: return EXPIRED;
    case PAM_MAXTRIES:
    case PAM_ACCT_EXPIRED: return LOCKED;
    default: return FAULT;
  }
}

static enum answer of_account(int status) {
  switch (status) {
    case PAM_SUCCESS: return RIGHT;
    case PAM_NEW_AUTHTOK_REQD:
    case PAM_AUTHTOK_EXPIRED: return EXPIRED;
    case PAM_AUTH_ERR:
    case PAM_PERM_DENIED:
    case PAM_USER_UNKNOWN:
    case PAM_ACCT_EXPIRED: return LOCKED;
    default: return FAULT;
  }
}

/* A module may have made another user of the name; whoever asked means this one. */
static int is_still(pam_handle_t *pam, const char *user) {
  const void *now = NULL;
  return pam_get_item(pam, PAM_USER, &now) == PAM_SUCCESS && now != NULL && strcmp(now, user) == 0;
}

static enum answer check(pam_handle_t *pam, const char *user) {
  const int flags = PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK;
  enum answer answer = of_authentication(pam_authenticate(pam, flags));
  if (answer == RIGHT) answer = of_account(pam_acct_mgmt(pam, flags));
  return is_still(pam, user) ? answer : FAULT;
}

static enum answer set(pam_handle_t *pam) {
  switch (pam_chauthtok(pam, PAM_SILENT)) {
    case PAM_SUCCESS: return RIGHT;
    case PAM_AUTHTOK_ERR:
    case PAM_AUTH_ERR:
    case PAM_PERM_DENIED:
    case PAM_MAXTRIES:
    case PAM_TRY_AGAIN: return REFUSED;
    default: return FAULT;
  }
}

/*
 * Root may name another service and a directory with its file, to try a configuration. Nobody else may:
 * the helper may be set-user-id.
 */
static int start(int argc, char **argv, const char *user, const struct pam_conv *conversation,
                 pam_handle_t **pam) {
  if (argc == 1) return pam_start(SERVICE_NAME, user, conversation, pam);
  if (argc != 3 || getuid() != 0) return PAM_ABORT;
#ifdef WITHOUT_CONFDIR
  return PAM_ABORT;
#else
  return pam_start_confdir(argv[1], user, conversation, argv[2], pam);
#endif
}

int main(int argc, char **argv) {
  harden();
  char *fields[FIELDS];
  read_question(fields);
  char *mode = fields[0], *user = fields[1], *password = fields[2], *address = fields[3];
  int sets = strcmp(mode, "set") == 0;
  if ((!sets && strcmp(mode, "check") != 0) || *user == '\0') finish(FAULT);
  if (*password == '\0') finish(sets ? REFUSED : WRONG);
  const struct pam_conv conversation = {converse, password};
  pam_handle_t *pam = NULL;
  if (start(argc, argv, user, &conversation, &pam) != PAM_SUCCESS) finish(FAULT);
  if (*address != '\0') (void)pam_set_item(pam, PAM_RHOST, address);
  enum answer answer = sets ? set(pam) : check(pam, user);
  (void)pam_end(pam, answer == FAULT ? PAM_SYSTEM_ERR : PAM_SUCCESS);
  finish(answer);
}
