
/*
 * A driver against a real server, over blocking sockets: test_dns_codec.py
 * drives it.  Arguments are settings, NAME=VALUE; commands are lines on stdin:
 *
 * zones, probe            as the operations
 * list, update            reads the zone whole, or what changed since
 * dump                    "NAME TYPE TTL VALUE|VALUE", what was read
 * set NAME TYPE TTL VALUE|VALUE    an edit; "-" is no value; "\s" is a blank
 * hosts N, nohosts N      edits: N hosts with an address and a mark, or their
 *                         end
 * apply                   all edits: "NAME OUTCOME TEXT" each but for those
 *                         that are done
 * challenge add|remove NAME VALUE
 * rss                     the most memory that was in use
 *
 * After each comes "= ok …" or "= failed TROUBLE TEXT".
 */

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "dnssync_driver.h"


#define DRIVE_LINE  70000


typedef struct {
    dnssync_account_t      *account;
    dnssync_op_t           *listed;        /* whose sets are known */
    torii_str_t             zone;

    torii_arena_t          *arena;         /* of edits */
    const dnssync_edit_t  **edits;
    uint32_t                nedits;

    unsigned                messages;
    unsigned                answers;
    size_t                  bytes;
    unsigned char           in[65536];
} drive_t;


static const char *const  drive_outcomes[] = {
    "later", "done", "lost", "refused", "unsure"
};


static uint64_t
drive_now(void)
{
    struct timespec  t;

    clock_gettime(CLOCK_REALTIME, &t);

    return (uint64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}


static int
drive_connect(const dnssync_request_t *r)
{
    int               fd;
    char              host[300], *port;
    struct timeval    timeout = { 5, 0 };
    struct addrinfo   hints, *found;

    snprintf(host, sizeof(host), "%.*s", torii_str_arg(r->server));
    port = strrchr(host, ':');

    if (port == NULL) {
        return -1;
    }

    *port++ = '\0';

    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = r->tcp ? SOCK_STREAM : SOCK_DGRAM;

    if (getaddrinfo(host, port, &hints, &found) != 0) {
        return -1;
    }

    fd = socket(found->ai_family, found->ai_socktype, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));

    if (connect(fd, found->ai_addr, found->ai_addrlen) == -1) {
        close(fd);
        fd = -1;
    }

    freeaddrinfo(found);

    return fd;
}


static int
drive_send(int fd, const dnssync_request_t *r)
{
    torii_buf_t    b;
    ssize_t        n;
    unsigned char  len[2];

    memset(&b, 0, sizeof(torii_buf_t));

    if (r->tcp) {
        len[0] = (unsigned char) (r->message.len >> 8);
        len[1] = (unsigned char) r->message.len;
        torii_buf_add(&b, len, 2);
    }

    torii_buf_add_str(&b, r->message);
    n = send(fd, b.data, b.len, MSG_NOSIGNAL);
    n = (n == (ssize_t) b.len);
    torii_buf_free(&b);

    return n ? TORII_OK : TORII_ERROR;
}


static int
drive_read(drive_t *d, int fd, const dnssync_request_t *r, torii_str_t *answer)
{
    ssize_t  n;
    size_t   got;

    answer->data = d->in;

    if (!r->tcp) {
        n = recv(fd, d->in, sizeof(d->in), 0);
        answer->len = (n > 0) ? (size_t) n : 0;
        return n > 0 ? TORII_OK : TORII_ERROR;
    }

    if (recv(fd, d->in, 2, MSG_WAITALL) != 2) {
        return TORII_ERROR;
    }

    answer->len = d->in[0] << 8 | d->in[1];

    for (got = 0; got < answer->len; got += n) {
        n = recv(fd, d->in + got, answer->len - got, 0);

        if (n <= 0) {
            return TORII_ERROR;
        }
    }

    return TORII_OK;
}


