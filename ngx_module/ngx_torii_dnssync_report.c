
/*
 * What the helper says of DNS: findings about Ingresses and Secrets, and two
 * files for the admin pages.
 */

#include "ngx_torii_dnssync.h"
#include "ngx_torii_file.h"


#define NGX_TORII_DNSSYNC_SHARE  20      /* a report may take one of so many
                                            parts of the time */


/* A word of the engine's as the reason of a finding. */

typedef struct {
    const char          *word;
    const char          *reason;
    ingress_severity_e   severity;
} ngx_torii_dnssync_reason_t;


static void ngx_torii_dnssync_write(ngx_torii_dnssync_t *d, const char *name,
    const torii_buf_t *text);
static void ngx_torii_dnssync_notices(ngx_torii_dnssync_t *d,
    ingress_findings_t *findings);
static void ngx_torii_dnssync_notice(ngx_torii_dnssync_t *d,
    const dnssync_notice_t *notice, ingress_findings_t *findings);
static ngx_int_t ngx_torii_dnssync_subject(ngx_torii_dnssync_t *d,
    const dnssync_notice_t *notice, ingress_findings_t *findings,
    ingress_finding_t *f);
static void ngx_torii_dnssync_mute(ngx_torii_dnssync_t *d);
static void ngx_torii_dnssync_say(ngx_torii_dnssync_t *d,
    torii_arena_t *arena, ingress_findings_t *findings);


/*
 * What is not here is a warning, "Dns".  Without a reason it is no news to an
 * object's author, or over in a minute: /api/dns alone has it.
 */

static const ngx_torii_dnssync_reason_t  ngx_torii_dnssync_reasons[] = {
    { "policy", NULL, INGRESS_INFO },
    { "incomplete", NULL, INGRESS_INFO },
    { "stale", NULL, INGRESS_INFO },
    { "leader", NULL, INGRESS_INFO },
    { "unconfirmed", NULL, INGRESS_INFO },
    { "filtered", NULL, INGRESS_INFO },
    { "no-zone", NULL, INGRESS_INFO },
    { "empty", "DnsDeletionHeld", INGRESS_WARNING },
    { "writers", "DnsTwoWriters", INGRESS_WARNING },
    { "brake", "DnsDeletionHeld", INGRESS_WARNING },
    { "name", "DnsNameInvalid", INGRESS_WARNING },
    { "target", "DnsTargetInvalid", INGRESS_WARNING },
    { "annotation", "DnsAnnotationInvalid", INGRESS_WARNING },
    { "foreign", "DnsRecordForeign", INGRESS_WARNING },
    { "unowned", "DnsRecordForeign", INGRESS_WARNING },
    { "clash", "DnsRecordClash", INGRESS_WARNING },
    { "delegated", "DnsRecordClash", INGRESS_WARNING },
    { "lookup", "DnsTargetUnresolved", INGRESS_WARNING },
    { "no-targets", "DnsNoAddress", INGRESS_WARNING },
    { "loser", "DnsHostContested", INGRESS_WARNING },
    { "clamped", "DnsTtlChanged", INGRESS_INFO },
    { "diverges", "DnsDiverges", INGRESS_WARNING },
    { "failing", "DnsFailed", INGRESS_WARNING },
    { "delegation", "DnsDelegation", INGRESS_WARNING },
    { "not-served", "DnsNotServed", INGRESS_WARNING },
    { "down", "DnsProviderDown", INGRESS_WARNING },
    { "throttled", "DnsProviderThrottled", INGRESS_WARNING },
    { "denied", "DnsProviderDenied", INGRESS_ERROR },
    { "answer", "DnsProviderFailed", INGRESS_WARNING },
    { "setting", "DnsProvider", INGRESS_ERROR },
    { NULL, "Dns", INGRESS_WARNING }
};


void
ngx_torii_dnssync_report(ngx_torii_dnssync_t *d)
{
    uint64_t             cpu;
    torii_buf_t          text;
    torii_arena_t       *arena;
    ingress_findings_t   findings;

    cpu = ngx_torii_publish_cpu();

    arena = torii_arena_create(4096);
    ingress_findings_init(&findings, arena);
    ngx_memzero(&text, sizeof(torii_buf_t));

    d->dirty = 0;

    if (d->engine) {
        dnssync_engine_report(d->engine, ngx_torii_publish_ms(), 1, &text);
        ngx_torii_dnssync_write(d, "dns.json", &text);

        text.len = 0;
        ngx_torii_dnssync_metrics(d->engine, &text);
        ngx_torii_dnssync_write(d, "dns.metrics", &text);

        torii_buf_free(&text);

        /* those who do not lead know nothing of it */

        if (d->leads) {
            ngx_torii_dnssync_notices(d, &findings);
            ngx_torii_dnssync_mute(d);
        }
    }

    cpu = ngx_torii_publish_cpu() - cpu;

    d->report = ngx_torii_publish_us() + NGX_TORII_DNSSYNC_SHARE * cpu;

    ngx_torii_dnssync_say(d, arena, &findings);
}


