
/*
 * Metrics of certificates and issuers.  The text format wants all series of a
 * name to stand together, so each name has a buffer until the end.
 */

#include "ngx_torii_acme.h"


typedef struct {
    const char  *name;
    const char  *type;
    const char  *help;
} ngx_torii_metric_t;


static void ngx_torii_metrics_put(ngx_torii_metrics_t *m,
    ngx_torii_metric_e metric, const torii_buf_t *labels, const char *more,
    int64_t value);
static void ngx_torii_metrics_label(torii_buf_t *b, const char *name,
    torii_str_t value);


/* In the order of ngx_torii_metric_e. */

static const ngx_torii_metric_t  ngx_torii_metrics[] = {

    { "certmanager_certificate_expiration_timestamp_seconds", "gauge",
      "When the certificate ends." },
    { "certmanager_certificate_not_after_timestamp_seconds", "gauge",
      "When the certificate ends." },
    { "certmanager_certificate_not_before_timestamp_seconds", "gauge",
      "When the certificate begins." },
    { "certmanager_certificate_renewal_timestamp_seconds", "gauge",
      "When the certificate is to be renewed." },
    { "certmanager_certificate_ready_status", "gauge",
      "Whether there is a certificate to serve." },
    { "torii_acme_next_attempt_timestamp_seconds", "gauge",
      "When a certificate is asked for next, 0: not planned." },
    { "torii_acme_failures", "gauge",
      "Attempts that failed since the last success." },
    { "torii_acme_issuer_ready", "gauge",
      "Whether the issuer has an account that works." },
    { "torii_acme_requests_total", "counter", "Requests to the issuer." },
    { "torii_acme_orders_total", "counter",
      "Orders for certificates that were made." },
    { "torii_acme_bad_nonces_total", "counter",
      "Nonces that the issuer refused." },
    { "torii_acme_rate_limited_total", "counter",
      "Requests that the issuer refused as too many." }
};


void
ngx_torii_metrics_certificate(ngx_torii_metrics_t *m, const acme_status_t *s,
    const ngx_torii_wanted_t *w)
{
    char          more[64];
    ngx_uint_t    i;
    torii_buf_t   labels;

    static const char  *conditions[] = {
        ",condition=\"True\"", ",condition=\"False\"", ",condition=\"Unknown\""
    };

    const struct {
        ngx_torii_metric_e  metric;
        int64_t             value;
    } times[] = {
        { NGX_TORII_METRIC_EXPIRATION, s->not_after },
        { NGX_TORII_METRIC_NOT_AFTER, s->not_after },
        { NGX_TORII_METRIC_NOT_BEFORE, s->not_before },
        { NGX_TORII_METRIC_RENEWAL, s->renewal }
    };

    ngx_memzero(&labels, sizeof(torii_buf_t));

    ngx_torii_metrics_label(&labels, "{name", w->secret);
    ngx_torii_metrics_label(&labels, ",namespace", w->namespace);
    ngx_torii_metrics_label(&labels, ",issuer_name", w->issuer);
    ngx_torii_metrics_label(&labels, ",issuer_kind", w->issuer_kind);
    ngx_torii_metrics_label(&labels, ",issuer_group",
                            torii_str("cert-manager.io"));

    for (i = 0; i < 4; i++) {
        if (times[i].value) {
            ngx_torii_metrics_put(m, times[i].metric, &labels, "",
                                  times[i].value);
        }
    }

    for (i = 0; i < 3; i++) {
        ngx_torii_metrics_put(m, NGX_TORII_METRIC_READY, &labels,
                              conditions[i], i == (w->served ? 0 : 1));
    }

    ngx_torii_metrics_put(m, NGX_TORII_METRIC_NEXT, &labels, "",
                          (int64_t) (s->next / 1000));

    (void) snprintf(more, sizeof(more), ",reason=\"%s\"",
                    acme_fail_name(s->fail));
    ngx_torii_metrics_put(m, NGX_TORII_METRIC_FAILURES, &labels, more,
                          s->failures);

    torii_buf_free(&labels);
}


void
ngx_torii_metrics_issuer(ngx_torii_metrics_t *m, const acme_issuer_status_t *s)
{
    torii_buf_t  labels;

    ngx_memzero(&labels, sizeof(torii_buf_t));

    ngx_torii_metrics_label(&labels, "{issuer", s->name);

    ngx_torii_metrics_put(m, NGX_TORII_METRIC_ISSUER, &labels, "",
                          s->state == ACME_CLIENT_READY);
    ngx_torii_metrics_put(m, NGX_TORII_METRIC_REQUESTS, &labels, "",
                          s->counts.requests);
    ngx_torii_metrics_put(m, NGX_TORII_METRIC_ORDERS, &labels, "",
                          s->counts.orders);
    ngx_torii_metrics_put(m, NGX_TORII_METRIC_NONCES, &labels, "",
                          s->counts.bad_nonces);
    ngx_torii_metrics_put(m, NGX_TORII_METRIC_LIMITED, &labels, "",
                          s->counts.limited);

    torii_buf_free(&labels);
}


static void
ngx_torii_metrics_put(ngx_torii_metrics_t *m, ngx_torii_metric_e metric,
    const torii_buf_t *labels, const char *more, int64_t value)
{
    torii_buf_printf(&m->names[metric], "%s%.*s%s} %lld\n",
                     ngx_torii_metrics[metric].name, (int) labels->len,
                     labels->data, more, (long long) value);
}


/* Values are names of objects and issuers: none has a line's end in it. */

static void
ngx_torii_metrics_label(torii_buf_t *b, const char *name, torii_str_t value)
{
    size_t  i;

    torii_buf_printf(b, "%s=\"", name);

    for (i = 0; i < value.len; i++) {
        if (value.data[i] == '"' || value.data[i] == '\\') {
            torii_buf_adds(b, "\\");
        }

        torii_buf_add(b, &value.data[i], 1);
    }

    torii_buf_adds(b, "\"");
}


void
ngx_torii_metrics_join(ngx_torii_metrics_t *m, torii_buf_t *out)
{
    ngx_uint_t                 i;
    const ngx_torii_metric_t  *metric;

    for (i = 0; i < NGX_TORII_METRIC_MAX; i++) {

        if (m->names[i].len == 0) {
            continue;
        }

        metric = &ngx_torii_metrics[i];

        torii_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name,
                         metric->help, metric->name, metric->type);
        torii_buf_add(out, m->names[i].data, m->names[i].len);
        torii_buf_free(&m->names[i]);
    }
}