static int
drive_run(drive_t *d, dnssync_op_t *op)
{
    int                 fd;
    uint64_t            start;
    dnssync_answer_t    answer;
    dnssync_op_step_e   step;

    fd = -1;
    start = drive_now();
    d->messages = 0;
    d->answers = 0;
    d->bytes = 0;

    step = dnssync_op_go(op, start);

    while (step == DNSSYNC_OP_SEND || step == DNSSYNC_OP_MORE) {
        memset(&answer, 0, sizeof(dnssync_answer_t));

        if (step == DNSSYNC_OP_SEND) {

            if (fd != -1) {
                close(fd);
            }

            fd = drive_connect(&op->request);
            d->messages++;

            if (fd == -1 || drive_send(fd, &op->request) != TORII_OK) {
                answer.error = "it cannot be sent";
            }
        }

        if (answer.error == NULL
            && drive_read(d, fd, &op->request, &answer.body) != TORII_OK)
        {
            answer.error = "no answer";
        }

        d->answers++;
        d->bytes += answer.body.len;

        step = dnssync_op_answer(op, drive_now(), &answer);
    }

    if (fd != -1) {
        close(fd);
    }

    if (step != DNSSYNC_OP_DONE) {
        printf("= failed %s %s\n", dnssync_trouble_word(op->trouble),
               op->error);
        return TORII_ERROR;
    }

    printf("= ok %s sets=%u serial=%.*s messages=%u answers=%u bytes=%zu "
           "ms=%u\n", op->same ? "same" : "new", op->nsets,
           torii_str_arg(op->next), d->messages, d->answers, d->bytes,
           (unsigned) (drive_now() - start));

    return TORII_OK;
}


static void
drive_zones(drive_t *d)
{
    uint32_t       i;
    dnssync_op_t  *op;

    op = dnssync_op_create(d->account, DNSSYNC_OP_ZONES);

    if (drive_run(d, op) == TORII_OK) {
        for (i = 0; i < op->nzones; i++) {
            printf("%.*s\n", torii_str_arg(op->zones[i].name));
        }
    }

    dnssync_op_free(op);
}


static dnssync_op_t *
drive_op(drive_t *d, dnssync_op_e what)
{
    dnssync_op_t  *op;

    op = dnssync_op_create(d->account, what);

    op->zone.id = d->zone;
    op->zone.name = d->zone;

    if (d->listed) {
        op->version = d->listed->next;
    }

    return op;
}


static void
drive_list(drive_t *d, int update)
{
    dnssync_op_t  *op;

    op = drive_op(d, DNSSYNC_OP_LIST);

    if (!update) {
        op->version = torii_str("");

    } else if (d->listed) {
        op->known = d->listed->sets;
        op->nknown = d->listed->nsets;
    }

    if (drive_run(d, op) != TORII_OK || op->same) {
        dnssync_op_free(op);
        return;
    }

    dnssync_op_free(d->listed);
    d->listed = op;
}


static void
drive_word(torii_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (s.data[i] == ' ') {
            printf("\\s");

        } else if (s.data[i] < 0x20 || s.data[i] >= 0x7f || s.data[i] == '\\'
                   || s.data[i] == '|')
        {
            printf("\\x%02x", s.data[i]);

        } else {
            putchar(s.data[i]);
        }
    }
}


static void
drive_dump(drive_t *d)
{
    uint32_t                i, k;
    const dnssync_rrset_t  *set;

    for (i = 0; d->listed && i < d->listed->nsets; i++) {
        set = &d->listed->sets[i];
        printf("%.*s %u %u ", torii_str_arg(set->name), set->type, set->ttl);

        for (k = 0; k < set->n; k++) {
            printf("%s", k ? "|" : "");

            if (set->type == DNSSYNC_CNAME) {
                printf("%.*s", torii_str_arg(set->values[k]));

            } else {
                drive_word(set->values[k]);
            }
        }

        printf("\n");
    }

    printf("= ok\n");
}


static unsigned
drive_type(const char *word)
{
    static const struct {
        const char  *word;
        unsigned     type;
    } types[] = {
        { "A", DNSSYNC_A }, { "AAAA", DNSSYNC_AAAA },
        { "CNAME", DNSSYNC_CNAME }, { "TXT", DNSSYNC_TXT }
    };
    size_t  i;

    for (i = 0; i < 4; i++) {
        if (strcmp(word, types[i].word) == 0) {
            return types[i].type;
        }
    }

    abort();
}


/* "\s" is a blank. */

static void
drive_blanks(torii_str_t *s)
{
    size_t  i, n;

    for (i = 0, n = 0; i < s->len; i++) {
        if (s->data[i] == '\\' && i + 1 < s->len && s->data[i + 1] == 's') {
            s->data[n++] = ' ';
            i++;

        } else {
            s->data[n++] = s->data[i];
        }
    }

    s->len = n;
}


static const dnssync_rrset_t *
drive_known(drive_t *d, torii_str_t name, unsigned type)
{
    uint32_t  i;

    for (i = 0; d->listed && i < d->listed->nsets; i++) {
        if (d->listed->sets[i].type == type
            && torii_str_eq(d->listed->sets[i].name, name))
        {
            return &d->listed->sets[i];
        }
    }

    return NULL;
}


