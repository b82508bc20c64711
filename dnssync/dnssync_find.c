
/*
 * Questions about a name: whether its TXT record has a value, which servers
 * are authoritative for it, what it is an alias of.
 */

#include <stdio.h>
#include <stdlib.h>

#include "dnssync_update.h"


#define DNSSYNC_ALIASES_MAX  8


struct dnssync_find_s {
    dnssync_name_t    name;            /* the end of the aliases so far */
    dnssync_name_t    at;              /* asked about */
    unsigned          type;
    unsigned          aliases;
    unsigned          n;
    unsigned          servers:1;       /* wanted */

    char              text[DNSSYNC_TEXT_MAX];            /* of name */
    char              question[DNSSYNC_TEXT_MAX];        /* of at */
    char              server[DNSSYNC_SERVERS_MAX][DNSSYNC_TEXT_MAX];
    char              error[DNSSYNC_ERROR_MAX];
};


typedef struct {
    dnssync_name_t    name;
    torii_str_t       value;
    unsigned          seen:1;
    unsigned          other:1;         /* values */
    unsigned          alias:1;
} dnssync_txt_t;


static int dnssync_txt_look(torii_str_t answer, dnssync_txt_t *txt);
static dnssync_step_e dnssync_find_alias(dnssync_find_t *f,
    torii_str_t answer);
static dnssync_step_e dnssync_find_servers(dnssync_find_t *f,
    torii_str_t answer);
static void dnssync_find_add(dnssync_find_t *f, dnssync_reader_t in);
static dnssync_step_e dnssync_find_ask(dnssync_find_t *f,
    const dnssync_name_t *name, unsigned type);
static dnssync_step_e dnssync_find_fail(dnssync_find_t *f, const char *error);


int
dnssync_question(torii_buf_t *out, unsigned id, torii_str_t name,
    unsigned type)
{
    dnssync_name_t  owner;

    if (dnssync_name_parse(&owner, name) != TORII_OK) {
        return TORII_ERROR;
    }

    dnssync_write_header(out, id, DNSSYNC_QUERY);
    dnssync_write_question(out, &owner, type);

    return TORII_OK;
}


dnssync_step_e
dnssync_final_answer(torii_str_t answer, torii_str_t request,
    char error[DNSSYNC_ERROR_MAX])
{
    unsigned          rcode;
    dnssync_header_t  header;

    if (dnssync_message_answers(answer, request, &header) != TORII_OK) {
        snprintf(error, DNSSYNC_ERROR_MAX, "an answer to another question");
        return DNSSYNC_IGNORED;
    }

    if (header.flags & DNSSYNC_TC) {
        snprintf(error, DNSSYNC_ERROR_MAX, "the answer is truncated");
        return DNSSYNC_TRUNCATED;
    }

    rcode = header.flags & DNSSYNC_RCODE;

    if (rcode != 0 && rcode != DNSSYNC_NXDOMAIN) {
        snprintf(error, DNSSYNC_ERROR_MAX, "it answers %s",
                 dnssync_rcode_name(rcode));
        return DNSSYNC_FAILED;
    }

    if (!(header.flags & DNSSYNC_AA)) {
        snprintf(error, DNSSYNC_ERROR_MAX, "it is not authoritative for the "
                 "name");
        return DNSSYNC_FAILED;
    }

    return DNSSYNC_DONE;
}


