
/*
 * What people see: findings, accounts, zones and hosts.
 */

#include <stdio.h>
#include <stdlib.h>

#include "dnssync_work.h"


static int dnssync_notice_plan(const dnssync_plan_t *plan, torii_str_t account,
    uint32_t *i, dnssync_notice_t *notice);
static int dnssync_notice_agent(const dnssync_agent_t *a, uint32_t *i,
    dnssync_notice_t *notice);
static int dnssync_notice_domain(const dnssync_domain_t *d, uint32_t *i,
    dnssync_notice_t *notice);
static int dnssync_notice_set(uint32_t *i, dnssync_notice_t *notice,
    const char *why, const char *text);
static void dnssync_domain_status(const dnssync_domain_t *d,
    dnssync_zone_status_t *status);
static void dnssync_report_accounts(const dnssync_engine_t *e,
    torii_buf_t *b);
static void dnssync_report_zones(const dnssync_engine_t *e, torii_buf_t *b);
static void dnssync_report_findings(const dnssync_engine_t *e,
    torii_buf_t *b);
static void dnssync_report_hosts(const dnssync_domain_t *d, uint32_t *n,
    torii_buf_t *b);
static void dnssync_report_host(const dnssync_domain_t *d,
    const dnssync_endpoint_t *p, const dnssync_edit_t *edit,
    const dnssync_finding_t *f, torii_buf_t *b);
static int dnssync_report_edit_order(const void *one, const void *two);
static int dnssync_report_finding_order(const void *one, const void *two);
static int dnssync_report_endpoint_order(const void *one, const void *two);
static void dnssync_report_text(torii_buf_t *b, const char *key,
    torii_str_t s);
static void dnssync_report_number(torii_buf_t *b, const char *key,
    uint64_t value);


static const torii_str_t  dnssync_nothing = torii_null_string;

static const char *const  dnssync_edit_words[] = {
    "create", "change", "adopt", "lock", "delete"
};

static const char *const  dnssync_state_words[] = {
    "unknown", "failed", "complete"
};


int
dnssync_engine_notice(const dnssync_engine_t *e, uint32_t i,
    dnssync_notice_t *notice)
{
    uint32_t                k, n;
    const dnssync_agent_t  *a;

    memset(notice, 0, sizeof(dnssync_notice_t));

    if (dnssync_notice_plan(&e->said, dnssync_nothing, &i, notice)
        || dnssync_notice_plan(&e->routed, dnssync_nothing, &i, notice))
    {
        return TORII_OK;
    }

    for (k = 0; k < e->nagents; k++) {
        a = e->agents[k];

        if (dnssync_notice_agent(a, &i, notice)) {
            return TORII_OK;
        }

        for (n = 0; n < a->ndomains; n++) {
            if (dnssync_notice_domain(a->domains[n], &i, notice)) {
                return TORII_OK;
            }
        }
    }

    return TORII_DECLINED;
}


static int
dnssync_notice_plan(const dnssync_plan_t *plan, torii_str_t account,
    uint32_t *i, dnssync_notice_t *notice)
{
    const dnssync_finding_t  *f;

    if (*i >= plan->nfindings) {
        *i -= plan->nfindings;
        return 0;
    }

    f = &plan->findings[*i];

    notice->why = dnssync_why_word(f->why);
    notice->account = account;
    notice->zone = f->zone;
    notice->name = f->name;
    notice->resource = f->resource;
    notice->text = f->text;

    return 1;
}


static int
dnssync_notice_agent(const dnssync_agent_t *a, uint32_t *i,
    dnssync_notice_t *notice)
{
    notice->account = a->account->name;

    if (a->listing.fails
        && dnssync_notice_set(i, notice,
                              dnssync_trouble_word(a->listing.trouble),
                              a->listing.error))
    {
        return 1;
    }

    return a->pause.trouble != DNSSYNC_TROUBLE_NONE
           && dnssync_notice_set(i, notice,
                                 dnssync_trouble_word(a->pause.trouble),
                                 a->pause.error);
}


