
/*
 * Tickets: what is in the cookie and what is stored open each other only, for
 * one host and provider; and where Redis is.
 */

#include <openssl/err.h>

#include "oauth2_settings.h"
#include "tap.h"


static torii_arena_t     *test_arena;
static oauth2_ring_t     *test_ring;
static oauth2_session_t   test_s, test_back;


static oauth2_bind_t
test_bind(const char *host)
{
    oauth2_bind_t  bind;

    bind.use = OAUTH2_USE_TICKET;
    bind.name = torii_str("__Host-torii");
    bind.host = torii_str(host);
    bind.provider = torii_str("default/corp");

    return bind;
}


static torii_str_t
test_str(torii_buf_t *b)
{
    torii_str_t  s;

    s.data = b->data;
    s.len = b->len;
    s = torii_arena_str(test_arena, s);

    torii_buf_free(b);
    memset(b, 0, sizeof(torii_buf_t));

    return s;
}


static torii_str_t
test_line(const oauth2_ticket_t *t, const char *host)
{
    torii_buf_t    b;
    torii_str_t    value;
    oauth2_bind_t  bind;

    memset(&b, 0, sizeof(torii_buf_t));
    bind = test_bind(host);

    (void) oauth2_ticket_seal(test_ring, &bind, t, &b);
    value = test_str(&b);

    return torii_arena_printf(test_arena, "a=b; __Host-torii=%.*s; c=d",
                              torii_str_arg(value));
}


static oauth2_fail_e
test_open(torii_str_t line, const char *host, oauth2_ticket_t *t)
{
    int            old;
    torii_str_t    text;
    oauth2_bind_t  bind;

    bind = test_bind(host);

    return oauth2_ticket_open(test_ring, &bind, line, t, &text, &old);
}


static void
test_cookie(void)
{
    size_t           i, at, opened;
    torii_str_t      line, two;
    oauth2_ticket_t  t, u, other;

    (void) oauth2_ticket_make(&t);
    (void) oauth2_ticket_make(&other);
    memset(t.marks, 7, sizeof(t.marks));

    line = test_line(&t, "a.test");

    tap_ok(test_open(line, "a.test", &u) == OAUTH2_OK
           && memcmp(&t, &u, sizeof(t)) == 0, "a ticket comes back");
    tap_ok(memcmp(t.id, other.id, sizeof(t.id)) != 0
           && memcmp(t.key, other.key, sizeof(t.key)) != 0,
           "no two are the same");
    tap_ok(test_open(line, "b.test", &u) == OAUTH2_SESSION_TAG,
           "it is for one host");
    tap_ok(test_open(torii_str("a=b"), "a.test", &u) == OAUTH2_SESSION_NONE,
           "there may be none");
    tap_ok(line.len < 300, "it is small: %zu bytes", line.len);

    two = torii_arena_printf(test_arena, "%.*s; %.*s", torii_str_arg(line),
                             torii_str_arg(test_line(&other, "a.test")));
    tap_ok(test_open(two, "a.test", &u) == OAUTH2_SESSION_TWICE,
           "two that open are a trick");

    at = sizeof("a=b; __Host-torii=") - 1;
    opened = 0;

    for (i = at; i < line.len - (sizeof("; c=d") - 1); i++) {
        line.data[i] ^= 1;
        opened += test_open(line, "a.test", &u) == OAUTH2_OK;
        line.data[i] ^= 1;
    }

    tap_ok(opened == 0, "no character of it may be another one");
}


static void
test_session_cookie(void)
{
    torii_buf_t      b;
    torii_str_t      line;
    oauth2_bind_t    bind;
    oauth2_ticket_t  t;

    memset(&b, 0, sizeof(torii_buf_t));

    bind = test_bind("a.test");
    bind.use = OAUTH2_USE_SESSION;

    (void) oauth2_session_seal(test_ring, &bind, &test_s, &b);
    line = test_str(&b);
    line = torii_arena_printf(test_arena, "__Host-torii=%.*s",
                              torii_str_arg(line));

    tap_ok(test_open(line, "a.test", &t) != OAUTH2_OK,
           "a session in the cookie is no ticket");
}


