
/*
 * Metrics of DNS: of accounts, and of the zones that are in use.
 */

#include "ngx_torii_dnssync.h"


typedef enum {
    NGX_TORII_DNSSYNC_U32 = 0,
    NGX_TORII_DNSSYNC_U64,
    NGX_TORII_DNSSYNC_SECONDS,           /* of ms */
    NGX_TORII_DNSSYNC_READY,             /* of a trouble */
    NGX_TORII_DNSSYNC_WHOLE              /* of a zone's state */
} ngx_torii_dnssync_unit_e;

typedef struct {
    const char                *name;
    const char                *type;
    const char                *help;
    size_t                     offset;   /* of the status */
    ngx_torii_dnssync_unit_e   unit;
} ngx_torii_dnssync_metric_t;


static void ngx_torii_dnssync_metric_accounts(const dnssync_engine_t *engine,
    torii_buf_t *out);
static void ngx_torii_dnssync_metric_zones(const dnssync_engine_t *engine,
    torii_buf_t *out);
static void ngx_torii_dnssync_metric_words(const dnssync_engine_t *engine,
    torii_buf_t *out);
static void ngx_torii_dnssync_metric_head(torii_buf_t *out,
    const char *name, const char *type, const char *help);
static void ngx_torii_dnssync_metric_put(torii_buf_t *out,
    const ngx_torii_dnssync_metric_t *m, const void *status);
static void ngx_torii_dnssync_metric_label(torii_buf_t *out,
    const char *name, torii_str_t value);


#define ngx_torii_dnssync_account(field)                                      \
    offsetof(dnssync_account_status_t, field)
#define ngx_torii_dnssync_zone(field)                                         \
    offsetof(dnssync_zone_status_t, field)


static const ngx_torii_dnssync_metric_t  ngx_torii_dnssync_accounts_of[] = {

    { "torii_dns_account_ready", "gauge",
      "Whether the provider did what it was last asked for.",
      ngx_torii_dnssync_account(trouble), NGX_TORII_DNSSYNC_READY },
    { "torii_dns_requests_total", "counter", "Requests to the provider.",
      ngx_torii_dnssync_account(requests), NGX_TORII_DNSSYNC_U64 },
    { "torii_dns_refused_total", "counter",
      "Changes that the provider would not have.",
      ngx_torii_dnssync_account(refused), NGX_TORII_DNSSYNC_U64 },
    { "torii_dns_lost_total", "counter",
      "Changes that came upon something else than what was known.",
      ngx_torii_dnssync_account(lost), NGX_TORII_DNSSYNC_U64 },
    { "torii_dns_rate_percent", "gauge",
      "How much of its rate an account is used with, after it was told to "
      "slow down.",
      ngx_torii_dnssync_account(factor), NGX_TORII_DNSSYNC_U32 },
    { NULL, NULL, NULL, 0, 0 }
};

static const ngx_torii_dnssync_metric_t  ngx_torii_dnssync_zones_of[] = {

    { "torii_dns_zone_ready", "gauge", "Whether the zone was read whole.",
      ngx_torii_dnssync_zone(state), NGX_TORII_DNSSYNC_WHOLE },
    { "torii_dns_zone_sets", "gauge", "Sets of records in the zone.",
      ngx_torii_dnssync_zone(sets), NGX_TORII_DNSSYNC_U32 },
    { "torii_dns_zone_owned_sets", "gauge", "Sets of records that are ours.",
      ngx_torii_dnssync_zone(owned), NGX_TORII_DNSSYNC_U32 },
    { "torii_dns_zone_hosts", "gauge", "Hosts that are wanted in the zone.",
      ngx_torii_dnssync_zone(hosts), NGX_TORII_DNSSYNC_U32 },
    { "torii_dns_zone_pending", "gauge", "Changes that are not done yet.",
      ngx_torii_dnssync_zone(pending), NGX_TORII_DNSSYNC_U32 },
    { "torii_dns_zone_held", "gauge",
      "Deletions that wait for the operator.",
      ngx_torii_dnssync_zone(held), NGX_TORII_DNSSYNC_U32 },
    { "torii_dns_zone_listed_timestamp_seconds", "gauge",
      "When the zone was last read whole.",
      ngx_torii_dnssync_zone(listed), NGX_TORII_DNSSYNC_SECONDS },
    { "torii_dns_zone_propagation_seconds", "gauge",
      "From the last change to the last server that had it.",
      ngx_torii_dnssync_zone(propagation), NGX_TORII_DNSSYNC_SECONDS },
    { "torii_dns_zone_probes_total", "counter",
      "Looks whether the zone has changed.",
      ngx_torii_dnssync_zone(probes), NGX_TORII_DNSSYNC_U32 },
    { "torii_dns_zone_lists_total", "counter", "Listings of the zone.",
      ngx_torii_dnssync_zone(lists), NGX_TORII_DNSSYNC_U32 },
    { "torii_dns_zone_applies_total", "counter", "Writes to the zone.",
      ngx_torii_dnssync_zone(applies), NGX_TORII_DNSSYNC_U32 },
    { NULL, NULL, NULL, 0, 0 }
};


void
ngx_torii_dnssync_metrics(const dnssync_engine_t *engine, torii_buf_t *out)
{
    ngx_torii_dnssync_metric_accounts(engine, out);
    ngx_torii_dnssync_metric_words(engine, out);
    ngx_torii_dnssync_metric_zones(engine, out);
}


