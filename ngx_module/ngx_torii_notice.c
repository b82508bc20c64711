
/*
 * What happened to certificates in the last minutes, for Events.  On one
 * machine the log tells it, and nobody reads Events.
 */

#include "ngx_torii_acme.h"


#define NGX_TORII_NOTICE_MAX   256
#define NGX_TORII_NOTICE_LIFE  600000    /* ms */


typedef struct {
    ngx_queue_t              queue;      /* in a->notices, the oldest first */
    ngx_msec_t               until;
    torii_str_t              want;
    torii_str_t              text;
    const char              *reason;
    ngx_uint_t               warning;
} ngx_torii_notice_t;


static void ngx_torii_notice_remove(ngx_torii_acme_t *a,
    ngx_torii_notice_t *n);


/* The others are findings for as long as they last. */

static const char  *ngx_torii_notice_reasons[] = {
    "Issuing", "Issued", "ChallengeUnseen", "SecretContested"
};


void
ngx_torii_notice_init(ngx_torii_acme_t *a)
{
    ngx_queue_init(&a->notices);
}


void
ngx_torii_notice_add(ngx_torii_acme_t *a, torii_str_t want,
    const char *reason, ngx_uint_t warning, torii_str_t text)
{
    ngx_uint_t           i, n;
    ngx_queue_t         *q;
    ngx_torii_notice_t  *notice;

    n = sizeof(ngx_torii_notice_reasons) / sizeof(char *);

    for (i = 0; i < n; i++) {
        if (ngx_strcmp(ngx_torii_notice_reasons[i], reason) == 0) {
            break;
        }
    }

    if (i == n || want.len == 0 || !a->helper->tmcf->kubernetes.enable) {
        return;
    }

    if (a->nnotices == NGX_TORII_NOTICE_MAX) {
        q = ngx_queue_head(&a->notices);
        ngx_torii_notice_remove(a, ngx_queue_data(q, ngx_torii_notice_t,
                                                  queue));
    }

    notice = torii_zalloc(sizeof(ngx_torii_notice_t) + want.len + text.len);

    notice->until = ngx_current_msec + NGX_TORII_NOTICE_LIFE;
    notice->reason = reason;
    notice->warning = warning;
    notice->want.data = (u_char *) (notice + 1);
    notice->want.len = want.len;
    notice->text.data = ngx_cpymem(notice->want.data, want.data, want.len);
    notice->text.len = text.len;
    ngx_memcpy(notice->text.data, text.data, text.len);

    ngx_queue_insert_tail(&a->notices, &notice->queue);

    a->nnotices++;
    a->dirty = 1;
}


ngx_uint_t
ngx_torii_notice_expire(ngx_torii_acme_t *a)
{
    ngx_uint_t           n;
    ngx_queue_t         *q;
    ngx_torii_notice_t  *notice;

    for (n = 0; !ngx_queue_empty(&a->notices); n = 1) {
        q = ngx_queue_head(&a->notices);
        notice = ngx_queue_data(q, ngx_torii_notice_t, queue);

        if ((ngx_msec_int_t) (notice->until - ngx_current_msec) > 0) {
            break;
        }

        ngx_torii_notice_remove(a, notice);
    }

    return n;
}


void
ngx_torii_notice_findings(ngx_torii_acme_t *a, ingress_findings_t *findings)
{
    ngx_queue_t         *q;
    ingress_finding_t   *f;
    ngx_torii_notice_t  *notice;
    ngx_torii_wanted_t  *w;

    for (q = ngx_queue_head(&a->notices);
         q != ngx_queue_sentinel(&a->notices);
         q = ngx_queue_next(q))
    {
        notice = ngx_queue_data(q, ngx_torii_notice_t, queue);
        w = ngx_torii_acme_wanted(a, notice->want);

        if (w == NULL) {
            continue;
        }

        f = ingress_finding_add(findings, notice->warning ? INGRESS_WARNING
                                                          : INGRESS_INFO,
                                notice->reason, w->field, w->secret, "%.*s",
                                torii_str_arg(notice->text));
        ngx_torii_notice_owner(findings, f, w);
    }
}


/* What is wanted is found anew at each look: findings outlive it. */

void
ngx_torii_notice_owner(ingress_findings_t *findings, ingress_finding_t *f,
    const ngx_torii_wanted_t *w)
{
    if (f == &findings->spare) {
        return;
    }

    f->kind = w->kind;
    f->namespace = torii_arena_str(findings->arena, w->namespace);
    f->name = torii_arena_str(findings->arena, w->owner);
    f->file = torii_arena_str(findings->arena, w->file);
    f->line = w->line;
}


static void
ngx_torii_notice_remove(ngx_torii_acme_t *a, ngx_torii_notice_t *n)
{
    ngx_queue_remove(&n->queue);
    free(n);

    a->nnotices--;
}
