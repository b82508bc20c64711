
/*
 * Building UPDATE messages, and the codes of their answers in words.
 */

#include "dnssync_update.h"


static const struct {
    const char  *name;
    const char  *advice;
} dnssync_rcodes[] = {
    { "NOERROR", "done" },
    { "FORMERR", "it does not understand the message" },
    { "SERVFAIL", "it could not do it, its own log says why; it may be unable "
                  "to write the zone's file or journal" },
    { "NXDOMAIN", "the name does not exist" },
    { "NOTIMP", "it does not take dynamic updates" },
    { "REFUSED", "it does not let this key, or this address, change the name: "
                 "see its update-policy, allow-update or acl" },
    { "YXDOMAIN", "the name exists already" },
    { "YXRRSET", "a record that must not be there is" },
    { "NXRRSET", "a record that must be there is not" },
    { "NOTAUTH", "it is not the primary server of the zone, or does not take "
                 "this key" },
    { "NOTZONE", "the name is not within the zone" }
};

#define DNSSYNC_RCODES  (sizeof(dnssync_rcodes) / sizeof(dnssync_rcodes[0]))


static const torii_str_t  dnssync_no_data = torii_null_string;


void
dnssync_update_start(torii_buf_t *b, unsigned id, const dnssync_name_t *zone)
{
    dnssync_write_header(b, id, DNSSYNC_UPDATE);
    dnssync_write_question(b, zone, DNSSYNC_SOA);
}


void
dnssync_update_if_exists(torii_buf_t *b, const dnssync_name_t *name,
    unsigned type)
{
    dnssync_write_record(b, DNSSYNC_ANSWER, name, type, DNSSYNC_ANY, 0,
                         dnssync_no_data);
}


void
dnssync_update_if_absent(torii_buf_t *b, const dnssync_name_t *name,
    unsigned type)
{
    dnssync_write_record(b, DNSSYNC_ANSWER, name, type, DNSSYNC_NONE, 0,
                         dnssync_no_data);
}


void
dnssync_update_if_equal(torii_buf_t *b, const dnssync_name_t *name,
    unsigned type, torii_str_t data)
{
    dnssync_write_record(b, DNSSYNC_ANSWER, name, type, DNSSYNC_IN, 0, data);
}


void
dnssync_update_add(torii_buf_t *b, const dnssync_name_t *name, unsigned type,
    uint32_t ttl, torii_str_t data)
{
    dnssync_write_record(b, DNSSYNC_AUTHORITY, name, type, DNSSYNC_IN, ttl,
                         data);
}


void
dnssync_update_delete(torii_buf_t *b, const dnssync_name_t *name,
    unsigned type, torii_str_t data)
{
    dnssync_write_record(b, DNSSYNC_AUTHORITY, name, type, DNSSYNC_NONE, 0,
                         data);
}


void
dnssync_update_delete_set(torii_buf_t *b, const dnssync_name_t *name,
    unsigned type)
{
    dnssync_write_record(b, DNSSYNC_AUTHORITY, name, type, DNSSYNC_ANY, 0,
                         dnssync_no_data);
}


const char *
dnssync_rcode_name(unsigned rcode)
{
    return rcode < DNSSYNC_RCODES ? dnssync_rcodes[rcode].name
                                  : "an unknown code";
}


const char *
dnssync_rcode_advice(unsigned rcode)
{
    return rcode < DNSSYNC_RCODES ? dnssync_rcodes[rcode].advice
                                  : "its own log may say why";
}