static int
dnssync_notice_domain(const dnssync_domain_t *d, uint32_t *i,
    dnssync_notice_t *notice)
{
    notice->account = d->agent->account->name;
    notice->zone = d->zone.name;

    if ((d->frozen
         && dnssync_notice_set(i, notice,
                               dnssync_why_word(DNSSYNC_WHY_AMBIGUOUS),
                               "there is more than one zone of this name: "
                               "put them into views, hence none of them is "
                               "changed"))
        || (d->used && d->pause.fails
            && dnssync_notice_set(i, notice,
                                  dnssync_trouble_word(d->pause.trouble),
                                  d->pause.error))
        || (d->used && d->elsewhere[0]
            && dnssync_notice_set(i, notice, "delegation", d->elsewhere))
        || (d->unseen[0]
            && dnssync_notice_set(i, notice, "propagation", d->unseen)))
    {
        return 1;
    }

    return dnssync_notice_plan(&d->said, notice->account, i, notice);
}


static int
dnssync_notice_set(uint32_t *i, dnssync_notice_t *notice, const char *why,
    const char *text)
{
    if (*i) {
        (*i)--;
        return 0;
    }

    notice->why = why;
    notice->text = torii_str(text);

    return 1;
}


int
dnssync_engine_account_status(const dnssync_engine_t *e, uint32_t i,
    dnssync_account_status_t *status)
{
    const dnssync_agent_t  *a;
    const dnssync_pause_t  *pause;

    memset(status, 0, sizeof(dnssync_account_status_t));

    if (i >= e->nagents) {
        return TORII_DECLINED;
    }

    a = e->agents[i];
    pause = a->listing.fails ? &a->listing : &a->pause;

    status->name = a->account->name;
    status->driver = a->account->driver->name;
    status->trouble = pause->trouble;
    status->error = torii_str(pause->error);
    status->until = (pause->until > e->now) ? pause->until : 0;
    status->zones = a->ndomains;
    status->factor = a->rate.factor;
    status->requests = a->requests;
    status->refused = a->refused;
    status->lost = a->lost;

    memcpy(status->failures, a->failures, sizeof(status->failures));
    memcpy(status->edits, a->edits, sizeof(status->edits));

    return TORII_OK;
}


int
dnssync_engine_zone_status(const dnssync_engine_t *e, uint32_t i,
    dnssync_zone_status_t *status)
{
    uint32_t                k;
    const dnssync_agent_t  *a;

    memset(status, 0, sizeof(dnssync_zone_status_t));

    for (k = 0; k < e->nagents; k++) {
        a = e->agents[k];

        if (i < a->ndomains) {
            dnssync_domain_status(a->domains[i], status);
            return TORII_OK;
        }

        i -= a->ndomains;
    }

    return TORII_DECLINED;
}


static void
dnssync_domain_status(const dnssync_domain_t *d, dnssync_zone_status_t *status)
{
    status->account = d->agent->account->name;
    status->id = d->zone.id;
    status->name = d->zone.name;
    status->view = d->zone.view;
    status->state = d->zone.state;
    status->trouble = d->pause.trouble;
    status->error = torii_str(d->pause.error);
    status->listed = d->zone.listed * DNSSYNC_SECOND_MS;
    status->next = (d->pause.until > d->probe) ? d->pause.until : d->probe;
    status->sets = d->zone.n;
    status->owned = d->owned;
    status->hosts = d->hosts;
    status->pending = d->plan.n - d->at;
    status->held = d->held;
    status->probes = d->probes;
    status->lists = d->lists;
    status->applies = d->applies;
    status->propagation = d->propagation;
    status->used = d->used;
    status->frozen = d->frozen;
}


void
dnssync_engine_edits(const dnssync_engine_t *e,
    int (*visit)(void *data, torii_str_t account, const dnssync_edit_t *edit),
    void *data)
{
    uint32_t                 i, k, n;
    const dnssync_agent_t   *a;
    const dnssync_domain_t  *d;

    for (i = 0; i < e->nagents; i++) {
        a = e->agents[i];

        for (k = 0; k < a->ndomains; k++) {
            d = a->domains[k];

            for (n = d->at; n < d->plan.n; n++) {
                if (!visit(data, a->account->name, &d->plan.edits[n])) {
                    return;
                }
            }
        }
    }
}


void
dnssync_engine_report(const dnssync_engine_t *e, uint64_t now, int hosts,
    torii_buf_t *b)
{
    uint32_t  i, k, n;

    torii_buf_printf(b, "{\"leader\":%s,\"complete\":%s",
                     e->leads ? "true" : "false",
                     e->complete ? "true" : "false");
    dnssync_report_number(b, "now", now / 1000);

    dnssync_report_accounts(e, b);
    dnssync_report_zones(e, b);
    dnssync_report_findings(e, b);

    if (hosts) {
        torii_buf_adds(b, ",\n\"hosts\":[");

        for (i = 0, n = 0; i < e->nagents; i++) {
            for (k = 0; k < e->agents[i]->ndomains; k++) {
                dnssync_report_hosts(e->agents[i]->domains[k], &n, b);
            }
        }

        torii_buf_adds(b, "]");
    }

    torii_buf_adds(b, "}\n");
}


