
/*
 * torii certificates: those that the gateway gets and renews, and what an
 * operator may ask of it.  A wish is a file in the gateway's private folder:
 * who may write there may ask.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>
#include <sys/stat.h>

#include "torii_tool.h"


#define TORII_CERTIFICATES_MAX  (64 * 1024 * 1024)


typedef struct {
    const char    *state;
    const char    *reason;       /* of a revocation, "" not said */
    unsigned       json:1;
} torii_certificates_t;


static int torii_certificates_list(const torii_certificates_t *t);
static int torii_certificates_read(const char *path, torii_buf_t *text);
static void torii_certificates_row(torii_buf_t *out, const torii_node_t *cert);
static torii_str_t torii_certificates_get(const torii_node_t *map,
    const char *name);
static void torii_certificates_time(const torii_node_t *map, const char *name,
    char buf[24]);
static int torii_certificates_ask(const torii_certificates_t *t,
    const char *verb, const char *what);
static int torii_certificates_write(const char *dir, const char *text);


static const struct option  torii_certificates_long[] = {
    { "json",   no_argument,       NULL, 'j' },
    { "reason", required_argument, NULL, 'r' },
    { "state",  required_argument, NULL, 's' },
    { NULL, 0, NULL, 0 }
};


int
torii_certificates(int argc, char **argv)
{
    int                    c;
    const char            *verb;
    torii_certificates_t   t;

    memset(&t, 0, sizeof(t));
    t.state = "/var/lib/torii";
    t.reason = "";

    while ((c = getopt_long(argc, argv, "jr:s:", torii_certificates_long,
                            NULL))
           != -1)
    {
        switch (c) {

        case 'j':
            t.json = 1;
            break;

        case 'r':
            t.reason = optarg;
            break;

        case 's':
            t.state = optarg;
            break;

        default:
            return torii_usage("certificates", TORII_EXIT_USAGE);
        }
    }

    verb = optind < argc ? argv[optind] : "list";

    if (strcmp(verb, "list") == 0 && argc - optind <= 1) {
        return torii_certificates_list(&t);
    }

    if (argc - optind == 2
        && (strcmp(verb, "renew") == 0 || strcmp(verb, "revoke") == 0
            || strcmp(verb, "rollover") == 0))
    {
        return torii_certificates_ask(&t, verb, argv[optind + 1]);
    }

    return torii_usage("certificates", TORII_EXIT_USAGE);
}


static int
torii_certificates_list(const torii_certificates_t *t)
{
    char                 path[PATH_MAX];
    uint32_t             i;
    torii_buf_t          text, out;
    torii_str_t          in;
    torii_node_t        *doc, *list;
    torii_arena_t       *arena;
    torii_tree_error_t   error;

    memset(&text, 0, sizeof(text));
    memset(&out, 0, sizeof(out));

    (void) snprintf(path, sizeof(path), "%s/table/certificates.json",
                    t->state);

    if (torii_certificates_read(path, &text) != TORII_OK) {
        fprintf(stderr, "torii: cannot read \"%s\": %s\n", path,
                strerror(errno));
        torii_buf_free(&text);
        return TORII_EXIT_USAGE;
    }

    if (t->json) {
        return torii_print(&text);
    }

    in.data = text.data;
    in.len = text.len;
    arena = torii_arena_create(65536);

    if (torii_tree_json(arena, in, &torii_tree_limits, &doc, &error)
        != TORII_OK)
    {
        fprintf(stderr, "torii: %s: %s\n", path, error.text);
        torii_arena_destroy(arena);
        torii_buf_free(&text);
        return TORII_EXIT_USAGE;
    }

    list = torii_node_get(doc, "certificates");

    for (i = 0; list && list->type == TORII_NODE_LIST && i < list->n; i++) {
        torii_certificates_row(&out, list->items[i]);
    }

    if (out.len == 0) {
        torii_buf_adds(&out, "no certificate is asked for\n");
    }

    torii_arena_destroy(arena);
    torii_buf_free(&text);

    return torii_print(&out);
}


static int
torii_certificates_read(const char *path, torii_buf_t *text)
{
    int          fd;
    ssize_t      n;

    fd = open(path, O_RDONLY|O_CLOEXEC);
    if (fd == -1) {
        return TORII_ERROR;
    }

    do {
        n = read(fd, torii_buf_room(text, 65536), 65536);
        text->len += (n > 0) ? n : 0;
    } while (n > 0 && text->len < TORII_CERTIFICATES_MAX);

    close(fd);

    return n == 0 ? TORII_OK : TORII_ERROR;
}