dnssync_step_e
dnssync_txt_answer(torii_str_t answer, torii_str_t request, torii_str_t value,
    char error[DNSSYNC_ERROR_MAX])
{
    unsigned          type, class;
    dnssync_txt_t     txt;
    dnssync_step_e    step;
    dnssync_reader_t  r;

    step = dnssync_final_answer(answer, request, error);
    if (step != DNSSYNC_DONE) {
        return step;
    }

    memset(&txt, 0, sizeof(dnssync_txt_t));
    txt.value = value;

    r = dnssync_reader(request);
    (void) dnssync_read_bytes(&r, DNSSYNC_HEADER);
    dnssync_read_question(&r, &txt.name, &type, &class);

    if (dnssync_txt_look(answer, &txt) != TORII_OK) {
        snprintf(error, DNSSYNC_ERROR_MAX, "its answer is malformed");
        return DNSSYNC_FAILED;
    }

    if (txt.seen) {
        return DNSSYNC_DONE;
    }

    snprintf(error, DNSSYNC_ERROR_MAX, "%s",
             txt.alias ? "it says that the name is an alias (CNAME)"
                       : txt.other ? "it has other values only"
                                   : "it does not have the record");

    return DNSSYNC_MISSING;
}


static int
dnssync_txt_look(torii_str_t answer, dnssync_txt_t *txt)
{
    int               rc;
    dnssync_walk_t    w;
    dnssync_record_t  record;

    memset(&w, 0, sizeof(dnssync_walk_t));

    while ((rc = dnssync_walk(&w, answer, &record)) == TORII_OK) {

        if (w.section != DNSSYNC_ANSWER || record.class != DNSSYNC_IN
            || !dnssync_name_eq(&record.name, &txt->name))
        {
            continue;
        }

        if (record.type == DNSSYNC_CNAME) {
            txt->alias = 1;

        } else if (record.type != DNSSYNC_TXT) {
            continue;

        } else if (dnssync_txt_equal(record.data, txt->value)) {
            txt->seen = 1;

        } else {
            txt->other = 1;
        }
    }

    return rc == TORII_DECLINED ? TORII_OK : TORII_ERROR;
}


int
dnssync_txt_equal(torii_str_t data, torii_str_t value)
{
    torii_str_t       s;
    dnssync_reader_t  r;

    r = dnssync_reader(data);

    while (r.p < r.last) {
        s = dnssync_read_bytes(&r, dnssync_read_u8(&r));

        if (r.failed || s.len > value.len
            || (s.len && memcmp(s.data, value.data, s.len) != 0))
        {
            return 0;
        }

        value.data += s.len;
        value.len -= s.len;
    }

    return value.len == 0;
}


dnssync_find_t *
dnssync_find_create(torii_str_t name, int follow, int servers)
{
    dnssync_name_t   owner;
    dnssync_find_t  *f;

    if (dnssync_name_parse(&owner, name) != TORII_OK || owner.len == 1) {
        return NULL;
    }

    f = torii_zalloc(sizeof(dnssync_find_t));

    f->name = owner;
    f->servers = (servers != 0);

    dnssync_name_text(&owner, f->text);
    (void) dnssync_find_ask(f, &owner, follow ? DNSSYNC_CNAME : DNSSYNC_NS);

    return f;
}


void
dnssync_find_free(dnssync_find_t *f)
{
    free(f);
}


const char *
dnssync_find_question(const dnssync_find_t *f, unsigned *type)
{
    *type = f->type;
    return f->question;
}


const char *
dnssync_find_error(const dnssync_find_t *f)
{
    return f->error;
}


const char *
dnssync_find_name(const dnssync_find_t *f)
{
    return f->text;
}


const char *
dnssync_find_server(const dnssync_find_t *f, unsigned i)
{
    return i < f->n ? f->server[i] : NULL;
}


dnssync_step_e
dnssync_find_answer(dnssync_find_t *f, torii_str_t answer)
{
    unsigned          rcode;
    dnssync_header_t  header;
    dnssync_reader_t  r;

    r = dnssync_reader(answer);
    dnssync_read_header(&r, &header);

    if (r.failed || !(header.flags & DNSSYNC_QR)) {
        return dnssync_find_fail(f, "the resolver's answer is malformed");
    }

    rcode = header.flags & DNSSYNC_RCODE;

    if (rcode != 0 && rcode != DNSSYNC_NXDOMAIN) {
        snprintf(f->error, DNSSYNC_ERROR_MAX, "the resolver answers %s",
                 dnssync_rcode_name(rcode));
        return DNSSYNC_FAILED;
    }

    return f->type == DNSSYNC_CNAME ? dnssync_find_alias(f, answer)
                                    : dnssync_find_servers(f, answer);
}