static void
dnssync_report_accounts(const dnssync_engine_t *e, torii_buf_t *b)
{
    uint32_t                   i, k;
    dnssync_account_status_t   s;

    torii_buf_adds(b, ",\n\"accounts\":[");

    for (i = 0; dnssync_engine_account_status(e, i, &s) == TORII_OK; i++) {
        torii_buf_adds(b, i ? ",\n{\"name\":" : "\n{\"name\":");
        torii_buf_add_json(b, s.name);
        dnssync_report_text(b, "driver", torii_str(s.driver));
        dnssync_report_text(b, "trouble",
                            torii_str(dnssync_trouble_word(s.trouble)));
        dnssync_report_text(b, "error", s.error);
        dnssync_report_number(b, "until", s.until / 1000);
        dnssync_report_number(b, "zones", s.zones);
        dnssync_report_number(b, "rate", s.factor);
        dnssync_report_number(b, "requests", s.requests);
        dnssync_report_number(b, "refused", s.refused);
        dnssync_report_number(b, "lost", s.lost);
        torii_buf_adds(b, ",\"edits\":{");

        for (k = 0; k <= DNSSYNC_EDIT_DELETE; k++) {
            torii_buf_printf(b, "%s\"%s\":%llu", k ? "," : "",
                             dnssync_edit_words[k],
                             (unsigned long long) s.edits[k]);
        }

        torii_buf_adds(b, "}}");
    }

    torii_buf_adds(b, "]");
}


static void
dnssync_report_zones(const dnssync_engine_t *e, torii_buf_t *b)
{
    uint32_t               i;
    dnssync_zone_status_t  s;

    torii_buf_adds(b, ",\n\"zones\":[");

    for (i = 0; dnssync_engine_zone_status(e, i, &s) == TORII_OK; i++) {
        torii_buf_adds(b, i ? ",\n{\"account\":" : "\n{\"account\":");
        torii_buf_add_json(b, s.account);
        dnssync_report_text(b, "id", s.id);
        dnssync_report_text(b, "name", s.name);
        dnssync_report_text(b, "view", s.view);
        dnssync_report_text(b, "state",
                            torii_str(s.frozen ? "frozen"
                                      : !s.used ? "unused"
                                      : dnssync_state_words[s.state]));
        dnssync_report_text(b, "trouble",
                            torii_str(dnssync_trouble_word(s.trouble)));
        dnssync_report_text(b, "error", s.error);
        dnssync_report_number(b, "listed", s.listed / 1000);
        dnssync_report_number(b, "next", s.next / 1000);
        dnssync_report_number(b, "sets", s.sets);
        dnssync_report_number(b, "owned", s.owned);
        dnssync_report_number(b, "hosts", s.hosts);
        dnssync_report_number(b, "pending", s.pending);
        dnssync_report_number(b, "held", s.held);
        dnssync_report_number(b, "propagation_ms", s.propagation);
        torii_buf_adds(b, "}");
    }

    torii_buf_adds(b, "]");
}


static void
dnssync_report_findings(const dnssync_engine_t *e, torii_buf_t *b)
{
    uint32_t          i;
    dnssync_notice_t  n;

    torii_buf_adds(b, ",\n\"findings\":[");

    for (i = 0; dnssync_engine_notice(e, i, &n) == TORII_OK; i++) {
        torii_buf_adds(b, i ? ",\n{\"why\":" : "\n{\"why\":");
        torii_buf_add_json(b, torii_str(n.why));
        dnssync_report_text(b, "account", n.account);
        dnssync_report_text(b, "zone", n.zone);
        dnssync_report_text(b, "name", n.name);
        dnssync_report_text(b, "resource", n.resource);
        dnssync_report_text(b, "text", n.text);
        torii_buf_adds(b, "}");
    }

    torii_buf_adds(b, "]");
}


/* Three lists in order of names, side by side. */

