
/*
 * Any bytes as the target of a redirect, as a path and as an e-mail address:
 * what is followed stays on the hosts that are allowed, by another reading than
 * the one that is tested.
 */

#include <stdlib.h>

#include "oauth2_path.h"
#include "oauth2_policy.h"
#include "oauth2_redirect.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static int
fuzz_ends(const char *host, size_t len, const char *tail)
{
    size_t  n;

    n = strlen(tail);

    return len >= n && memcmp(host + len - n, tail, n) == 0;
}


/* The authority as a browser takes it: up to "/", "?", "#" or "\". */

static int
fuzz_host(const char *url)
{
    size_t       len;
    const char  *host;

    host = url + sizeof("https://") - 1;
    len = strcspn(host, "/?#\\");

    if (memchr(host, '@', len) || memchr(host, '%', len)) {
        return 0;
    }

    return (len == 15 && memcmp(host, "app.example.com", 15) == 0)
           || (len == 16 && memcmp(host, "corp.example.net", 16) == 0)
           || fuzz_ends(host, len, ".corp.example.net")
           || (len == 20 && memcmp(host, "ops.example.com:8443", 20) == 0)
           || (len >= 15 && memcmp(host, "dev.example.com", 15) == 0
               && (len == 15 || host[15] == ':'));
}


static void
fuzz_redirect(torii_str_t in)
{
    size_t             i;
    torii_buf_t        to = { NULL, 0, 0 }, again = { NULL, 0, 0 };
    torii_str_t        text;
    oauth2_redirect_t  conf;

    static const torii_str_t  allowed[] = {
        torii_string(".corp.example.net"),
        torii_string("ops.example.com:8443"),
        torii_string("dev.example.com:*")
    };

    memset(&conf, 0, sizeof(oauth2_redirect_t));
    conf.host = torii_str("app.example.com");
    conf.prefix = torii_str("/oauth2");
    conf.allowed = allowed;
    conf.nallowed = 3;

    if (oauth2_redirect_check(&conf, in, &to) != TORII_OK) {
        if (to.len) {
            abort();
        }

        return;
    }

    torii_buf_add(&to, "", 1);
    to.len--;

    for (i = 0; i < to.len; i++) {
        if (to.data[i] <= 0x20 || to.data[i] >= 0x7f || to.data[i] == '\\') {
            abort();
        }
    }

    text.data = to.data;
    text.len = to.len;

    if (torii_str_starts(text, "/") ? text.len > 1 && text.data[1] == '/'
        : !torii_str_starts(text, "https://")
          || !fuzz_host((char *) text.data))
    {
        abort();
    }

    /* what was written anew is read the same */

    if (oauth2_redirect_check(&conf, text, &again) != TORII_OK
        || again.len != to.len || memcmp(again.data, to.data, to.len) != 0)
    {
        abort();
    }

    torii_buf_free(&to);
    torii_buf_free(&again);
}


static void
fuzz_path(torii_arena_t *a, torii_str_t in)
{
    char            text[4096];
    oauth2_skip_t   rule;

    if (oauth2_path_agrees(in, in)) {

        /* a path that is its own decoding has no way to climb */

        if (in.len >= sizeof(text)) {
            abort();
        }

        memcpy(text, in.data, in.len);
        text[in.len] = '\0';

        if (text[0] != '/' || strstr(text, "//") || strstr(text, "/../")
            || strstr(text, "/./") || strpbrk(text, "\\;#?% ")
            || oauth2_path_refused(in))
        {
            abort();
        }
    }

    (void) oauth2_skip_read(a, in, &rule);
}


static void
fuzz_policy(torii_arena_t *a, torii_str_t in)
{
    oauth2_policy_t  policy;

    (void) oauth2_policy_query(a, in, &policy);

    if (oauth2_email_in(in, torii_str("corp.example"))
        && (in.len < 14 || in.data[in.len - 13] != '@'))
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

    fuzz_redirect(in);
    fuzz_path(a, in);
    fuzz_policy(a, in);

    torii_arena_destroy(a);

    return 0;
}
