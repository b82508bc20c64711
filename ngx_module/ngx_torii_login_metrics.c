
/*
 * Figures of logins, of all workers: what came of them by provider and reason,
 * and what other servers said that were asked.  Room is made for so many
 * providers at the start; those that come later are counted together.
 */

#include "ngx_torii_login_shm.h"


#define NGX_TORII_AUDIT_NAME  128      /* bytes of a name in a log */


static const struct {
    char   *name;
    char   *label;
    char   *help;
} ngx_torii_meter_names[NGX_TORII_METERS] = {
    { "login_results_total", "reason",
      "Logins that came to an end, by reason; ok: into a session." },
    { "login_denials_total", "reason",
      "Requests that a login did not let in, by reason." },
    { "login_cookies_total", "result",
      "Session cookies that were opened, by what came of it." }
};

static char  *ngx_torii_asked_names[NGX_TORII_ASKED] = {
    "allowed", "denied", "failed", "cached"
};

static const struct {
    char   *name;
    char   *labels;
    size_t  offset;            /* ngx_atomic_t in ngx_torii_meter_t */
    char   *help;
} ngx_torii_meter_fields[] = {
    { "login_sessions_cached_total", ",result=\"hit\"",
      offsetof(ngx_torii_meter_t, hits),
      "Sessions that a worker knew already, or had to open." },
    { "login_sessions_cached_total", ",result=\"miss\"",
      offsetof(ngx_torii_meter_t, misses), NULL },
    { "login_provider_requests_total", "",
      offsetof(ngx_torii_meter_t, requests),
      "Requests to a provider." },
    { "login_provider_failures_total", "",
      offsetof(ngx_torii_meter_t, failures),
      "Those without an answer, or with 5xx." },
    { NULL, NULL, 0, NULL }
};


static ngx_torii_meters_t *ngx_torii_meters(void);
static ngx_torii_meter_t *ngx_torii_meter(ngx_http_torii_provider_t *p);
static ngx_uint_t ngx_torii_meter_slot(ngx_torii_meters_t *meters,
    torii_str_t id);
static void ngx_torii_meter_head(torii_buf_t *out, char *name, char *help);
static void ngx_torii_meter_label(torii_buf_t *out, ngx_torii_meter_t *m);
static void ngx_torii_meter_reasons(torii_buf_t *out,
    ngx_torii_meters_t *meters, ngx_uint_t what);
static void ngx_torii_meter_seconds(torii_buf_t *out, ngx_atomic_uint_t ms);
static char *ngx_torii_meter_result(oauth2_fail_e fail);


static ngx_torii_meters_t *
ngx_torii_meters(void)
{
    ngx_slab_pool_t        *shpool;
    ngx_torii_login_shm_t  *shm;

    shm = ngx_torii_login_shm(&shpool);

    return shm->meters;
}


void
ngx_torii_login_meter(ngx_http_torii_provider_t *p, ngx_torii_meter_e what,
    oauth2_fail_e fail)
{
    (void) ngx_atomic_fetch_add(&ngx_torii_meter(p)->reasons[what][fail], 1);
}


void
ngx_torii_login_meter_cache(ngx_http_torii_provider_t *p, ngx_uint_t hit)
{
    ngx_torii_meter_t  *m;

    m = ngx_torii_meter(p);

    (void) ngx_atomic_fetch_add(hit ? &m->hits : &m->misses, 1);
}


void
ngx_torii_login_meter_time(ngx_http_torii_provider_t *p, ngx_msec_t ms,
    ngx_uint_t status)
{
    ngx_torii_meter_t  *m;

    m = ngx_torii_meter(p);

    (void) ngx_atomic_fetch_add(&m->ms, ms);
    (void) ngx_atomic_fetch_add(&m->requests, 1);

    if (status == 0 || status >= NGX_HTTP_INTERNAL_SERVER_ERROR) {
        (void) ngx_atomic_fetch_add(&m->failures, 1);
    }
}


void
ngx_torii_login_meter_asked(ngx_torii_asked_e what)
{
    (void) ngx_atomic_fetch_add(&ngx_torii_meters()->asked[what], 1);
}


void
ngx_torii_login_meter_asked_time(ngx_msec_t ms)
{
    ngx_torii_meters_t  *meters;

    meters = ngx_torii_meters();

    (void) ngx_atomic_fetch_add(&meters->asked_ms, ms);
    (void) ngx_atomic_fetch_add(&meters->asked_n, 1);
}


