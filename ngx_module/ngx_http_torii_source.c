
/*
 * What the helper writes about its source into the control page, as JSON for
 * people and as metrics.
 */

#include "ngx_http_torii.h"


static ngx_int_t ngx_http_torii_source_read(ngx_torii_control_t *copy);
static uint64_t ngx_http_torii_source_now(void);
static double ngx_http_torii_source_stale(ngx_torii_control_kind_t *kind,
    uint64_t now);
static void ngx_http_torii_source_kind(ngx_torii_control_kind_t *kind,
    uint64_t now, torii_buf_t *out);
static void ngx_http_torii_source_field(torii_buf_t *out, char *name,
    char *value);
static void ngx_http_torii_source_sample(torii_buf_t *out, char *name,
    ngx_torii_control_kind_t *kind, char *state, double value);
static void ngx_http_torii_source_leader(ngx_torii_control_t *control,
    torii_buf_t *out);


static char  *ngx_http_torii_source_states[NGX_TORII_SOURCE_STATES] = {
    "syncing", "complete", "stale", "forbidden", "absent"
};


/* The helper may be writing: what is read is taken for what it may be. */

static ngx_int_t
ngx_http_torii_source_read(ngx_torii_control_t *copy)
{
    ngx_uint_t                 i;
    ngx_torii_control_t       *control;
    ngx_torii_control_kind_t  *kind;

    control = ngx_torii_control();
    if (control == NULL) {
        return NGX_DECLINED;
    }

    *copy = *control;

    copy->nkinds = ngx_min(copy->nkinds, NGX_TORII_CONTROL_KINDS);

    copy->lease[sizeof(copy->lease) - 1] = '\0';
    copy->holder[sizeof(copy->holder) - 1] = '\0';
    copy->error[sizeof(copy->error) - 1] = '\0';

    for (i = 0; i < copy->nkinds; i++) {
        kind = &copy->kinds[i];

        kind->state = ngx_min(kind->state, NGX_TORII_SOURCE_STATES - 1);
        kind->resource[sizeof(kind->resource) - 1] = '\0';
        kind->error[sizeof(kind->error) - 1] = '\0';
    }

    return NGX_OK;
}


static uint64_t
ngx_http_torii_source_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}


static double
ngx_http_torii_source_stale(ngx_torii_control_kind_t *kind, uint64_t now)
{
    return kind->stale && now > kind->stale ? (now - kind->stale) / 1000.0 : 0;
}


char *
ngx_http_torii_source_state(void)
{
    ngx_uint_t            i, state;
    ngx_torii_control_t   control;

    if (ngx_http_torii_source_read(&control) != NGX_OK || control.nkinds == 0) {
        return ngx_http_torii_source_states[NGX_TORII_SOURCE_NEVER];
    }

    state = NGX_TORII_SOURCE_COMPLETE;

    for (i = 0; i < control.nkinds; i++) {

        if (control.kinds[i].state == NGX_TORII_SOURCE_NEVER) {
            state = NGX_TORII_SOURCE_NEVER;
            break;
        }

        if (control.kinds[i].state == NGX_TORII_SOURCE_STALE) {
            state = NGX_TORII_SOURCE_STALE;
        }
    }

    return ngx_http_torii_source_states[state];
}