static void
dnssync_report_hosts(const dnssync_domain_t *d, uint32_t *n, torii_buf_t *b)
{
    uint32_t                    i, edit, finding, nedits;
    torii_str_t                 name;
    torii_arena_t              *a;
    const dnssync_edit_t      **edits;
    const dnssync_finding_t   **findings;
    const dnssync_endpoint_t  **ends;

    a = torii_arena_create(4 * 1024);

    nedits = d->plan.n - d->at;
    ends = torii_arena_alloc(a, (d->n + 1) * sizeof(void *));
    edits = torii_arena_alloc(a, (nedits + 1) * sizeof(void *));
    findings = torii_arena_alloc(a, (d->said.nfindings + 1) * sizeof(void *));

    for (i = 0; i < d->n; i++) {
        ends[i] = &d->endpoints[i];
    }

    for (i = 0; i < nedits; i++) {
        edits[i] = &d->plan.edits[d->at + i];
    }

    for (i = 0; i < d->said.nfindings; i++) {
        findings[i] = &d->said.findings[i];
    }

    qsort(ends, d->n, sizeof(void *), dnssync_report_endpoint_order);
    qsort(edits, nedits, sizeof(void *), dnssync_report_edit_order);
    qsort(findings, d->said.nfindings, sizeof(void *),
          dnssync_report_finding_order);

    edit = 0;
    finding = 0;

    for (i = 0; i < d->n; i++) {
        name = ends[i]->name;

        if (name.len == 0 || (i && torii_str_eq(ends[i - 1]->name, name))) {
            continue;
        }

        while (edit < nedits && torii_str_cmp(edits[edit]->name, name) < 0) {
            edit++;
        }

        while (finding < d->said.nfindings
               && torii_str_cmp(findings[finding]->name, name) < 0)
        {
            finding++;
        }

        torii_buf_adds(b, (*n)++ ? ",\n" : "\n");

        dnssync_report_host(d, ends[i],
                            edit < nedits
                            && torii_str_eq(edits[edit]->name, name)
                            ? edits[edit] : NULL,
                            finding < d->said.nfindings
                            && torii_str_eq(findings[finding]->name, name)
                            ? findings[finding] : NULL, b);
    }

    torii_arena_destroy(a);
}


static void
dnssync_report_host(const dnssync_domain_t *d, const dnssync_endpoint_t *p,
    const dnssync_edit_t *edit, const dnssync_finding_t *f, torii_buf_t *b)
{
    const char  *state;

    state = edit ? "pending" : f ? "refused" : p->n == 0 ? "kept"
            : d->frozen ? "frozen" : d->owned ? "published" : "unknown";

    if (d->zone.state != DNSSYNC_ZONE_COMPLETE && !d->frozen) {
        state = "unknown";
    }

    torii_buf_adds(b, "{\"name\":");
    torii_buf_add_json(b, p->name);
    dnssync_report_text(b, "zone", d->zone.name);
    dnssync_report_text(b, "account", d->agent->account->name);
    dnssync_report_text(b, "resource", p->resource);
    dnssync_report_text(b, "state", torii_str(state));

    if (edit != NULL) {
        dnssync_report_text(b, "edit",
                            torii_str(dnssync_edit_words[edit->what]));
    }

    if (f != NULL) {
        dnssync_report_text(b, "why", torii_str(dnssync_why_word(f->why)));
    }

    torii_buf_adds(b, "}");
}


static int
dnssync_report_edit_order(const void *one, const void *two)
{
    const dnssync_edit_t *const  *a, *const *b;

    a = one;
    b = two;

    return torii_str_cmp((*a)->name, (*b)->name);
}


static int
dnssync_report_finding_order(const void *one, const void *two)
{
    const dnssync_finding_t *const  *a, *const *b;

    a = one;
    b = two;

    return torii_str_cmp((*a)->name, (*b)->name);
}


static int
dnssync_report_endpoint_order(const void *one, const void *two)
{
    const dnssync_endpoint_t *const  *a, *const *b;

    a = one;
    b = two;

    return torii_str_cmp((*a)->name, (*b)->name);
}


static void
dnssync_report_text(torii_buf_t *b, const char *key, torii_str_t s)
{
    torii_buf_printf(b, ",\"%s\":", key);
    torii_buf_add_json(b, s);
}


static void
dnssync_report_number(torii_buf_t *b, const char *key, uint64_t value)
{
    torii_buf_printf(b, ",\"%s\":%llu", key, (unsigned long long) value);
}