static void
ngx_torii_dnssync_metric_accounts(const dnssync_engine_t *engine,
    torii_buf_t *out)
{
    uint32_t                           i;
    dnssync_account_status_t           s;
    const ngx_torii_dnssync_metric_t  *m;

    for (m = ngx_torii_dnssync_accounts_of; m->name; m++) {

        ngx_torii_dnssync_metric_head(out, m->name, m->type, m->help);

        for (i = 0;
             dnssync_engine_account_status(engine, i, &s) == TORII_OK;
             i++)
        {
            torii_buf_adds(out, m->name);
            ngx_torii_dnssync_metric_label(out, "{account", s.name);
            ngx_torii_dnssync_metric_label(out, ",provider",
                                           torii_str(s.driver));
            ngx_torii_dnssync_metric_put(out, m, &s);
        }
    }
}


/* Those with a word more: what was done, and what went wrong. */

static void
ngx_torii_dnssync_metric_words(const dnssync_engine_t *engine,
    torii_buf_t *out)
{
    uint32_t                  i;
    ngx_uint_t                k;
    dnssync_account_status_t  s;

    static const char  *const  edits[] = {
        "create", "change", "adopt", "lock", "delete"
    };

    ngx_torii_dnssync_metric_head(out, "torii_dns_changes_total", "counter",
                                  "Changes that were done.");

    for (i = 0;
         dnssync_engine_account_status(engine, i, &s) == TORII_OK;
         i++)
    {
        for (k = 0; k <= DNSSYNC_EDIT_DELETE; k++) {
            torii_buf_adds(out, "torii_dns_changes_total");
            ngx_torii_dnssync_metric_label(out, "{account", s.name);
            torii_buf_printf(out, ",what=\"%s\"} %llu\n", edits[k],
                             (unsigned long long) s.edits[k]);
        }
    }

    ngx_torii_dnssync_metric_head(out, "torii_dns_failures_total", "counter",
                                  "Operations that failed.");

    for (i = 0;
         dnssync_engine_account_status(engine, i, &s) == TORII_OK;
         i++)
    {
        for (k = DNSSYNC_TROUBLE_NONE + 1; k < DNSSYNC_TROUBLES; k++) {
            torii_buf_adds(out, "torii_dns_failures_total");
            ngx_torii_dnssync_metric_label(out, "{account", s.name);
            torii_buf_printf(out, ",reason=\"%s\"} %llu\n",
                             dnssync_trouble_word(k),
                             (unsigned long long) s.failures[k]);
        }
    }
}


static void
ngx_torii_dnssync_metric_zones(const dnssync_engine_t *engine,
    torii_buf_t *out)
{
    uint32_t                           i;
    dnssync_zone_status_t              s;
    const ngx_torii_dnssync_metric_t  *m;

    for (m = ngx_torii_dnssync_zones_of; m->name; m++) {

        ngx_torii_dnssync_metric_head(out, m->name, m->type, m->help);

        for (i = 0;
             dnssync_engine_zone_status(engine, i, &s) == TORII_OK;
             i++)
        {
            if (!s.used) {
                continue;
            }

            torii_buf_adds(out, m->name);
            ngx_torii_dnssync_metric_label(out, "{account", s.account);
            ngx_torii_dnssync_metric_label(out, ",zone", s.name);
            ngx_torii_dnssync_metric_label(out, ",view", s.view);
            ngx_torii_dnssync_metric_put(out, m, &s);
        }
    }
}


static void
ngx_torii_dnssync_metric_head(torii_buf_t *out, const char *name,
    const char *type, const char *help)
{
    torii_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                     type);
}


static void
ngx_torii_dnssync_metric_put(torii_buf_t *out,
    const ngx_torii_dnssync_metric_t *m, const void *status)
{
    const void  *p;

    p = (const u_char *) status + m->offset;

    switch (m->unit) {

    case NGX_TORII_DNSSYNC_U32:
        torii_buf_printf(out, "} %u\n", *(const uint32_t *) p);
        break;

    case NGX_TORII_DNSSYNC_U64:
        torii_buf_printf(out, "} %llu\n",
                         (unsigned long long) *(const uint64_t *) p);
        break;

    case NGX_TORII_DNSSYNC_SECONDS:
        torii_buf_printf(out, "} %.3f\n", *(const uint64_t *) p / 1000.0);
        break;

    case NGX_TORII_DNSSYNC_READY:
        torii_buf_printf(out, "} %d\n", *(const dnssync_trouble_e *) p
                                        == DNSSYNC_TROUBLE_NONE);
        break;

    default:
        torii_buf_printf(out, "} %d\n", *(const dnssync_zone_state_e *) p
                                        == DNSSYNC_ZONE_COMPLETE);
        break;
    }
}


/* Values are names of objects and zones; whatever they are, it is one line. */

static void
ngx_torii_dnssync_metric_label(torii_buf_t *out, const char *name,
    torii_str_t value)
{
    size_t  i;

    torii_buf_printf(out, "%s=\"", name);

    for (i = 0; i < value.len; i++) {

        if (value.data[i] < 0x20) {
            continue;
        }

        if (value.data[i] == '"' || value.data[i] == '\\') {
            torii_buf_adds(out, "\\");
        }

        torii_buf_add(out, &value.data[i], 1);
    }

    torii_buf_adds(out, "\"");
}
