
/*
 * Domains that a webhook is in charge of, which are taken for zones.
 */

#include "dnssync_webhook.h"


static void dnssync_webhook_domain(torii_arena_t *a,
    dnssync_webhook_t *found, torii_str_t name);
static void dnssync_webhook_keep(dnssync_account_t *account,
    const dnssync_webhook_t *found);


/* Zones that are named come first, then the filter, then its own word. */

const char *
dnssync_webhook_filter(dnssync_op_t *op, torii_str_t body)
{
    uint32_t                 i;
    torii_arena_t           *a;
    dnssync_webhook_t       *w, found;
    const torii_node_t      *doc, *list;
    const dnssync_filter_t  *filter;

    w = op->account->data;
    a = op->arena;
    filter = &op->account->conf.filter;

    doc = dnssync_http_json(a, body);

    if (doc == NULL || (doc->type != TORII_NODE_MAP
                        && doc->type != TORII_NODE_NULL))
    {
        return "the answer is no domain filter";
    }

    list = torii_node_get(doc, "include");

    if (list == NULL) {
        list = torii_node_get(doc, "filters");
    }

    if (list != NULL && list->type != TORII_NODE_LIST) {
        list = NULL;
    }

    memset(&found, 0, sizeof(dnssync_webhook_t));

    found.zones = torii_arena_alloc(a, ((list ? list->n : 0)
                                        + op->account->nzones
                                        + filter->ninclude + 1)
                                       * sizeof(torii_str_t));

    for (i = 0; i < op->account->nzones; i++) {
        dnssync_webhook_domain(a, &found, op->account->zones[i]);
    }

    if (op->account->nzones == 0) {

        for (i = 0; i < filter->ninclude; i++) {
            dnssync_webhook_domain(a, &found, filter->include[i]);
        }

        for (i = 0; list && filter->ninclude == 0 && i < list->n; i++) {
            dnssync_webhook_domain(a, &found, list->items[i]->text);
        }
    }

    dnssync_webhook_keep(op->account, &found);
    w->known = 1;

    return NULL;
}


static void
dnssync_webhook_domain(torii_arena_t *a, dnssync_webhook_t *found,
    torii_str_t name)
{
    if (name.len && name.data[0] == '.') {
        name.data++;
        name.len--;
    }

    if (dnssync_record_read(a, name, &found->zones[found->nzones])
        == TORII_OK)
    {
        found->nzones++;
    }
}


/* The account's memory grows only when something is another. */

static void
dnssync_webhook_keep(dnssync_account_t *account,
    const dnssync_webhook_t *found)
{
    uint32_t            i;
    dnssync_webhook_t  *w;

    w = account->data;

    for (i = 0; i < found->nzones && i < w->nzones; i++) {
        if (!torii_str_eq(found->zones[i], w->zones[i])) {
            break;
        }
    }

    if (i == found->nzones && i == w->nzones) {
        return;
    }

    w->nzones = found->nzones;
    w->zones = torii_arena_alloc(account->arena, (found->nzones + 1)
                                                 * sizeof(torii_str_t));

    for (i = 0; i < found->nzones; i++) {
        w->zones[i] = torii_arena_str(account->arena, found->zones[i]);
    }
}


int
dnssync_webhook_in(const dnssync_op_t *op, torii_str_t name)
{
    size_t               best;
    uint32_t             i;
    torii_str_t          zone, end;
    dnssync_webhook_t   *w;

    w = op->account->data;
    best = 0;

    for (i = 0; i <= w->nzones; i++) {
        zone = (i < w->nzones) ? w->zones[i] : op->zone.name;

        if (name.len < zone.len || zone.len <= best) {
            continue;
        }

        end.data = name.data + name.len - zone.len;
        end.len = zone.len;

        if (torii_str_eq(end, zone)
            && (name.len == zone.len || end.data[-1] == '.'))
        {
            best = zone.len;
        }
    }

    end.data = name.data + name.len - best;
    end.len = best;

    return best != 0 && torii_str_eq(end, op->zone.name);
}
