
/*
 * A set of Route 53 as XML.  A deletion has to repeat it to the letter: where
 * its values are not what we would have written, set->id keeps them, one a
 * line in the order of the values.
 */

#include "dnssync_route53.h"


#define DNSSYNC_ROUTE53_STRANGE  "aws/strange"


static int dnssync_route53_values(dnssync_op_t *op, dnssync_xml_t *x,
    dnssync_rrset_t *set);
static int dnssync_route53_alias(dnssync_op_t *op, dnssync_xml_t *x,
    dnssync_rrset_t *set);
static void dnssync_route53_routing(dnssync_op_t *op, dnssync_xml_t *x,
    dnssync_rrset_t *set);
static void dnssync_route53_add(dnssync_op_t *op, dnssync_rrset_t *set,
    const char *name, torii_str_t value);
static torii_str_t dnssync_route53_raw(const dnssync_rrset_t *set,
    torii_str_t value);
static void dnssync_route53_elements_write(torii_buf_t *b,
    const dnssync_rrset_t *set, unsigned from, unsigned to);
static void dnssync_route53_records_write(torii_buf_t *b,
    const dnssync_rrset_t *set, const dnssync_rrset_t *before);
static void dnssync_route53_alias_write(dnssync_op_t *op, torii_buf_t *b,
    const dnssync_rrset_t *set);


/* In the order in which Route 53's schema has them; group: what is around. */

static const struct {
    const char  *element;
    const char  *option;
    const char  *group;
} dnssync_route53_elements[] = {
    { "Weight", "aws/weight", NULL },
    { "Region", "aws/region", NULL },
    { "ContinentCode", "aws/geolocation-continent-code", "GeoLocation" },
    { "CountryCode", "aws/geolocation-country-code", "GeoLocation" },
    { "SubdivisionCode", "aws/geolocation-subdivision-code", "GeoLocation" },
    { "Failover", "aws/failover", NULL },
    { "MultiValueAnswer", "aws/multi-value-answer", NULL },
    { "HealthCheckId", "aws/health-check-id", NULL },
    { NULL, NULL, NULL }
};

#define DNSSYNC_ROUTE53_LATE  7            /* those behind the records */


int
dnssync_route53_set_read(dnssync_op_t *op, dnssync_xml_t *x,
    dnssync_rrset_t *set)
{
    int          rc;
    uint64_t     ttl;
    unsigned     depth;
    torii_str_t  type;

    depth = x->depth;
    rc = TORII_ERROR;
    memset(set, 0, sizeof(dnssync_rrset_t));

    while (dnssync_xml_child(x, depth)) {

        if (torii_str_eqs(x->name, "Name")) {
            rc = dnssync_record_octal(op->arena, dnssync_xml_value(x),
                                      &set->name);

        } else if (torii_str_eqs(x->name, "Type")) {
            type = dnssync_xml_value(x);
            set->type = dnssync_rtype_read(type);

        } else if (torii_str_eqs(x->name, "TTL")) {
            if (torii_str_uint(dnssync_xml_value(x), UINT32_MAX, &ttl)
                != TORII_OK)
            {
                rc = TORII_ERROR;
                break;
            }

            set->ttl = ttl;

        } else if (torii_str_eqs(x->name, "SetIdentifier")) {
            set->set = torii_arena_str(op->arena, dnssync_xml_value(x));

        } else if (torii_str_eqs(x->name, "ResourceRecords")) {
            if (rc == TORII_OK) {
                rc = dnssync_route53_values(op, x, set);
            }

        } else if (torii_str_eqs(x->name, "AliasTarget")) {
            if (rc == TORII_OK) {
                rc = dnssync_route53_alias(op, x, set);
            }

        } else {
            dnssync_route53_routing(op, x, set);
        }

        if (rc != TORII_OK) {
            break;
        }
    }

    return (rc == TORII_OK && set->type && !x->failed) ? TORII_OK
                                                       : TORII_ERROR;
}


static int
dnssync_route53_values(dnssync_op_t *op, dnssync_xml_t *x,
    dnssync_rrset_t *set)
{
    uint32_t      i;
    unsigned      depth;
    torii_buf_t   list, raw, ours;
    torii_str_t   s, *raws;

    depth = x->depth;
    memset(&list, 0, sizeof(torii_buf_t));
    memset(&raw, 0, sizeof(torii_buf_t));
    memset(&ours, 0, sizeof(torii_buf_t));

    while (dnssync_xml_child(x, depth)) {
        while (dnssync_xml_child(x, depth + 1)) {
            if (torii_str_eqs(x->name, "Value")) {
                s = dnssync_xml_value(x);
                torii_buf_add(&list, &s, sizeof(torii_str_t));
            }
        }
    }

    raws = (torii_str_t *) list.data;

    set->n = list.len / sizeof(torii_str_t);
    set->values = torii_arena_alloc(op->arena, (set->n + 1)
                                               * sizeof(torii_str_t));

    for (i = 0; i < set->n; i++) {
        set->values[i] = dnssync_route53_value(op, set->type, raws[i]);

        torii_buf_add_str(&raw, raws[i]);
        torii_buf_adds(&raw, "\n");
        dnssync_route53_canonical(&ours, set->type, set->values[i]);
        torii_buf_adds(&ours, "\n");
    }

    if (raw.len != ours.len
        || (raw.len && memcmp(raw.data, ours.data, raw.len) != 0))
    {
        s.data = raw.data;
        s.len = raw.len - 1;
        set->id = torii_arena_str(op->arena, s);
    }

    torii_buf_free(&list);
    torii_buf_free(&raw);
    torii_buf_free(&ours);

    return set->n ? TORII_OK : TORII_ERROR;
}