void
ngx_torii_login_audit(ngx_log_t *log, ngx_http_torii_provider_t *p, char *what,
    torii_str_t sub, const char *reason)
{
    size_t  i, n;
    u_char  name[NGX_TORII_AUDIT_NAME];

    n = ngx_min(sub.len, NGX_TORII_AUDIT_NAME);

    for (i = 0; i < n; i++) {
        name[i] = (sub.data[i] < 0x20 || sub.data[i] == 0x7f
                   || sub.data[i] == '"')
                  ? '?' : sub.data[i];
    }

    ngx_log_error(NGX_LOG_NOTICE, log, 0,
                  "torii: user \"%*s\" %s, login provider \"%*s\"%s%s", n, name,
                  what, p->id.len, p->id.data, reason ? ": " : "",
                  reason ? reason : "");
}


/* The first of all is that of providers without room of their own. */

static ngx_torii_meter_t *
ngx_torii_meter(ngx_http_torii_provider_t *p)
{
    ngx_slab_pool_t     *shpool;
    ngx_torii_meters_t  *meters;

    meters = ngx_torii_meters();

    if (!p->metered) {
        (void) ngx_torii_login_shm(&shpool);

        ngx_shmtx_lock(&shpool->mutex);

        p->meter = ngx_torii_meter_slot(meters, p->id);

        ngx_shmtx_unlock(&shpool->mutex);

        p->metered = 1;
    }

    return &meters->list[p->meter];
}


static ngx_uint_t
ngx_torii_meter_slot(ngx_torii_meters_t *meters, torii_str_t id)
{
    ngx_uint_t          i;
    ngx_torii_meter_t  *m;

    if (id.len > NGX_TORII_METER_NAME) {
        return 0;
    }

    for (i = 1; i < NGX_TORII_METER_PROVIDERS; i++) {
        m = &meters->list[i];

        if (m->len == 0) {
            ngx_memcpy(m->name, id.data, id.len);
            ngx_memory_barrier();
            m->len = id.len;
            return i;
        }

        if (m->len == id.len && ngx_memcmp(m->name, id.data, id.len) == 0) {
            return i;
        }
    }

    return 0;
}


void
ngx_torii_login_meters(torii_buf_t *out)
{
    ngx_uint_t           i, k;
    ngx_atomic_t        *n;
    ngx_torii_meter_t   *m;
    ngx_torii_meters_t  *meters;

    meters = ngx_torii_meters();

    for (i = 0; i < NGX_TORII_METERS; i++) {
        ngx_torii_meter_reasons(out, meters, i);
    }

    for (k = 0; ngx_torii_meter_fields[k].name; k++) {

        if (ngx_torii_meter_fields[k].help) {
            ngx_torii_meter_head(out, ngx_torii_meter_fields[k].name,
                                 ngx_torii_meter_fields[k].help);
        }

        for (i = 0; i < NGX_TORII_METER_PROVIDERS; i++) {
            m = &meters->list[i];
            n = (ngx_atomic_t *) ((u_char *) m
                                  + ngx_torii_meter_fields[k].offset);

            if (*n == 0) {
                continue;
            }

            torii_buf_printf(out, "torii_%s{", ngx_torii_meter_fields[k].name);
            ngx_torii_meter_label(out, m);
            torii_buf_printf(out, "%s} %lu\n",
                             ngx_torii_meter_fields[k].labels,
                             (unsigned long) *n);
        }
    }

    ngx_torii_meter_head(out, "login_provider_seconds_total",
                         "Time that requests to a provider took.");

    for (i = 0; i < NGX_TORII_METER_PROVIDERS; i++) {
        m = &meters->list[i];

        if (m->requests == 0) {
            continue;
        }

        torii_buf_adds(out, "torii_login_provider_seconds_total{");
        ngx_torii_meter_label(out, m);
        torii_buf_adds(out, "} ");
        ngx_torii_meter_seconds(out, m->ms);
    }

    ngx_torii_meter_head(out, "auth_requests_total",
                         "Requests that a server of auth-url decided on.");

    for (i = 0; i < NGX_TORII_ASKED; i++) {
        torii_buf_printf(out, "torii_auth_requests_total{result=\"%s\"} %lu\n",
                         ngx_torii_asked_names[i],
                         (unsigned long) meters->asked[i]);
    }

    ngx_torii_meter_head(out, "auth_questions_total",
                         "Questions to servers of auth-url.");
    torii_buf_printf(out, "torii_auth_questions_total %lu\n",
                     (unsigned long) meters->asked_n);

    ngx_torii_meter_head(out, "auth_seconds_total",
                         "Time that they took.");
    torii_buf_adds(out, "torii_auth_seconds_total ");
    ngx_torii_meter_seconds(out, meters->asked_ms);
}