ngx_uint_t
ngx_http_torii_source_page(ngx_http_request_t *r,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_buf_t *out)
{
    uint64_t             now;
    ngx_uint_t           i;
    ngx_torii_control_t  control;

    if (ngx_http_torii_source_read(&control) != NGX_OK) {
        torii_buf_adds(out, "{}\n");
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    now = ngx_http_torii_source_now();

    torii_buf_adds(out, "{");
    ngx_http_torii_source_field(out, "state", ngx_http_torii_source_state());
    ngx_http_torii_source_field(out, "error", control.error);

    torii_buf_printf(out, "\"synced\":%lu,", (unsigned long) control.synced);

    if (control.leader != NGX_TORII_LEADER_NONE) {
        torii_buf_adds(out, "\"leader\":{");
        ngx_http_torii_source_field(out, "lease", control.lease);
        ngx_http_torii_source_field(out, "holder", control.holder);
        torii_buf_printf(out, "\"self\":%s},",
                         control.leader == NGX_TORII_LEADER_SELF ? "true"
                                                                 : "false");
    }

    torii_buf_adds(out, "\"resources\":[");

    for (i = 0; i < control.nkinds; i++) {
        torii_buf_adds(out, i ? ",\n" : "\n");
        ngx_http_torii_source_kind(&control.kinds[i], now, out);
    }

    torii_buf_adds(out, "\n]}\n");

    return NGX_HTTP_OK;
}


static void
ngx_http_torii_source_kind(ngx_torii_control_kind_t *kind, uint64_t now,
    torii_buf_t *out)
{
    torii_buf_adds(out, "{");
    ngx_http_torii_source_field(out, "resource", kind->resource);
    ngx_http_torii_source_field(out, "state",
                                ngx_http_torii_source_states[kind->state]);
    ngx_http_torii_source_field(out, "error", kind->error);

    torii_buf_printf(out, "\"objects\":%u,\"staleSeconds\":%.3f}",
                     kind->objects, ngx_http_torii_source_stale(kind, now));
}


static void
ngx_http_torii_source_field(torii_buf_t *out, char *name, char *value)
{
    torii_buf_printf(out, "\"%s\":", name);
    torii_buf_add_json(out, torii_str(value));
    torii_buf_adds(out, ",");
}


void
ngx_http_torii_source_metrics(torii_buf_t *out)
{
    uint64_t             now;
    ngx_uint_t           i, state;
    ngx_torii_control_t  control;

    if (ngx_http_torii_source_read(&control) != NGX_OK) {
        return;
    }

    now = ngx_http_torii_source_now();

    torii_buf_adds(out, "# HELP torii_source_state Whether a resource of the "
                   "source is in this state.\n"
                   "# TYPE torii_source_state gauge\n");

    for (i = 0; i < control.nkinds; i++) {
        for (state = 0; state < NGX_TORII_SOURCE_STATES; state++) {
            ngx_http_torii_source_sample(out, "torii_source_state",
                                         &control.kinds[i],
                                         ngx_http_torii_source_states[state],
                                         control.kinds[i].state == state);
        }
    }

    torii_buf_adds(out, "# HELP torii_source_stale_seconds How long a resource "
                   "has not been kept up to date.\n"
                   "# TYPE torii_source_stale_seconds gauge\n");

    for (i = 0; i < control.nkinds; i++) {
        ngx_http_torii_source_sample(out, "torii_source_stale_seconds",
                                     &control.kinds[i], NULL,
                                     ngx_http_torii_source_stale(
                                         &control.kinds[i], now));
    }

    torii_buf_adds(out, "# HELP torii_source_objects Objects that are known of "
                   "a resource.\n"
                   "# TYPE torii_source_objects gauge\n");

    for (i = 0; i < control.nkinds; i++) {
        ngx_http_torii_source_sample(out, "torii_source_objects",
                                     &control.kinds[i], NULL,
                                     control.kinds[i].objects);
    }

    ngx_http_torii_source_leader(&control, out);
}


static void
ngx_http_torii_source_sample(torii_buf_t *out, char *name,
    ngx_torii_control_kind_t *kind, char *state, double value)
{
    torii_buf_printf(out, "%s{resource=\"", name);
    ngx_http_torii_label_value(out, torii_str(kind->resource));

    if (state) {
        torii_buf_printf(out, "\",state=\"%s", state);
    }

    torii_buf_printf(out, "\"} %.15g\n", value);
}


static void
ngx_http_torii_source_leader(ngx_torii_control_t *control, torii_buf_t *out)
{
    if (control->leader == NGX_TORII_LEADER_NONE) {
        return;
    }

    torii_buf_adds(out,
        "# HELP nginx_ingress_controller_leader_election_status Whether this "
        "instance leads.\n"
        "# TYPE nginx_ingress_controller_leader_election_status gauge\n"
        "nginx_ingress_controller_leader_election_status{name=\"");
    ngx_http_torii_label_value(out, torii_str(control->lease));
    torii_buf_adds(out, "\",");
    ngx_http_torii_label_const(out);
    torii_buf_printf(out, "} %d\n",
                     control->leader == NGX_TORII_LEADER_SELF);
}