static void
torii_certificates_row(torii_buf_t *out, const torii_node_t *cert)
{
    char         until[24], renewal[24];
    torii_str_t  error;

    torii_certificates_time(cert, "notAfter", until);
    torii_certificates_time(cert, "renewal", renewal);

    torii_buf_printf(out, "%.*s/%.*s  %.*s  until %s  renewal %s  %.*s\n"
                     "    %.*s\n",
                     torii_str_arg(torii_certificates_get(cert, "namespace")),
                     torii_str_arg(torii_certificates_get(cert, "secret")),
                     torii_str_arg(torii_certificates_get(cert, "state")),
                     until, renewal,
                     torii_str_arg(torii_certificates_get(cert, "issuer")),
                     torii_str_arg(torii_certificates_get(cert, "names")));

    error = torii_certificates_get(cert, "error");

    if (error.len) {
        torii_buf_printf(out, "    %.*s\n", torii_str_arg(error));
    }
}


static torii_str_t
torii_certificates_get(const torii_node_t *map, const char *name)
{
    torii_node_t  *node;

    node = torii_node_get(map, name);

    return (node && node->type == TORII_NODE_STRING) ? node->text
                                                     : torii_str("");
}


static void
torii_certificates_time(const torii_node_t *map, const char *name,
    char buf[24])
{
    time_t         at;
    uint64_t       seconds;
    struct tm      tm;
    torii_node_t  *node;

    node = torii_node_get(map, name);
    (void) snprintf(buf, 24, "-");

    if (node && node->type == TORII_NODE_INT
        && torii_str_uint(node->text, (uint64_t) 1 << 40, &seconds)
           == TORII_OK
        && seconds)
    {
        at = seconds;

        if (gmtime_r(&at, &tm)) {
            (void) strftime(buf, 24, "%Y-%m-%dT%H:%M:%SZ", &tm);
        }
    }
}


static int
torii_certificates_ask(const torii_certificates_t *t, const char *verb,
    const char *what)
{
    char           dir[PATH_MAX], text[1024];
    const char    *reason;

    reason = strcmp(verb, "revoke") != 0 ? ""
             : t->reason[0] ? t->reason : "0";

    if (strpbrk(what, " \t\r\n") || strlen(what) > 512 || strlen(reason) > 2) {
        return torii_usage("certificates", TORII_EXIT_USAGE);
    }

    (void) snprintf(dir, sizeof(dir), "%s/private/requests", t->state);
    (void) snprintf(text, sizeof(text), "%s %s %s\n", verb, what, reason);

    if (torii_certificates_write(dir, text) != TORII_OK) {
        fprintf(stderr, "torii: cannot ask the gateway in \"%s\": %s\n", dir,
                strerror(errno));
        return TORII_EXIT_USAGE;
    }

    printf("asked to %s %s; \"torii certificates\" and the error log tell "
           "what becomes of it\n", verb, what);

    return TORII_EXIT_OK;
}


/*
 * The gateway's user, whose folder it is, must be able to read the file; but he
 * must not be able to lead us elsewhere, who may be root.
 */

static int
torii_certificates_write(const char *dir, const char *text)
{
    int              fd, folder, rc;
    char             name[64], tmp[80];
    size_t           len;
    struct stat      st;
    struct timespec  now;

    folder = open(dir, O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);
    if (folder == -1) {
        return TORII_ERROR;
    }

    (void) clock_gettime(CLOCK_REALTIME, &now);
    (void) snprintf(name, sizeof(name), "%lld.%09ld.%ld",
                    (long long) now.tv_sec, now.tv_nsec, (long) getpid());
    (void) snprintf(tmp, sizeof(tmp), "%s.tmp", name);

    rc = TORII_ERROR;
    len = strlen(text);
    fd = openat(folder, tmp, O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC,
                0600);

    if (fd != -1) {
        if (fstat(folder, &st) == 0
            && write(fd, text, len) == (ssize_t) len
            && (geteuid() != 0 || fchown(fd, st.st_uid, st.st_gid) == 0)
            && renameat(folder, tmp, folder, name) == 0)
        {
            rc = TORII_OK;

        } else {
            (void) unlinkat(folder, tmp, 0);
        }

        close(fd);
    }

    close(folder);

    return rc;
}
