
/*
 * Whether the world looks where we write to: the servers that a zone is
 * delegated to, as the resolver finds them, next to those that the zone names
 * at its top.  A difference is told, and changes nothing else.
 */

#include <stdio.h>

#include "dnssync_rdata.h"
#include "dnssync_work.h"


#define DNSSYNC_DELEGATION_EVERY  (24 * DNSSYNC_HOUR_MS)
#define DNSSYNC_DELEGATION_AGAIN  DNSSYNC_HOUR_MS        /* after no answer */


static int dnssync_delegation_due(dnssync_engine_t *e, dnssync_domain_t *d);
static const dnssync_rrset_t *dnssync_delegation_top(
    const dnssync_domain_t *d);
static dnssync_domain_t *dnssync_delegation_find(dnssync_engine_t *e,
    uint32_t ticket);
static int dnssync_delegation_in(const torii_str_t *one, uint32_t n,
    const torii_str_t *all, uint32_t nall);
static int dnssync_delegation_name(dnssync_name_t *name, torii_str_t value);
static void dnssync_delegation_list(torii_buf_t *b, const torii_str_t *servers,
    uint32_t n);


int
dnssync_delegation_next(dnssync_engine_t *e, dnssync_action_t *action)
{
    uint32_t           i, k;
    dnssync_domain_t  *d;

    if (!e->delegation || !e->leads) {
        return TORII_DECLINED;
    }

    for (i = 0; i < e->nagents; i++) {
        for (k = 0; k < e->agents[i]->ndomains; k++) {
            d = e->agents[i]->domains[k];

            if (!dnssync_delegation_due(e, d)) {
                continue;
            }

            d->delegation = dnssync_engine_ticket(e);

            action->what = DNSSYNC_DO_SERVERS;
            action->ticket = d->delegation;
            action->zone = d->zone.name;

            return TORII_OK;
        }
    }

    return TORII_DECLINED;
}


/* Nobody outside is told of a private zone; and some providers do not list
   the servers at its top. */

static int
dnssync_delegation_due(dnssync_engine_t *e, dnssync_domain_t *d)
{
    if (!d->used || d->frozen || d->delegation
        || d->zone.state != DNSSYNC_ZONE_COMPLETE
        || torii_str_eqs(d->zone.view, "private")
        || !dnssync_engine_due(e, &d->delegated, DNSSYNC_DELEGATION_EVERY))
    {
        return 0;
    }

    if (dnssync_delegation_top(d) != NULL) {
        return 1;
    }

    d->delegated = e->now + DNSSYNC_DELEGATION_AGAIN;
    d->elsewhere[0] = '\0';

    return 0;
}


static const dnssync_rrset_t *
dnssync_delegation_top(const dnssync_domain_t *d)
{
    uint32_t                i;
    const dnssync_rrset_t  *set;

    for (i = 0; i < d->zone.n; i++) {
        set = &d->zone.sets[i];

        if (set->type == DNSSYNC_NS && torii_str_eq(set->name, d->zone.name)) {
            return set;
        }
    }

    return NULL;
}


void
dnssync_engine_servers(dnssync_engine_t *e, uint64_t now, uint32_t ticket,
    const char *error, const torii_str_t *servers, uint32_t n)
{
    torii_buf_t             b;
    dnssync_domain_t       *d;
    const dnssync_rrset_t  *top;

    e->now = now;

    d = dnssync_delegation_find(e, ticket);
    if (d == NULL) {
        return;
    }

    top = dnssync_delegation_top(d);

    d->delegation = 0;
    d->delegated = now + (error ? DNSSYNC_DELEGATION_AGAIN
                                : DNSSYNC_DELEGATION_EVERY);
    e->wake = 0;

    if (error != NULL || top == NULL) {
        return;
    }

    d->elsewhere[0] = '\0';

    if (!dnssync_delegation_in(servers, n, top->values, top->n)
        || !dnssync_delegation_in(top->values, top->n, servers, n))
    {
        memset(&b, 0, sizeof(torii_buf_t));

        torii_buf_printf(&b, "%.*s is ", torii_str_arg(d->zone.name));
        torii_buf_adds(&b, n ? "delegated to " : "not delegated");
        dnssync_delegation_list(&b, servers, n);
        torii_buf_adds(&b, ", but records are written to ");
        dnssync_delegation_list(&b, top->values, top->n);

        (void) snprintf(d->elsewhere, sizeof(d->elsewhere), "%.*s",
                        (int) b.len, (char *) b.data);
        torii_buf_free(&b);
    }

    dnssync_engine_changed(e);
}


static dnssync_domain_t *
dnssync_delegation_find(dnssync_engine_t *e, uint32_t ticket)
{
    uint32_t          i, k;
    dnssync_agent_t  *a;

    for (i = 0; ticket && i < e->nagents; i++) {
        a = e->agents[i];

        for (k = 0; k < a->ndomains; k++) {
            if (a->domains[k]->delegation == ticket) {
                return a->domains[k];
            }
        }
    }

    return NULL;
}


/* Whether each of these is one of those; what is no name is none of them. */

static int
dnssync_delegation_in(const torii_str_t *one, uint32_t n,
    const torii_str_t *all, uint32_t nall)
{
    uint32_t        i, k;
    dnssync_name_t  a, b;

    for (i = 0; i < n; i++) {

        if (dnssync_delegation_name(&a, one[i]) != TORII_OK) {
            return 0;
        }

        for (k = 0; k < nall; k++) {
            if (dnssync_delegation_name(&b, all[k]) == TORII_OK
                && dnssync_name_eq(&a, &b))
            {
                break;
            }
        }

        if (k == nall) {
            return 0;
        }
    }

    return 1;
}


/* As providers' interfaces have it; or as it was transferred, in hex. */

static int
dnssync_delegation_name(dnssync_name_t *name, torii_str_t value)
{
    int               rc;
    torii_buf_t       b;
    torii_str_t       data;
    dnssync_reader_t  r;

    if (value.len && memchr(value.data, '.', value.len) != NULL) {
        return dnssync_name_parse(name, value);
    }

    memset(&b, 0, sizeof(torii_buf_t));

    rc = dnssync_rdata_unhex(&b, value);

    if (rc == TORII_OK) {
        data.data = b.data;
        data.len = b.len;

        r = dnssync_reader(data);
        dnssync_read_name(&r, name);

        rc = (r.failed || r.p != r.last) ? TORII_ERROR : TORII_OK;
    }

    torii_buf_free(&b);

    return rc;
}


static void
dnssync_delegation_list(torii_buf_t *b, const torii_str_t *servers, uint32_t n)
{
    char            text[DNSSYNC_TEXT_MAX];
    uint32_t        i;
    dnssync_name_t  name;

    for (i = 0; i < n; i++) {

        if (dnssync_delegation_name(&name, servers[i]) != TORII_OK) {
            continue;
        }

        dnssync_name_text(&name, text);
        torii_buf_printf(b, "%s%s", i ? ", " : "", text);
    }
}