static int
dnssync_route53_alias(dnssync_op_t *op, dnssync_xml_t *x,
    dnssync_rrset_t *set)
{
    unsigned     depth;
    torii_str_t  name, zone, s;

    depth = x->depth;
    name = zone = torii_str("");

    while (dnssync_xml_child(x, depth)) {

        if (torii_str_eqs(x->name, "DNSName")) {
            name = dnssync_xml_value(x);

        } else if (torii_str_eqs(x->name, "HostedZoneId")) {
            zone = dnssync_xml_value(x);

        } else if (torii_str_eqs(x->name, "EvaluateTargetHealth")) {
            s = dnssync_xml_value(x);

            if (torii_str_eqs(s, "true")) {
                dnssync_route53_add(op, set, "aws/evaluate-target-health", s);
            }
        }
    }

    set->n = 1;
    set->values = torii_arena_alloc(op->arena, sizeof(torii_str_t));
    set->values[0] = dnssync_route53_value(op, DNSSYNC_CNAME, name);

    dnssync_route53_add(op, set, "alias", torii_str("true"));

    if (!torii_str_eq(zone, op->zone.id)) {
        dnssync_route53_add(op, set, "aws/target-hosted-zone", zone);
    }

    return name.len ? TORII_OK : TORII_ERROR;
}


/* Which of several sets is the answer, and to whom. */

static void
dnssync_route53_routing(dnssync_op_t *op, dnssync_xml_t *x,
    dnssync_rrset_t *set)
{
    unsigned  i, depth;

    for (i = 0; dnssync_route53_elements[i].element != NULL; i++) {
        if (dnssync_route53_elements[i].group == NULL
            && torii_str_eqs(x->name, dnssync_route53_elements[i].element))
        {
            dnssync_route53_add(op, set, dnssync_route53_elements[i].option,
                                dnssync_xml_value(x));
            return;
        }
    }

    if (!torii_str_eqs(x->name, "GeoLocation")) {
        dnssync_route53_add(op, set, DNSSYNC_ROUTE53_STRANGE, x->name);
        return;
    }

    depth = x->depth;

    while (dnssync_xml_child(x, depth)) {

        for (i = 0; dnssync_route53_elements[i].element != NULL; i++) {
            if (dnssync_route53_elements[i].group != NULL
                && torii_str_eqs(x->name, dnssync_route53_elements[i].element))
            {
                dnssync_route53_add(op, set,
                                    dnssync_route53_elements[i].option,
                                    dnssync_xml_value(x));
                break;
            }
        }
    }
}


static void
dnssync_route53_add(dnssync_op_t *op, dnssync_rrset_t *set, const char *name,
    torii_str_t value)
{
    dnssync_option_t  *options;

    options = torii_arena_alloc(op->arena, (set->noptions + 1)
                                           * sizeof(dnssync_option_t));
    if (set->noptions) {
        memcpy(options, set->options,
               set->noptions * sizeof(dnssync_option_t));
    }

    options[set->noptions].name = torii_str(name);
    options[set->noptions++].value = torii_arena_str(op->arena, value);

    set->options = options;
}


torii_str_t
dnssync_route53_option(const dnssync_rrset_t *set, const char *name)
{
    uint32_t  i;

    for (i = 0; i < set->noptions; i++) {
        if (torii_str_eqs(set->options[i].name, name)) {
            return set->options[i].value;
        }
    }

    return torii_str("");
}


int
dnssync_route53_set_strange(const dnssync_rrset_t *set)
{
    return dnssync_route53_option(set, DNSSYNC_ROUTE53_STRANGE).len != 0;
}


/* An estimate from above, since TXT may be cut and escaped in many ways. */

void
dnssync_route53_set_size(const dnssync_rrset_t *set, uint32_t *chars,
    uint32_t *records)
{
    size_t       len;
    uint32_t     i;
    torii_buf_t  b;

    memset(&b, 0, sizeof(torii_buf_t));

    for (i = 0; i < set->n; i++) {
        dnssync_route53_canonical(&b, set->type, set->values[i]);
    }

    len = b.len > set->id.len ? b.len : set->id.len;
    torii_buf_free(&b);

    *chars += len;
    *records += set->n;
}