static dnssync_step_e
dnssync_find_alias(dnssync_find_t *f, torii_str_t answer)
{
    int               rc;
    dnssync_walk_t    w;
    dnssync_name_t    target;
    dnssync_reader_t  in;
    dnssync_record_t  record;

    memset(&w, 0, sizeof(dnssync_walk_t));

    while ((rc = dnssync_walk(&w, answer, &record)) == TORII_OK) {

        if (w.section != DNSSYNC_ANSWER || record.type != DNSSYNC_CNAME
            || record.class != DNSSYNC_IN
            || !dnssync_name_eq(&record.name, &f->name))
        {
            continue;
        }

        in = dnssync_read_inside(&w.reader, &record);
        dnssync_read_name(&in, &target);

        if (in.failed || in.p != in.last || target.len == 1) {
            return dnssync_find_fail(f, "the resolver's answer is malformed");
        }

        if (++f->aliases > DNSSYNC_ALIASES_MAX) {
            return dnssync_find_fail(f, "there are too many aliases (CNAME) "
                                        "in a row");
        }

        f->name = target;
        dnssync_name_text(&target, f->text);

        return dnssync_find_ask(f, &target, DNSSYNC_CNAME);
    }

    if (rc == TORII_ERROR) {
        return dnssync_find_fail(f, "the resolver's answer is malformed");
    }

    return f->servers ? dnssync_find_ask(f, &f->name, DNSSYNC_NS)
                      : DNSSYNC_DONE;
}


/*
 * A name that is not the top of a zone has no NS records; the SOA record beside
 * that answer may tell where the top is.
 */

static dnssync_step_e
dnssync_find_servers(dnssync_find_t *f, torii_str_t answer)
{
    int               rc;
    dnssync_walk_t    w;
    dnssync_name_t    up;
    dnssync_record_t  record;

    up = f->at;
    (void) dnssync_name_climb(&up);

    memset(&w, 0, sizeof(dnssync_walk_t));

    while ((rc = dnssync_walk(&w, answer, &record)) == TORII_OK) {

        if (record.class != DNSSYNC_IN) {
            continue;
        }

        if (w.section == DNSSYNC_ANSWER && record.type == DNSSYNC_NS
            && dnssync_name_eq(&record.name, &f->at))
        {
            dnssync_find_add(f, dnssync_read_inside(&w.reader, &record));
        }

        if (w.section == DNSSYNC_AUTHORITY && record.type == DNSSYNC_SOA
            && dnssync_name_within(&up, &record.name))
        {
            up = record.name;
        }
    }

    if (rc == TORII_ERROR) {
        return dnssync_find_fail(f, "the resolver's answer is malformed");
    }

    if (f->n) {
        return DNSSYNC_DONE;
    }

    if (up.len == 1) {
        return dnssync_find_fail(f, "no name servers are known for the name");
    }

    return dnssync_find_ask(f, &up, DNSSYNC_NS);
}


static void
dnssync_find_add(dnssync_find_t *f, dnssync_reader_t in)
{
    dnssync_name_t  server;

    dnssync_read_name(&in, &server);

    if (!in.failed && in.p == in.last && server.len > 1
        && f->n < DNSSYNC_SERVERS_MAX)
    {
        dnssync_name_text(&server, f->server[f->n++]);
    }
}


static dnssync_step_e
dnssync_find_ask(dnssync_find_t *f, const dnssync_name_t *name, unsigned type)
{
    f->at = *name;
    f->type = type;

    dnssync_name_text(name, f->question);

    return DNSSYNC_MORE;
}


static dnssync_step_e
dnssync_find_fail(dnssync_find_t *f, const char *error)
{
    snprintf(f->error, DNSSYNC_ERROR_MAX, "%s", error);
    return DNSSYNC_FAILED;
}