static dnssync_edit_t *
drive_edit(drive_t *d, torii_str_t name)
{
    dnssync_edit_t  *e;

    e = torii_arena_zalloc(d->arena, sizeof(dnssync_edit_t));

    e->name = name;
    e->parts = torii_arena_zalloc(d->arena, 4 * sizeof(dnssync_part_t));
    e->requires = torii_arena_zalloc(d->arena, 8 * sizeof(dnssync_require_t));

    if ((d->nedits & (d->nedits - 1)) == 0) {
        d->edits = torii_realloc(d->edits, (2 * d->nedits + 1)
                                           * sizeof(dnssync_edit_t *));
    }

    d->edits[d->nedits++] = e;

    return e;
}


static void
drive_part(drive_t *d, dnssync_edit_t *e, torii_str_t name, unsigned type,
    const dnssync_rrset_t *before, torii_str_t *values, uint32_t n,
    uint32_t ttl)
{
    size_t              i;
    dnssync_rrset_t    *set;
    dnssync_require_t  *r;

    static const unsigned  hosts[] = {
        DNSSYNC_A, DNSSYNC_AAAA, DNSSYNC_CNAME
    };

    set = NULL;

    if (n) {
        set = torii_arena_zalloc(d->arena, sizeof(dnssync_rrset_t));
        set->name = name;
        set->type = type;
        set->ttl = ttl;
        set->values = values;
        set->n = n;
        set->id = before ? before->id : torii_str("");
    }

    e->parts[e->nparts].before = before;
    e->parts[e->nparts++].after = set;

    r = &e->requires[e->nrequires++];
    r->name = name;
    r->type = type;
    r->equal = before;

    for (i = 0; type != DNSSYNC_TXT && before == NULL && i < 3; i++) {
        if (hosts[i] != type && drive_known(d, name, hosts[i]) == NULL) {
            r = &e->requires[e->nrequires++];
            r->name = name;
            r->type = hosts[i];
        }
    }
}


static void
drive_set(drive_t *d, const char *line)
{
    char          name[1100], type[16], ttl[16], *text;
    uint32_t      n;
    unsigned      of;
    torii_str_t   owner, rest, piece, *values;

    text = torii_malloc(DRIVE_LINE);
    text[0] = '\0';

    if (sscanf(line, "%1099s %15s %15s %69999s", name, type, ttl, text) != 4) {
        abort();
    }

    owner = torii_arena_str(d->arena, torii_str(name));
    rest = torii_arena_str(d->arena, torii_str(text));
    values = torii_arena_alloc(d->arena, 64 * sizeof(torii_str_t));
    of = drive_type(type);
    n = 0;

    while (strcmp(text, "-") != 0 && torii_str_next(&rest, "|", &piece)
           && n < 64)
    {
        drive_blanks(&piece);
        values[n++] = piece;
    }

    free(text);

    drive_part(d, drive_edit(d, owner), owner, of, drive_known(d, owner, of),
               values, n, (uint32_t) atoi(ttl));
}


static void
drive_hosts(drive_t *d, unsigned n, int there)
{
    unsigned          i, k;
    torii_str_t       host, mark, *values;
    dnssync_edit_t   *e;
    dnssync_rrset_t  *set;

    for (i = 0; i < n; i++) {
        host = torii_arena_printf(d->arena, "host%u.%.*s", i,
                                  torii_str_arg(d->zone));
        mark = torii_arena_printf(d->arena, "_dnssync.%.*s",
                                  torii_str_arg(host));
        values = torii_arena_alloc(d->arena, 2 * sizeof(torii_str_t));
        values[0] = torii_str("192.0.2.1");
        values[1] = torii_arena_printf(d->arena, "heritage=torii,owner=me,"
                                       "types=A,resource=ingress/default/"
                                       "host%u", i);
        e = drive_edit(d, host);

        for (k = 0; k < 2; k++) {
            set = NULL;

            if (!there) {
                set = torii_arena_zalloc(d->arena, sizeof(dnssync_rrset_t));
                set->name = k ? mark : host;
                set->type = k ? DNSSYNC_TXT : DNSSYNC_A;
                set->values = &values[k];
                set->n = 1;
                set->ttl = 300;
            }

            drive_part(d, e, k ? mark : host, k ? DNSSYNC_TXT : DNSSYNC_A,
                       set, &values[k], there ? 1 : 0, 300);
        }
    }

    printf("= ok\n");
}