/* What was read lives until the next call. */

static oauth2_fail_e
test_read(const oauth2_ticket_t *t, const char *host, torii_str_t value)
{
    oauth2_bind_t       bind;

    static torii_buf_t  plain;

    bind = test_bind(host);

    return oauth2_ticket_read(t, &bind, value, &plain, &test_back);
}


static void
test_value(void)
{
    size_t           i, opened;
    torii_buf_t      b, c;
    torii_str_t      value, again, name;
    oauth2_bind_t    bind;
    oauth2_ticket_t  t, other;

    memset(&b, 0, sizeof(torii_buf_t));
    memset(&c, 0, sizeof(torii_buf_t));

    (void) oauth2_ticket_make(&t);
    bind = test_bind("a.test");

    tap_ok(oauth2_ticket_store(&t, &bind, &test_s, &b) == OAUTH2_OK
           && oauth2_ticket_store(&t, &bind, &test_s, &c) == OAUTH2_OK,
           "a session of %zu bytes is stored", b.len);

    value = test_str(&b);
    again = test_str(&c);

    tap_ok(!torii_str_eq(value, again), "never the same bytes");
    tap_ok(test_read(&t, "a.test", value) == OAUTH2_OK
           && torii_str_eq(test_back.access_token, test_s.access_token)
           && test_back.ngroups == test_s.ngroups, "and comes back");
    tap_ok(test_read(&t, "b.test", value) == OAUTH2_SESSION_TAG,
           "for its host only");

    other = t;
    other.key[0] ^= 1;
    tap_ok(test_read(&other, "a.test", value) == OAUTH2_SESSION_TAG,
           "with its key only");

    other = t;
    other.id[31] ^= 1;
    tap_ok(test_read(&other, "a.test", value) == OAUTH2_SESSION_TAG,
           "under its id only");

    opened = 0;

    for (i = 0; i < value.len; i += (i < 64) ? 1 : 997) {
        value.data[i] ^= 0x10;
        opened += test_read(&t, "a.test", value) == OAUTH2_OK;
        value.data[i] ^= 0x10;
    }

    value.len--;
    opened += test_read(&t, "a.test", value) == OAUTH2_OK;
    value.len = 20;
    opened += test_read(&t, "a.test", value) == OAUTH2_OK;
    value.len = 0;
    opened += test_read(&t, "a.test", value) == OAUTH2_OK;

    tap_ok(opened == 0, "changed or cut it does not open");

    oauth2_ticket_name(&t, "torii:session:", &b);
    name = test_str(&b);

    tap_ok(name.len == 14 + 64
           && memcmp(name.data + 14, t.id, 32) != 0,
           "its name does not tell the id");
}


static void
test_size(void)
{
    torii_buf_t       b;
    torii_str_t       token;
    oauth2_bind_t     bind;
    oauth2_ticket_t   t;

    memset(&b, 0, sizeof(torii_buf_t));
    (void) oauth2_ticket_make(&t);
    bind = test_bind("a.test");

    token.len = 65535;
    token.data = torii_arena_zalloc(test_arena, token.len);

    test_s.access_token = token;
    test_s.id_token = token;
    test_s.refresh_token = token;

    tap_ok(oauth2_ticket_store(&t, &bind, &test_s, &b) == OAUTH2_SESSION_SIZE
           && b.len == 0, "there is an end of it");

    torii_buf_free(&b);
}