static void
ngx_torii_dnssync_write(ngx_torii_dnssync_t *d, const char *name,
    const torii_buf_t *text)
{
    torii_str_t  data;

    data.data = text->data;
    data.len = text->len;

    (void) ngx_torii_file_write(&d->helper->tmcf->table_dir, torii_str(name),
                                data, 0, d->log);
}


static void
ngx_torii_dnssync_notices(ngx_torii_dnssync_t *d,
    ingress_findings_t *findings)
{
    uint32_t           i;
    dnssync_notice_t   notice;
    ingress_finding_t  *f;

    for (f = d->bad.first; f; f = f->next) {
        ingress_finding_copy(findings, f);
    }

    for (i = 0;
         dnssync_engine_notice(d->engine, i, &notice) == TORII_OK;
         i++)
    {
        ngx_torii_dnssync_notice(d, &notice, findings);
    }
}


static void
ngx_torii_dnssync_notice(ngx_torii_dnssync_t *d,
    const dnssync_notice_t *notice, ingress_findings_t *findings)
{
    ingress_finding_t                 *f;
    const ngx_torii_dnssync_reason_t  *r;

    r = ngx_torii_dnssync_reasons;

    while (r->word && (notice->why == NULL
                       || ngx_strcmp(r->word, notice->why) != 0))
    {
        r++;
    }

    if (r->reason == NULL) {
        return;
    }

    f = ingress_finding_add(findings, r->severity, r->reason,
                            torii_str(""), notice->name, "DNS%s%.*s%s: %.*s",
                            notice->zone.len ? " of \"" : "",
                            torii_str_arg(notice->zone),
                            notice->zone.len ? "\"" : "",
                            torii_str_arg(notice->text));

    if (f != &findings->spare) {
        (void) ngx_torii_dnssync_subject(d, notice, findings, f);
    }
}


/* "ingress/NAMESPACE/NAME", or the Secret of the account. */

static ngx_int_t
ngx_torii_dnssync_subject(ngx_torii_dnssync_t *d,
    const dnssync_notice_t *notice, ingress_findings_t *findings,
    ingress_finding_t *f)
{
    torii_str_t        rest, namespace, kind;
    ingress_kind_e     k;
    ingress_object_t  *o;

    k = INGRESS_KIND_SECRET;
    rest = notice->account;

    if (notice->resource.len) {
        k = INGRESS_KIND_INGRESS;
        rest = notice->resource;

        if (!torii_str_next(&rest, "/", &kind)
            || !torii_str_eqs(kind, "ingress"))
        {
            return NGX_DECLINED;
        }
    }

    if (!torii_str_next(&rest, "/", &namespace) || rest.data == NULL) {
        return NGX_DECLINED;
    }

    f->kind = torii_str(ingress_kind_name(k));
    f->namespace = torii_arena_str(findings->arena, namespace);
    f->name = torii_arena_str(findings->arena, rest);

    o = ingress_store_get(d->helper->store, k, namespace, rest);

    if (o) {
        f->file = torii_arena_str(findings->arena, o->file);
        f->line = o->line;
    }

    return NGX_OK;
}


/* Nobody has said what hosts are to point to. */

static void
ngx_torii_dnssync_mute(ngx_torii_dnssync_t *d)
{
    ngx_uint_t  mute;

    mute = d->helper->tmcf->kubernetes.publish == NGX_HTTP_TORII_PUBLISH_NONE;

    if (mute && !d->mute) {
        ngx_log_error(NGX_LOG_WARN, d->log, 0,
                      "torii: the gateway's addresses are not known, and only "
                      "hosts whose Ingress names a target get into DNS: add "
                      "\"torii_publish ADDRESS;\"");
    }

    d->mute = mute;
}


/* They go to the next table; one is made when they have changed. */

static void
ngx_torii_dnssync_say(ngx_torii_dnssync_t *d, torii_arena_t *arena,
    ingress_findings_t *findings)
{
    uint64_t            hash;
    torii_buf_t         text;
    ingress_finding_t  *f;

    ngx_memzero(&text, sizeof(torii_buf_t));

    for (f = findings->first; f; f = f->next) {
        ingress_finding_json(&text, f);
    }

    hash = torii_hash(text.data, text.len, 0);
    torii_buf_free(&text);

    torii_arena_destroy(d->said);

    d->said = arena;
    d->findings = findings->first;

    for (d->last = d->findings; d->last && d->last->next; ) {
        d->last = d->last->next;
    }

    if (hash != d->told) {
        d->told = hash;
        ngx_torii_pipeline_changed(d->helper, ngx_torii_publish_us());
        ngx_torii_pipeline_publish(d->helper);
    }
}