static void
drive_apply(drive_t *d)
{
    uint32_t           i;
    dnssync_op_t      *op;
    dnssync_result_t  *r;

    op = drive_op(d, DNSSYNC_OP_APPLY);
    op->edits = d->edits;
    op->nedits = d->nedits;

    (void) drive_run(d, op);

    for (i = 0; i < op->nedits; i++) {
        r = &op->results[i];

        if (r->what != DNSSYNC_OUTCOME_DONE) {
            printf("%.*s %s %.*s\n", torii_str_arg(op->edits[i]->name),
                   drive_outcomes[r->what], torii_str_arg(r->text));
        }
    }

    printf("= end\n");

    dnssync_op_free(op);
    free(d->edits);
    torii_arena_destroy(d->arena);

    d->edits = NULL;
    d->nedits = 0;
    d->arena = torii_arena_create(4096);
}


static void
drive_challenge(drive_t *d, const char *line)
{
    char           what[16], name[300], value[600];
    dnssync_op_t  *op;

    if (sscanf(line, "%15s %299s %599s", what, name, value) != 3) {
        abort();
    }

    op = drive_op(d, DNSSYNC_OP_CHALLENGE);
    op->name = torii_str(name);
    op->value = torii_str(value);
    op->ttl = 60;
    op->add = (strcmp(what, "add") == 0);

    (void) drive_run(d, op);
    dnssync_op_free(op);
}


static void
drive_probe(drive_t *d)
{
    dnssync_op_t  *op;

    op = drive_op(d, DNSSYNC_OP_PROBE);
    (void) drive_run(d, op);
    dnssync_op_free(op);
}


/* Of this program, not of what it was before exec(). */

static long
drive_rss(void)
{
    long   kb;
    char   line[256];
    FILE  *f;

    kb = 0;
    f = fopen("/proc/self/status", "r");

    while (f && fgets(line, sizeof(line), f)) {
        if (sscanf(line, "VmHWM: %ld", &kb) == 1) {
            break;
        }
    }

    if (f) {
        fclose(f);
    }

    return kb;
}


static void
drive_line(drive_t *d, const char *line)
{
    if (strncmp(line, "set ", 4) == 0) {
        drive_set(d, line + 4);
        printf("= ok\n");

    } else if (strncmp(line, "hosts ", 6) == 0) {
        drive_hosts(d, (unsigned) atoi(line + 6), 1);

    } else if (strncmp(line, "nohosts ", 8) == 0) {
        drive_hosts(d, (unsigned) atoi(line + 8), 0);

    } else if (strncmp(line, "challenge ", 10) == 0) {
        drive_challenge(d, line + 10);

    } else if (strcmp(line, "zones") == 0) {
        drive_zones(d);

    } else if (strcmp(line, "probe") == 0) {
        drive_probe(d);

    } else if (strcmp(line, "list") == 0) {
        drive_list(d, 0);

    } else if (strcmp(line, "update") == 0) {
        drive_list(d, 1);

    } else if (strcmp(line, "dump") == 0) {
        drive_dump(d);

    } else if (strcmp(line, "apply") == 0) {
        drive_apply(d);

    } else if (strcmp(line, "rss") == 0) {
        printf("= ok kb=%ld\n", drive_rss());

    } else {
        printf("= failed what %s\n", line);
    }

    fflush(stdout);
}


int
main(int argc, char **argv)
{
    int                i;
    char              *line, *p;
    size_t             size;
    ssize_t            n;
    drive_t            d;
    torii_str_t        why;
    dnssync_option_t   settings[DNSSYNC_OPTIONS_MAX];

    memset(&d, 0, sizeof(drive_t));

    for (i = 1; i < argc && i <= DNSSYNC_OPTIONS_MAX; i++) {
        p = strchr(argv[i], '=');

        if (p == NULL) {
            return 2;
        }

        settings[i - 1].name.data = (unsigned char *) argv[i];
        settings[i - 1].name.len = p - argv[i];
        settings[i - 1].value = torii_str(p + 1);
    }

    d.arena = torii_arena_create(4096);
    d.account = dnssync_account_create(torii_str("default/test"), settings,
                                       argc - 1, &why);
    if (why.len) {
        printf("= failed account %.*s\n", torii_str_arg(why));
        return 1;
    }

    d.zone = d.account->nzones ? d.account->zones[0] : torii_str("");
    line = NULL;
    size = 0;

    while ((n = getline(&line, &size, stdin)) > 0) {
        line[strcspn(line, "\n")] = '\0';
        drive_line(&d, line);
    }

    free(line);
    free(d.edits);
    torii_arena_destroy(d.arena);
    dnssync_op_free(d.listed);
    dnssync_account_free(d.account);

    return 0;
}