static const struct {
    const char       *url;
    const char       *host;
    unsigned          port;
    const char       *user;
    const char       *password;
    unsigned          db;
    unsigned          tls;
} test_urls[] = {
    { "redis://redis", "redis", 6379, "", "", 0, 0 },
    { "redis://redis.ns.svc:7000/", "redis.ns.svc", 7000, "", "", 0, 0 },
    { "rediss://10.0.0.1:1/15", "10.0.0.1", 1, "", "", 15, 1 },
    { "redis://:secret@r/2", "r", 6379, "", "secret", 2, 0 },
    { "redis://me:a%40b%2f@r", "r", 6379, "me", "a@b/", 0, 0 },
    { "redis://me:a@b@r", "r", 6379, "me", "a@b", 0, 0 },
    { "redis://[::1]:99/1", "::1", 99, "", "", 1, 0 },
    { "redis://[fe80::1]", "fe80::1", 6379, "", "", 0, 0 },
    { "http://redis", NULL, 0, NULL, NULL, 0, 0 },
    { "redis://", NULL, 0, NULL, NULL, 0, 0 },
    { "redis://r:0", NULL, 0, NULL, NULL, 0, 0 },
    { "redis://r:x", NULL, 0, NULL, NULL, 0, 0 },
    { "redis://r:70000", NULL, 0, NULL, NULL, 0, 0 },
    { "redis://r/x", NULL, 0, NULL, NULL, 0, 0 },
    { "redis://r?db=1", NULL, 0, NULL, NULL, 0, 0 },
    { "redis://me@r", NULL, 0, NULL, NULL, 0, 0 },
    { "redis://me:@r", NULL, 0, NULL, NULL, 0, 0 },
    { "redis://me:%4@r", NULL, 0, NULL, NULL, 0, 0 },
    { "redis://me:%zz@r", NULL, 0, NULL, NULL, 0, 0 },
    { "redis://[::1", NULL, 0, NULL, NULL, 0, 0 },
    { "redis://[::1]x", NULL, 0, NULL, NULL, 0, 0 },
    { "redis://a,b:1", NULL, 0, NULL, NULL, 0, 0 }
};


static void
test_url(void)
{
    size_t          i;
    const char     *error;
    oauth2_redis_t  redis;

    for (i = 0; i < sizeof(test_urls) / sizeof(test_urls[0]); i++) {

        error = oauth2_redis_read(test_arena, torii_str(test_urls[i].url),
                                  &redis);

        if (test_urls[i].host == NULL) {
            tap_ok(error != NULL, "\"%s\" %s", test_urls[i].url,
                   error ? error : "is taken");
            continue;
        }

        tap_ok(error == NULL && torii_str_eqs(redis.host, test_urls[i].host)
               && redis.port == test_urls[i].port
               && torii_str_eqs(redis.user, test_urls[i].user)
               && torii_str_eqs(redis.password, test_urls[i].password)
               && redis.db == test_urls[i].db && redis.tls == test_urls[i].tls,
               "\"%s\" is read", test_urls[i].url);
    }
}


int
main(void)
{
    unsigned      i;
    const char   *error;
    torii_str_t   secret;

    test_arena = torii_arena_create(4096);

    secret = torii_str("a secret of this very test, 32 bytes and more");
    test_ring = oauth2_ring_create(&secret, 1, &error);

    test_s.created = 1795000000;
    test_s.seen = test_s.created;
    test_s.expires = test_s.created + 43200;
    test_s.sub = torii_str("alice");
    test_s.sid = torii_str("sid-1");
    test_session_cookie();

    test_s.access_token.len = 40000;
    test_s.access_token.data = torii_arena_zalloc(test_arena, 40000);

    for (i = 0; i < OAUTH2_GROUPS_MAX; i++) {
        test_s.groups[i] = torii_arena_printf(test_arena, "a-group-%u", i);
    }

    test_s.ngroups = OAUTH2_GROUPS_MAX;

    test_cookie();
    test_value();
    test_size();
    test_url();

    tap_ok(ERR_peek_error() == 0, "no error is left behind");

    oauth2_ring_free(test_ring);
    torii_arena_destroy(test_arena);

    return tap_done();
}
