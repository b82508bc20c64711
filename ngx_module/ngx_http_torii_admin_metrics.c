
/*
 * "/metrics" of what the gateway is as a whole: the table, the helper, its
 * connections.  Those of requests, logins, certificates and DNS are theirs.
 */

#include "ngx_http_torii_login.h"


static void ngx_http_torii_admin_gauge(torii_buf_t *out, char *name,
    char *type, char *help, double value);
static void ngx_http_torii_admin_control(torii_buf_t *out);
static void ngx_http_torii_admin_table(ngx_torii_table_t *table,
    torii_buf_t *out);
static void ngx_http_torii_admin_certs(ingress_table_t *t, torii_buf_t *out);
static void ngx_http_torii_admin_orphans(ingress_table_t *t,
    torii_buf_t *out);
static void ngx_http_torii_admin_connections(torii_buf_t *out);
#if (NGX_STAT_STUB)
static void ngx_http_torii_admin_state(torii_buf_t *out, char *name,
    char *state, ngx_atomic_uint_t n);
#endif


ngx_uint_t
ngx_http_torii_admin_metrics(ngx_http_request_t *r,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_buf_t *out)
{
    torii_buf_adds(out, "# HELP nginx_ingress_controller_build_info The "
                   "version.\n"
                   "# TYPE nginx_ingress_controller_build_info gauge\n"
                   "nginx_ingress_controller_build_info{release=\""
                   TORII_VERSION "\",build=\"nginx/" NGINX_VERSION "\","
                   "repository=\"torii\",");
    ngx_http_torii_label_const(out);
    torii_buf_adds(out, "} 1\n");

    ngx_http_torii_admin_control(out);
    ngx_http_torii_source_metrics(out);
    ngx_http_torii_admin_connections(out);

    ngx_http_torii_acme_metrics(tmcf, out);
    ngx_http_torii_dns_metrics(tmcf, out);
    ngx_torii_login_metrics(out);
    ngx_torii_login_meters(out);

    if (table) {
        ngx_http_torii_admin_table(table, out);
        ngx_http_torii_admin_certs(&table->table, out);
        ngx_http_torii_admin_orphans(&table->table, out);
    }

    return NGX_HTTP_OK;
}


void
ngx_http_torii_label_value(torii_buf_t *out, torii_str_t value)
{
    size_t  i;

    for (i = 0; i < value.len; i++) {

        switch (value.data[i]) {

        case '\n':
            torii_buf_adds(out, "\\n");
            break;

        case '\\':
        case '"':
            torii_buf_adds(out, "\\");

            /* fall through */

        default:
            torii_buf_add(out, &value.data[i], 1);
        }
    }
}


/* Labels that ingress-nginx puts on all that it exports. */

void
ngx_http_torii_label_const(torii_buf_t *out)
{
    torii_buf_adds(out, "controller_class=\"k8s.io/ingress-nginx\","
                   "controller_namespace=\"\",controller_pod=\"");
    ngx_http_torii_label_value(out, (torii_str_t) { ngx_cycle->hostname.len,
                                                ngx_cycle->hostname.data });
    torii_buf_adds(out, "\"");
}


static void
ngx_http_torii_admin_gauge(torii_buf_t *out, char *name, char *type,
    char *help, double value)
{
    torii_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s{", name, help, name,
                     type, name);
    ngx_http_torii_label_const(out);
    torii_buf_printf(out, "} %.15g\n", value);
}


static void
ngx_http_torii_admin_control(torii_buf_t *out)
{
    ngx_torii_control_t  *control;

    control = ngx_torii_control();

    if (control == NULL) {
        return;
    }

    ngx_http_torii_admin_gauge(out,
        "nginx_ingress_controller_success", "counter",
        "Tables published.", control->publishes);
    ngx_http_torii_admin_gauge(out,
        "nginx_ingress_controller_errors", "counter",
        "Tables that could not be written.", control->failures);
    ngx_http_torii_admin_gauge(out,
        "nginx_ingress_controller_config_last_reload_successful", "gauge",
        "Whether the last change of objects is in force.",
        control->failed == 0);
    ngx_http_torii_admin_gauge(out,
        "nginx_ingress_controller_config_last_reload_successful_timestamp"
        "_seconds", "gauge",
        "When the last table was published.", control->published / 1000.0);
    ngx_http_torii_admin_gauge(out,
        "torii_publish_seconds_sum", "counter",
        "Time from a change seen to its table published, summed.",
        control->publish_us_sum / 1e6);
    ngx_http_torii_admin_gauge(out,
        "torii_publish_seconds_count", "counter",
        "Tables that torii_publish_seconds_sum is of.", control->publishes);
    ngx_http_torii_admin_gauge(out,
        "torii_publish_last_seconds", "gauge",
        "The same of the last change.", control->publish_us / 1e6);
    ngx_http_torii_admin_gauge(out,
        "torii_compile_last_seconds", "gauge",
        "Compile time of the last table.", control->compile_us / 1e6);
    ngx_http_torii_admin_gauge(out,
        "torii_source_synced_timestamp_seconds", "gauge",
        "When the source was last read whole.", control->synced / 1000.0);
    ngx_http_torii_admin_gauge(out,
        "torii_helper_beat_timestamp_seconds", "gauge",
        "When the helper process was last alive.", control->beat / 1000.0);
}


