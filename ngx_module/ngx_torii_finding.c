
/*
 * Errors in the objects, for those who read logs: each is told when it is
 * found first, and no flood of them may fill the disk.
 */

#include "ngx_torii_helper.h"


#define NGX_TORII_FINDING_LINES  20     /* at once; then one a second */


static ngx_uint_t ngx_torii_finding_allowed(ngx_torii_finding_log_t *fl);
static ngx_uint_t ngx_torii_finding_known(ngx_torii_finding_log_t *fl,
    uint64_t hash);
static int ngx_torii_finding_compare(const void *one, const void *two);
static void ngx_torii_finding_line(ngx_torii_finding_log_t *fl,
    torii_buf_t *text);


void
ngx_torii_finding_log(ngx_torii_finding_log_t *fl,
    ingress_findings_t *findings)
{
    size_t                    n;
    uint64_t                 *hashes;
    ngx_uint_t                more;
    torii_buf_t               text;
    const ingress_finding_t  *f;

    n = 0;
    more = 0;
    hashes = torii_malloc((findings->n + 1) * sizeof(uint64_t));
    ngx_memzero(&text, sizeof(torii_buf_t));

    for (f = findings->first; f && n < findings->n; f = f->next) {

        if (f->severity != INGRESS_ERROR) {
            continue;
        }

        text.len = 0;
        ingress_finding_text(&text, f);

        hashes[n] = torii_hash(text.data, text.len, 0);

        if (ngx_torii_finding_known(fl, hashes[n++])) {
            continue;
        }

        if (ngx_torii_finding_allowed(fl)) {
            ngx_torii_finding_line(fl, &text);

        } else {
            more++;
        }
    }

    if (more) {
        ngx_log_error(NGX_LOG_WARN, fl->log, 0,
                      "torii: %ui more new errors; \"%V\" lists them all",
                      more, &fl->where);
    }

    torii_buf_free(&text);
    free(fl->known);

    qsort(hashes, n, sizeof(uint64_t), ngx_torii_finding_compare);

    fl->known = hashes;
    fl->n = n;
}


static ngx_uint_t
ngx_torii_finding_allowed(ngx_torii_finding_log_t *fl)
{
    time_t  now;

    now = ngx_time();

    if (now > fl->counted) {
        fl->lines = ngx_min(fl->lines + (now - fl->counted),
                            NGX_TORII_FINDING_LINES);
        fl->counted = now;
    }

    if (fl->lines == 0) {
        return 0;
    }

    fl->lines--;

    return 1;
}


static ngx_uint_t
ngx_torii_finding_known(ngx_torii_finding_log_t *fl, uint64_t hash)
{
    return fl->n
           && bsearch(&hash, fl->known, fl->n, sizeof(uint64_t),
                      ngx_torii_finding_compare)
              != NULL;
}


static int
ngx_torii_finding_compare(const void *one, const void *two)
{
    uint64_t  a, b;

    a = *(const uint64_t *) one;
    b = *(const uint64_t *) two;

    return a < b ? -1 : a > b;
}


static void
ngx_torii_finding_line(ngx_torii_finding_log_t *fl, torii_buf_t *text)
{
    size_t  i;

    while (text->len && text->data[text->len - 1] == '\n') {
        text->len--;
    }

    for (i = 0; i < text->len; i++) {
        if (text->data[i] < 0x20 || text->data[i] == 0x7f) {
            text->data[i] = '?';
        }
    }

    ngx_log_error(NGX_LOG_WARN, fl->log, 0, "torii: %*s", text->len,
                  text->data);
}
