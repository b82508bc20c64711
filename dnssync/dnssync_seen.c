
/*
 * What an authoritative server has of a set of records, compared with what it
 * should have.
 */

#include <arpa/inet.h>
#include <stdio.h>

#include "dnssync_update.h"


typedef struct {
    unsigned            type;
    const torii_str_t  *values;
    uint32_t            n;
    dnssync_name_t      name;
    uint32_t            found;         /* records of the type */
    uint32_t            equal;         /* that are wanted */
    unsigned            alias:1;
} dnssync_seen_t;


static int dnssync_seen_look(torii_str_t answer, dnssync_seen_t *seen);
static int dnssync_seen_wanted(const dnssync_walk_t *w,
    const dnssync_record_t *record, const dnssync_seen_t *seen);
static int dnssync_seen_equal(const dnssync_walk_t *w,
    const dnssync_record_t *record, torii_str_t value);
static int dnssync_seen_address(torii_str_t data, int family,
    torii_str_t value);


dnssync_step_e
dnssync_set_answer(torii_str_t answer, torii_str_t request,
    const torii_str_t *values, uint32_t n, char error[DNSSYNC_ERROR_MAX])
{
    unsigned          class;
    dnssync_seen_t    seen;
    dnssync_step_e    step;
    dnssync_reader_t  r;

    step = dnssync_final_answer(answer, request, error);
    if (step != DNSSYNC_DONE) {
        return step;
    }

    memset(&seen, 0, sizeof(dnssync_seen_t));
    seen.values = values;
    seen.n = n;

    r = dnssync_reader(request);
    (void) dnssync_read_bytes(&r, DNSSYNC_HEADER);
    dnssync_read_question(&r, &seen.name, &seen.type, &class);

    if (dnssync_seen_look(answer, &seen) != TORII_OK) {
        snprintf(error, DNSSYNC_ERROR_MAX, "its answer is malformed");
        return DNSSYNC_FAILED;
    }

    if (seen.found == n && seen.equal == n) {
        return DNSSYNC_DONE;
    }

    snprintf(error, DNSSYNC_ERROR_MAX, "%s",
             seen.alias ? "it says that the name is an alias (CNAME)"
                        : n == 0 ? "it still has the record"
                        : seen.found ? "it has other values"
                                     : "it does not have the record");

    return DNSSYNC_MISSING;
}


static int
dnssync_seen_look(torii_str_t answer, dnssync_seen_t *seen)
{
    int               rc;
    dnssync_walk_t    w;
    dnssync_record_t  record;

    memset(&w, 0, sizeof(dnssync_walk_t));

    while ((rc = dnssync_walk(&w, answer, &record)) == TORII_OK) {

        if (w.section != DNSSYNC_ANSWER || record.class != DNSSYNC_IN
            || !dnssync_name_eq(&record.name, &seen->name))
        {
            continue;
        }

        if (record.type == seen->type) {
            seen->found++;
            seen->equal += dnssync_seen_wanted(&w, &record, seen);

        } else if (record.type == DNSSYNC_CNAME) {
            seen->alias = 1;
        }
    }

    return rc == TORII_DECLINED ? TORII_OK : TORII_ERROR;
}


/* Neither a set nor what is wanted has a value twice. */

static int
dnssync_seen_wanted(const dnssync_walk_t *w, const dnssync_record_t *record,
    const dnssync_seen_t *seen)
{
    uint32_t  i;

    for (i = 0; i < seen->n; i++) {
        if (dnssync_seen_equal(w, record, seen->values[i])) {
            return 1;
        }
    }

    return 0;
}


static int
dnssync_seen_equal(const dnssync_walk_t *w, const dnssync_record_t *record,
    torii_str_t value)
{
    dnssync_name_t    name, wanted;
    dnssync_reader_t  r;

    switch (record->type) {

    case DNSSYNC_A:
        return dnssync_seen_address(record->data, AF_INET, value);

    case DNSSYNC_AAAA:
        return dnssync_seen_address(record->data, AF_INET6, value);

    case DNSSYNC_TXT:
        return dnssync_txt_equal(record->data, value);

    case DNSSYNC_CNAME:
    case DNSSYNC_NS:
        r = dnssync_read_inside(&w->reader, record);
        dnssync_read_name(&r, &name);

        return !r.failed && dnssync_name_parse(&wanted, value) == TORII_OK
               && dnssync_name_eq(&name, &wanted);

    default:
        return 0;
    }
}


static int
dnssync_seen_address(torii_str_t data, int family, torii_str_t value)
{
    char           text[INET6_ADDRSTRLEN];
    size_t         len;
    unsigned char  bytes[16];

    len = family == AF_INET ? 4 : 16;

    if (data.len != len || value.len >= sizeof(text)) {
        return 0;
    }

    memcpy(text, value.data, value.len);
    text[value.len] = '\0';

    return inet_pton(family, text, bytes) == 1
           && memcmp(bytes, data.data, len) == 0;
}