static void
ngx_torii_meter_head(torii_buf_t *out, char *name, char *help)
{
    torii_buf_printf(out, "# HELP torii_%s %s\n# TYPE torii_%s counter\n",
                     name, help, name);
}


static void
ngx_torii_meter_label(torii_buf_t *out, ngx_torii_meter_t *m)
{
    torii_str_t  name;

    name.len = m->len;
    name.data = m->name;

    torii_buf_adds(out, "provider=\"");
    ngx_http_torii_label_value(out, name.len ? name : torii_str("others"));
    torii_buf_adds(out, "\"");
}


static void
ngx_torii_meter_reasons(torii_buf_t *out, ngx_torii_meters_t *meters,
    ngx_uint_t what)
{
    ngx_uint_t          i, fail;
    ngx_torii_meter_t  *m;

    ngx_torii_meter_head(out, ngx_torii_meter_names[what].name,
                         ngx_torii_meter_names[what].help);

    for (i = 0; i < NGX_TORII_METER_PROVIDERS; i++) {
        m = &meters->list[i];

        for (fail = 0; fail < OAUTH2_FAIL_MAX; fail++) {

            if (m->reasons[what][fail] == 0) {
                continue;
            }

            torii_buf_printf(out, "torii_%s{",
                             ngx_torii_meter_names[what].name);
            ngx_torii_meter_label(out, m);

            if (what == NGX_TORII_METER_LOGIN) {
                torii_buf_printf(out, ",result=\"%s\"",
                                 ngx_torii_meter_result(fail));
            }

            torii_buf_printf(out, ",%s=\"%s\"} %lu\n",
                             ngx_torii_meter_names[what].label,
                             oauth2_fail_name(fail),
                             (unsigned long) m->reasons[what][fail]);
        }
    }
}


static char *
ngx_torii_meter_result(oauth2_fail_e fail)
{
    switch (fail) {

    case OAUTH2_OK:
        return "done";

    case OAUTH2_EMAIL_MISSING:
    case OAUTH2_EMAIL_UNVERIFIED:
    case OAUTH2_DENIED_EMAIL:
    case OAUTH2_DENIED_GROUP:
    case OAUTH2_DENIED_MEMBER:
        return "denied";

    default:
        return "failed";
    }
}


static void
ngx_torii_meter_seconds(torii_buf_t *out, ngx_atomic_uint_t ms)
{
    torii_buf_printf(out, "%lu.%03lu\n", (unsigned long) (ms / 1000),
                     (unsigned long) (ms % 1000));
}


/* "/api/sessions": figures alone, and nobody's name. */

ngx_uint_t
ngx_torii_login_page(ngx_http_request_t *r, ngx_http_torii_main_conf_t *tmcf,
    ngx_torii_table_t *table, torii_buf_t *out)
{
    ngx_uint_t              i, what, fail, n, more;
    torii_str_t             name;
    ngx_slab_pool_t        *shpool;
    ngx_torii_meter_t      *m;
    ngx_torii_login_shm_t  *shm;

    shm = ngx_torii_login_shm(&shpool);
    more = 0;

    ngx_shmtx_lock(&shpool->mutex);
    n = shm->sets[NGX_TORII_LOGIN_REVOKED].n;
    ngx_shmtx_unlock(&shpool->mutex);

    torii_buf_printf(out, "{\"revoked\":%lu,\"providers\":[",
                     (unsigned long) n);

    for (i = 0; i < NGX_TORII_METER_PROVIDERS; i++) {
        m = &shm->meters->list[i];

        if (m->len == 0 && i) {
            break;
        }

        if (m->len == 0 && m->requests == 0) {
            continue;
        }

        name.len = m->len;
        name.data = m->name;

        torii_buf_adds(out, more++ ? ",{\"name\":" : "{\"name\":");
        torii_buf_add_json(out, name);

        for (what = 0; what < NGX_TORII_METERS; what++) {
            torii_buf_printf(out, ",\"%s\":{", ngx_torii_meter_names[what].name
                                               + sizeof("login_") - 1);
            n = 0;

            for (fail = 0; fail < OAUTH2_FAIL_MAX; fail++) {
                if (m->reasons[what][fail]) {
                    torii_buf_printf(out, "%s\"%s\":%lu", n++ ? "," : "",
                                     oauth2_fail_name(fail),
                                     (unsigned long) m->reasons[what][fail]);
                }
            }

            torii_buf_adds(out, "}");
        }

        torii_buf_adds(out, "}");
    }

    torii_buf_adds(out, "]}\n");

    return NGX_HTTP_OK;
}