void
dnssync_route53_set_write(dnssync_op_t *op, torii_buf_t *b,
    const char *action, const dnssync_rrset_t *set,
    const dnssync_rrset_t *before)
{
    torii_str_t  type;

    type = torii_str(dnssync_rtype_word(set->type));

    torii_buf_printf(b, "<Change><Action>%s</Action><ResourceRecordSet><Name>",
                     action);
    dnssync_route53_name(b, set->name);
    torii_buf_printf(b, "</Name><Type>%.*s</Type>", torii_str_arg(type));

    if (set->set.len) {
        torii_buf_adds(b, "<SetIdentifier>");
        dnssync_xml_write(b, set->set);
        torii_buf_adds(b, "</SetIdentifier>");
    }

    dnssync_route53_elements_write(b, set, 0, DNSSYNC_ROUTE53_LATE);

    if (set->type != DNSSYNC_CNAME
        && torii_str_eqs(dnssync_route53_option(set, "alias"), "true"))
    {
        dnssync_route53_alias_write(op, b, set);

    } else {
        dnssync_route53_records_write(b, set, before);
    }

    dnssync_route53_elements_write(b, set, DNSSYNC_ROUTE53_LATE,
                                   DNSSYNC_ROUTE53_LATE + 1);
    torii_buf_adds(b, "</ResourceRecordSet></Change>\n");
}


static void
dnssync_route53_elements_write(torii_buf_t *b, const dnssync_rrset_t *set,
    unsigned from, unsigned to)
{
    unsigned      i;
    const char   *group, *next;
    torii_str_t   value;

    group = NULL;

    for (i = from; i < to; i++) {
        value = dnssync_route53_option(set, dnssync_route53_elements[i].option);
        next = dnssync_route53_elements[i].group;

        if (value.len == 0
            || (torii_str_eqs(value, "false")
                && torii_str_eqs(torii_str("MultiValueAnswer"),
                                 dnssync_route53_elements[i].element)))
        {
            continue;
        }

        if (group != NULL && next == NULL) {
            torii_buf_printf(b, "</%s>", group);
        }

        if (next != NULL && group == NULL) {
            torii_buf_printf(b, "<%s>", next);
        }

        group = next;

        torii_buf_printf(b, "<%s>", dnssync_route53_elements[i].element);
        dnssync_xml_write(b, value);
        torii_buf_printf(b, "</%s>", dnssync_route53_elements[i].element);
    }

    if (group != NULL) {
        torii_buf_printf(b, "</%s>", group);
    }
}


static void
dnssync_route53_records_write(torii_buf_t *b, const dnssync_rrset_t *set,
    const dnssync_rrset_t *before)
{
    uint32_t     i;
    torii_buf_t  value;
    torii_str_t  s;

    memset(&value, 0, sizeof(torii_buf_t));

    torii_buf_printf(b, "<TTL>%u</TTL><ResourceRecords>",
                     (unsigned) set->ttl);

    for (i = 0; i < set->n; i++) {
        s = dnssync_route53_raw(before, set->values[i]);

        if (s.len == 0) {
            value.len = 0;
            dnssync_route53_canonical(&value, set->type, set->values[i]);
            s.data = value.data;
            s.len = value.len;
        }

        torii_buf_adds(b, "<ResourceRecord><Value>");
        dnssync_xml_write(b, s);
        torii_buf_adds(b, "</Value></ResourceRecord>");
    }

    torii_buf_adds(b, "</ResourceRecords>");
    torii_buf_free(&value);
}


static torii_str_t
dnssync_route53_raw(const dnssync_rrset_t *set, torii_str_t value)
{
    uint32_t     i;
    torii_str_t  rest, line;

    if (set == NULL || set->id.len == 0) {
        return torii_str("");
    }

    rest = set->id;

    for (i = 0; i < set->n && torii_str_next(&rest, "\n", &line); i++) {
        if (torii_str_eq(set->values[i], value)) {
            return line;
        }
    }

    return torii_str("");
}


static void
dnssync_route53_alias_write(dnssync_op_t *op, torii_buf_t *b,
    const dnssync_rrset_t *set)
{
    torii_str_t  zone, health;

    zone = dnssync_route53_option(set, "aws/target-hosted-zone");
    health = dnssync_route53_option(set, "aws/evaluate-target-health");

    torii_buf_adds(b, "<AliasTarget><HostedZoneId>");
    dnssync_xml_write(b, zone.len ? zone : op->zone.id);
    torii_buf_adds(b, "</HostedZoneId><DNSName>");

    if (set->n) {
        dnssync_route53_name(b, set->values[0]);
    }

    torii_buf_printf(b, "</DNSName><EvaluateTargetHealth>%s"
                     "</EvaluateTargetHealth></AliasTarget>",
                     torii_str_eqs(health, "true") ? "true" : "false");
}