static void
ngx_http_torii_admin_table(ngx_torii_table_t *table, torii_buf_t *out)
{
    const ingress_table_header_t  *header;

    header = table->table.header;

    ngx_http_torii_admin_gauge(out, "torii_table_generation", "gauge",
        "Generation of the table in force in this worker.",
        table->generation);
    ngx_http_torii_admin_gauge(out, "torii_table_bytes", "gauge",
        "Size of that table.", table->table.size);
    ngx_http_torii_admin_gauge(out, "torii_table_hosts", "gauge",
        "Hosts in that table.", ingress_table_n(&table->table, HOSTS));
    ngx_http_torii_admin_gauge(out, "torii_table_routes", "gauge",
        "Routes in that table.", ingress_table_n(&table->table, ROUTES));
    ngx_http_torii_admin_gauge(out, "nginx_ingress_controller_config_hash",
        "gauge", "Hash of that table.",
        (double) (header->checksum & 0xffffffffffffULL));

    torii_buf_printf(out, "# HELP torii_findings What is wrong with the "
                     "objects.\n# TYPE torii_findings gauge\n"
                     "torii_findings{severity=\"error\"} %u\n"
                     "torii_findings{severity=\"warning\"} %u\n",
                     header->errors, header->warnings);
}


static void
ngx_http_torii_admin_certs(ingress_table_t *t, torii_buf_t *out)
{
    uint32_t                     i;
    const ingress_table_cert_t  *cert;

    torii_buf_adds(out,
        "# HELP nginx_ingress_controller_ssl_expire_time_seconds When a "
        "certificate expires.\n"
        "# TYPE nginx_ingress_controller_ssl_expire_time_seconds gauge\n");

    for (i = 0; i < ingress_table_n(t, CERTS); i++) {
        cert = &t->certs[i];

        torii_buf_adds(out,
            "nginx_ingress_controller_ssl_expire_time_seconds{"
            "class=\"k8s.io/ingress-nginx\",host=\"");
        ngx_http_torii_label_value(out, ingress_table_str(t, cert->host));
        torii_buf_adds(out, "\",namespace=\"");
        ngx_http_torii_label_value(out, ingress_table_str(t, cert->namespace));
        torii_buf_adds(out, "\",secret_name=\"");
        ngx_http_torii_label_value(out, ingress_table_str(t, cert->secret));
        torii_buf_printf(out, "\"} %lu\n", (unsigned long) cert->not_after);
    }
}


static void
ngx_http_torii_admin_orphans(ingress_table_t *t, torii_buf_t *out)
{
    char                           *type;
    u_char                         *seen;
    uint32_t                        i;
    const ingress_table_route_t    *route;
    const ingress_table_ingress_t  *ingress;

    torii_buf_adds(out,
        "# HELP nginx_ingress_controller_orphan_ingress Ingresses without "
        "Service or endpoints.\n"
        "# TYPE nginx_ingress_controller_orphan_ingress gauge\n");

    seen = torii_zalloc(ingress_table_n(t, INGRESSES) + 1);

    for (i = 0; i < ingress_table_n(t, ROUTES); i++) {
        route = &t->routes[i];

        if (route->ingress == INGRESS_NONE || seen[route->ingress]
            || (route->flags & INGRESS_ROUTE_AUTO))
        {
            continue;
        }

        if (route->backend == INGRESS_NONE
            || t->backends[route->backend].type == INGRESS_BACKEND_MISSING)
        {
            type = "no-service";

        } else if (t->backends[route->backend].n == 0) {
            type = "no-endpoint";

        } else {
            continue;
        }

        seen[route->ingress] = 1;
        ingress = &t->ingresses[route->ingress];

        torii_buf_adds(out,
            "nginx_ingress_controller_orphan_ingress{namespace=\"");
        ngx_http_torii_label_value(out,
                                   ingress_table_str(t, ingress->namespace));
        torii_buf_adds(out, "\",ingress=\"");
        ngx_http_torii_label_value(out, ingress_table_str(t, ingress->name));
        torii_buf_printf(out, "\",type=\"%s\",", type);
        ngx_http_torii_label_const(out);
        torii_buf_adds(out, "} 1\n");
    }

    free(seen);
}


static void
ngx_http_torii_admin_connections(torii_buf_t *out)
{
#if (NGX_STAT_STUB)
    static char  now[] = "nginx_ingress_controller_nginx_process_connections";
    static char  total[] = "nginx_ingress_controller_nginx_process_connections"
                           "_total";

    torii_buf_printf(out, "# HELP %s Client connections.\n"
                     "# TYPE %s gauge\n", now, now);

    ngx_http_torii_admin_state(out, now, "active", *ngx_stat_active);
    ngx_http_torii_admin_state(out, now, "reading", *ngx_stat_reading);
    ngx_http_torii_admin_state(out, now, "writing", *ngx_stat_writing);
    ngx_http_torii_admin_state(out, now, "waiting", *ngx_stat_waiting);

    torii_buf_printf(out, "# HELP %s Client connections since the start.\n"
                     "# TYPE %s counter\n", total, total);

    ngx_http_torii_admin_state(out, total, "accepted", *ngx_stat_accepted);
    ngx_http_torii_admin_state(out, total, "handled", *ngx_stat_handled);

    ngx_http_torii_admin_gauge(out,
        "nginx_ingress_controller_nginx_process_requests_total", "counter",
        "Client requests since the start.", *ngx_stat_requests);
#endif
}


#if (NGX_STAT_STUB)

static void
ngx_http_torii_admin_state(torii_buf_t *out, char *name, char *state,
    ngx_atomic_uint_t n)
{
    torii_buf_printf(out, "%s{state=\"%s\",", name, state);
    ngx_http_torii_label_const(out);
    torii_buf_printf(out, "} %lu\n", (unsigned long) n);
}

#endif
