
/*
 * Any bytes as a problem document, a list of links, a date: each is read or
 * refused, what people will see is text, and what is to be asked for is a URL.
 */

#include <stdlib.h>

#include "acme_client_machine.h"
#include "acme_date.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const torii_tree_limits_t  fuzz_limits = { 64 * 1024, 5000, 16 };


static void
fuzz_text(const char *text, size_t size)
{
    if (strnlen(text, size) == size || torii_str_has_control(torii_str(text))
        || !torii_str_is_utf8(torii_str(text)))
    {
        abort();
    }
}


static void
fuzz_is_problem(const acme_problem_t *p)
{
    if (p->fail == ACME_FAIL_NONE || p->text[0] == '\0'
        || strcmp(acme_fail_name(p->fail), "unknown") == 0)
    {
        abort();
    }

    fuzz_text(p->type, sizeof(p->type));
    fuzz_text(p->identifier, sizeof(p->identifier));
    fuzz_text(p->instance, sizeof(p->instance));
    fuzz_text(p->text, sizeof(p->text));
}


static void
fuzz_problem(torii_arena_t *a, torii_str_t in)
{
    uint32_t             i, n;
    torii_node_t        *doc;
    acme_problem_t       p, *subs;
    torii_tree_error_t   error;

    if (torii_tree_json(a, in, &fuzz_limits, &doc, &error) != TORII_OK) {
        doc = NULL;
    }

    acme_problem_read(doc, 403, 0, &p);
    fuzz_is_problem(&p);

    acme_problem_read(doc, 0, 1, &p);
    fuzz_is_problem(&p);

    n = acme_problem_subs(a, doc, 1, &subs);

    for (i = 0; i < n; i++) {
        fuzz_is_problem(&subs[i]);
    }
}


static void
fuzz_links(torii_arena_t *a, torii_str_t in)
{
    size_t        before;
    torii_str_t   rest, url;
    acme_link_t   link;

    rest = in;

    for ( ;; ) {
        before = rest.len;

        if (!acme_link_next(&rest, &link)) {
            break;
        }

        if (rest.len >= before) {
            abort();
        }

        (void) acme_link_is(&link, "alternate");

        if (acme_url_resolve(a, torii_str("https://a.example/b/c?d"),
                             link.target, &url) == TORII_OK
            && !acme_url_ok(url))
        {
            abort();
        }
    }
}


static void
fuzz_dates(torii_str_t in)
{
    int64_t      t, again;
    uint64_t     wait;
    torii_buf_t  b = { NULL, 0, 0 };

    if (acme_date_rfc3339(in, &t) == TORII_OK && t >= 0) {
        acme_date_rfc3339_add(&b, t);

        in.data = b.data;
        in.len = b.len;

        if (t < 253402300800LL && (acme_date_rfc3339(in, &again) != TORII_OK
                                   || again != t))
        {
            abort();
        }

        torii_buf_free(&b);
        return;
    }

    (void) acme_date_http(in, &t);

    if (acme_date_retry_after(in, in, 1795359600000ULL, &wait) == TORII_OK
        && wait > ACME_DATE_RETRY_MAX)
    {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    torii_str_t     in;
    torii_arena_t  *a;

    in.data = (unsigned char *) data;
    in.len = size;

    a = torii_arena_create(4096);

    fuzz_problem(a, in);
    fuzz_links(a, in);
    fuzz_dates(in);

    torii_arena_destroy(a);

    return 0;
}
