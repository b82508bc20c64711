
/*
 * Opening a routing table: a sound one is taken, and each kind of damage is
 * refused in words, also when the checksum was made to fit.
 */

#include <stdio.h>
#include <unistd.h>

#include "tap.h"
#include "table_make.h"
#include "ingress_route.h"
#include "ingress_challenge.h"


#define TEST_HEADER  INGRESS_SECTION_MAX

/* Where a field lies: the section, the record, the field; 4 bytes of it. */

#define test_header(field)                                                    \
    TEST_HEADER, 0, offsetof(ingress_table_header_t, field)
#define test_record(section, index, type, field)                              \
    INGRESS_SECTION_##section, index * sizeof(type), offsetof(type, field)


typedef struct {
    uint32_t          section;
    size_t            record;
    size_t            field;
    uint32_t          value;
    const char       *error;      /* how the text begins */
} test_damage_t;


static const table_row_t  test_rows[] = {
    { "_", '/', "/", NULL },
    { "a.example", '=', "/a", NULL },
    { "a.example", '=', "/b", NULL },
    { "a.example", '/', "/", NULL },
    { "a.example", '/', "/a/", "/$1" },
    { "a.example", '/', "/a/b/", NULL },
    { "a.example", 'n', "b.example", NULL },
    { "a.example", 'a', "^c", NULL },
    { "r.example", '~', "/x", NULL },
    { NULL, 0, NULL, NULL }
};

/* paths: "/" | "/a" "/b" | "/" "/a/" "/a/b/" | "/x" */

#define DAMAGED  "it is damaged: "

static const test_damage_t  test_damages[] = {
    { test_header(magic), 7, "it is not a routing table" },
    { test_header(order), 7, "it is not a routing table" },
    { test_header(order), 0x04030201, "it was made on a machine" },
    { test_header(version), 99, "it has version 99" },
    { test_header(header), 8, "it has version 4 (header of 8 bytes)" },
    { test_header(size), 100, "it is too long" },
    { test_header(size), 0x7fffffff, "it is cut short" },
    { test_header(default_host), 3, DAMAGED "a default" },
    { test_header(default_backend), 99, DAMAGED "a default" },
    { test_header(default_cert), 99, DAMAGED "a default" },
    { test_header(findings.len), 0x10000000, DAMAGED "a global setting" },
    { test_header(classes.len), 7, DAMAGED "the classes" },
    { test_header(watch_namespace.len), 0x10000000, DAMAGED "the classes" },
    { test_header(flags), 0x80, DAMAGED "the gateway has" },
    { test_header(global.hsts_value.off), 0x10000000, DAMAGED "a global" },
    { test_header(global.real_ip_networks.len), 3, DAMAGED "a global" },
    { test_header(global.redirect_code), 200, DAMAGED "the redirect code" },
    { test_header(sections[3].size), 8, DAMAGED "a section" },
    { test_header(sections[3].n), 0xffffffff, DAMAGED "a section" },
    { test_header(sections[3].off), 0, DAMAGED "a section" },
    { test_header(sections[3].off), 0x1001, DAMAGED "a section" },
    { test_header(sections[3].off), 0x70000000, DAMAGED "a section" },
    { test_header(sections[0].n), 0, DAMAGED "the number of buckets" },
    { test_header(sections[0].n), 3, DAMAGED "the number of buckets" },
    { test_header(sections[6].n), 0, DAMAGED "a route" },
    { INGRESS_SECTION_BUCKETS, 0, 0, 99, DAMAGED "a bucket" },
    { test_record(NAMES, 0, ingress_table_name_t, host), 3, DAMAGED "a name" },
    { test_record(NAMES, 0, ingress_table_name_t, name.off), 99999,
      DAMAGED "a name" },
    { test_record(NAMES, 0, ingress_table_name_t, name.len), 0xffffffff,
      DAMAGED "a name" },
    { test_record(ALIASES, 0, ingress_table_alias_t, host), 3,
      DAMAGED "an alias" },
    { test_record(HOSTS, 1, ingress_table_host_t, nexact), 7,
      DAMAGED "a host's paths" },
    { test_record(HOSTS, 1, ingress_table_host_t, exact), 6,
      DAMAGED "a host's paths" },
    { test_record(HOSTS, 1, ingress_table_host_t, prefix), 0xfffffffe,
      DAMAGED "a host's paths" },
    { test_record(HOSTS, 1, ingress_table_host_t, exact), 2,
      DAMAGED "exact paths are not sorted" },
    { test_record(HOSTS, 1, ingress_table_host_t, prefix), 2,
      DAMAGED "a prefix does not end" },
    { test_record(HOSTS, 1, ingress_table_host_t, cert), 3,
      DAMAGED "a host is out" },
    { test_record(HOSTS, 1, ingress_table_host_t, cert2), 3,
      DAMAGED "a host is out" },
    { test_record(HOSTS, 1, ingress_table_host_t, app_root.off), 99999,
      DAMAGED "a host is out" },
    { test_record(HOSTS, 1, ingress_table_host_t, flags), 0x80,
      DAMAGED "a host has an unknown" },
    { test_record(HOSTS, 1, ingress_table_host_t, flags), 2,
      DAMAGED "a host with regexes" },
    { test_record(PATHS, 4, ingress_table_path_t, route), 99,
      DAMAGED "a path" },
    { test_record(PATHS, 4, ingress_table_path_t, text.len), 8,
      DAMAGED "a path" },
    { test_record(PATHS, 4, ingress_table_path_t, parent), 4,
      DAMAGED "a prefix's parent is out" },
    { test_record(PATHS, 4, ingress_table_path_t, parent), 5,
      DAMAGED "a prefix's parent is out" },
    { test_record(PATHS, 4, ingress_table_path_t, parent), 0,
      DAMAGED "a prefix's parent is out" },
    { test_record(PATHS, 4, ingress_table_path_t, text.len), 0,
      DAMAGED "a prefix does not end" },
    { test_record(ROUTES, 2, ingress_table_route_t, policy), 2,
      DAMAGED "a route is out" },
    { test_record(ROUTES, 2, ingress_table_route_t, backend), 99,
      DAMAGED "a route is out" },
    { test_record(ROUTES, 2, ingress_table_route_t, ingress), 0,
      DAMAGED "a route is out" },
    { test_record(ROUTES, 2, ingress_table_route_t, type), 3,
      DAMAGED "a route has" },
    { test_record(POLICIES, 1, ingress_policy_t, rewrite_target.len), 99999,
      DAMAGED "a policy is out" },
    { test_record(POLICIES, 1, ingress_policy_t, tls), 1,
      DAMAGED "a policy is out" },
    { test_record(POLICIES, 1, ingress_policy_t, http_version), 9,
      DAMAGED "a policy has" },
    { test_record(POLICIES, 1, ingress_policy_t, use_regex), 0xff000000,
      DAMAGED "a policy has" },
    { test_record(POLICIES, 1, ingress_policy_t, allow.len), 19,
      DAMAGED "a" },
    { test_record(POLICIES, 1, ingress_policy_t, cors_origins.len), 11,
      DAMAGED "a" },
    { test_record(BACKENDS, 2, ingress_table_backend_t, n), 99,
      DAMAGED "a backend is out" },
    { test_record(BACKENDS, 2, ingress_table_backend_t, first), 0xffffffff,
      DAMAGED "a backend is out" },
    { test_record(BACKENDS, 2, ingress_table_backend_t, type), 3,
      DAMAGED "a backend has" },
    { test_record(CERTS, 1, ingress_table_cert_t, chain.len), 99999,
      DAMAGED "a certificate" },
    { test_record(CHALLENGES_HTTP, 1, ingress_table_challenge_t, name.off),
      99999, DAMAGED "a challenge is out" },
    { test_record(CHALLENGES_HTTP, 0, ingress_table_challenge_t, value.len),
      99999, DAMAGED "a challenge is out" },
    { test_record(CHALLENGES_HTTP, 1, ingress_table_challenge_t, value.len),
      0, DAMAGED "a challenge has no" },
    { test_record(CHALLENGES_HTTP, 0, ingress_table_challenge_t, name.len),
      0, DAMAGED "challenges are not" },
    { test_record(CHALLENGES_HTTP, 1, ingress_table_challenge_t, name.len),
      0, DAMAGED "challenges are not" },
    { test_record(CHALLENGES_ALPN, 0, ingress_table_challenge_t, key.off),
      99999, DAMAGED "a challenge is out" },
    { test_record(CHALLENGES_ALPN, 1, ingress_table_challenge_t, key.len),
      0, DAMAGED "a challenge has no" },
    { test_record(POLICIES, 1, ingress_policy_t, login), 3,
      DAMAGED "a policy is out" },
    { test_record(POLICIES, 1, ingress_policy_t, users), 2,
      DAMAGED "a policy is out" },
    { test_record(POLICIES, 1, ingress_policy_t, realm.off), 99999,
      DAMAGED "a policy is out" },
    { test_record(POLICIES, 1, ingress_policy_t, satisfy_any), 2,
      DAMAGED "a policy has" },
    { test_record(PROVIDERS, 0, ingress_table_provider_t, name.len), 99999,
      DAMAGED "a login provider is out" },
    { test_record(PROVIDERS, 1, ingress_table_provider_t, name.len), 0,
      DAMAGED "login providers are not" },
    { test_record(PROVIDERS, 1, ingress_table_provider_t, settings.len), 7,
      DAMAGED "a login provider is out" },
    { test_record(PROVIDERS, 1, ingress_table_provider_t, keys.len), 99999,
      DAMAGED "a login provider is out" },
    { test_record(PROVIDERS, 1, ingress_table_provider_t, discovery.off),
      99999, DAMAGED "a login provider is out" },
    { test_record(PROVIDERS, 1, ingress_table_provider_t, groups.len), 9,
      DAMAGED "a login provider is out" },
    { test_record(PROVIDERS, 1, ingress_table_provider_t, issuers.len), 7,
      DAMAGED "a login provider is out" },
    { test_record(PROVIDERS, 1, ingress_table_provider_t, issuers.off),
      99999, DAMAGED "a login provider is out" },
    { test_record(LOGINS, 0, ingress_table_login_t, provider), 2,
      DAMAGED "a login has no provider" },
    { test_record(LOGINS, 0, ingress_table_login_t, type), 2,
      DAMAGED "a login is of an unknown" },
    { test_record(LOGINS, 0, ingress_table_login_t, type), 1,
      DAMAGED "a login has no address" },
    { test_record(LOGINS, 0, ingress_table_login_t, flags), 0x8000,
      DAMAGED "a login has an unknown" },
    { test_record(LOGINS, 0, ingress_table_login_t, groups.len), 12,
      DAMAGED "a login is out" },
    { test_record(LOGINS, 0, ingress_table_login_t, write_groups.len), 99999,
      DAMAGED "a login is out" },
    { test_record(LOGINS, 1, ingress_table_login_t, url.len), 0,
      DAMAGED "a login has no address" },
    { test_record(LOGINS, 1, ingress_table_login_t, url.len), 8,
      DAMAGED "a login is out" },
    { test_record(LOGINS, 1, ingress_table_login_t, signin.len), 15,
      DAMAGED "a login is out" },
    { test_record(LOGINS, 1, ingress_table_login_t, signin_param.off), 99999,
      DAMAGED "a login is out" },
    { test_record(LOGINS, 1, ingress_table_login_t, cache_rules.off), 1,
      DAMAGED "a login is out" },
    { test_record(LOGINS, 1, ingress_table_login_t, set_headers.len), 24,
      DAMAGED "a login is out" },
    { test_record(USERS, 0, ingress_table_users_t, name.off), 99999,
      DAMAGED "a list of users" },
    { test_record(USERS, 0, ingress_table_users_t, users.len), 19,
      DAMAGED "a list of users" },
};


static size_t
test_place(const torii_buf_t *good, const test_damage_t *d)
{
    const ingress_table_header_t  *h;

    h = (const ingress_table_header_t *) good->data;

    if (d->section == TEST_HEADER) {
        return d->field;
    }

    return h->sections[d->section].off + d->record + d->field;
}


static void
test_damage(const torii_buf_t *good)
{
    int                   rc;
    char                  error[128];
    size_t                i, place;
    unsigned char        *copy;
    ingress_table_t       t;
    const test_damage_t  *d;

    for (i = 0; i < sizeof(test_damages) / sizeof(test_damages[0]); i++) {
        d = &test_damages[i];

        copy = torii_malloc(good->len);
        memcpy(copy, good->data, good->len);

        place = test_place(good, d);
        memcpy(copy + place, &d->value, sizeof(uint32_t));
        table_make_sign(copy, good->len);

        error[0] = '\0';
        rc = ingress_table_check(&t, copy, good->len, error);

        tap_ok(rc == TORII_ERROR
               && strncmp(error, d->error, strlen(d->error)) == 0,
               "%s (is: %s)", d->error, error);

        free(copy);
    }
}


static void
test_length(const torii_buf_t *good)
{
    char             error[128];
    size_t           len, taken;
    unsigned char   *copy;
    ingress_table_t  t;

    taken = 0;

    for (len = 0; len < good->len; len++) {
        copy = torii_malloc(len);
        memcpy(copy, good->data, len);

        taken += (ingress_table_check(&t, copy, len, error) == TORII_OK);

        free(copy);
    }

    tap_ok(taken == 0, "a table cut at any byte is refused");
}


/*
 * A wrong byte is seen by the checksum.  When that fits, the table may be
 * taken, but then no lookup leaves its bounds (as AddressSanitizer can tell).
 */

static void
test_bytes(const torii_buf_t *good, torii_regex_cache_t *regexes)
{
    int                    flip;
    char                   error[128];
    size_t                 i, unseen;
    unsigned char         *copy;
    ingress_match_t        match;
    ingress_table_t        t;

    unseen = 0;
    copy = torii_malloc(good->len);
    memcpy(copy, good->data, good->len);

    for (i = 0; i < good->len; i++) {

        for (flip = 1; flip < 0x100; flip = flip * 4 + 3) {

            copy[i] ^= flip;

            unseen += (ingress_table_check(&t, copy, good->len, error)
                       == TORII_OK);

            table_make_sign(copy, good->len);

            if (ingress_table_check(&t, copy, good->len, error) == TORII_OK) {
                ingress_route_find(&t, regexes, torii_str("a.example"),
                                   torii_str("/a/b"), &match);
                ingress_route_find(&t, regexes, torii_str("c"),
                                   torii_str("/a/b/c"), &match);
                (void) ingress_challenge_http(&t, torii_str("token-b"));
                (void) ingress_challenge_alpn(&t, torii_str("a.example"));
            }

            memcpy(copy, good->data, sizeof(ingress_table_header_t));
            copy[i] = good->data[i];
        }
    }

    tap_ok(unseen == 0, "a wrong byte is seen by the checksum");

    free(copy);
}


static void
test_write(const char *path, const void *data, size_t len)
{
    FILE  *f;

    f = fopen(path, "w");

    if (f) {
        (void) fwrite(data, 1, len, f);
        (void) fclose(f);
    }
}


static void
test_open(const torii_buf_t *good)
{
    char             path[64], error[128];
    ingress_table_t  t;

    (void) snprintf(path, sizeof(path), "/tmp/test_table.%d", (int) getpid());

    tap_ok(ingress_table_open(&t, path, error) == TORII_ERROR
           && strstr(error, "No such file"), "missing file: %s", error);

    tap_ok(ingress_table_open(&t, "/tmp", error) == TORII_ERROR
           && strstr(error, "not a file"), "folder: %s", error);

    test_write(path, "", 0);

    tap_ok(ingress_table_open(&t, path, error) == TORII_ERROR
           && strstr(error, "too short"), "empty file: %s", error);

    test_write(path, good->data, good->len - 1);

    tap_ok(ingress_table_open(&t, path, error) == TORII_ERROR
           && strstr(error, "cut short"), "half a file: %s", error);

    ingress_table_close(&t);

    test_write(path, good->data, good->len);

    tap_ok(ingress_table_open(&t, path, error) == TORII_OK, "sound file");
    tap_ok(ingress_table_n(&t, ROUTES) == 9 && t.size == good->len,
           "its sections are found");
    tap_ok(torii_str_eqs(ingress_table_str(&t, t.hosts[1].name), "a.example"),
           "its strings are found");

    ingress_table_close(&t);
    tap_ok(t.map == NULL, "closed");
    ingress_table_close(&t);

    (void) unlink(path);
}


int
main(void)
{
    char                  error[128];
    torii_buf_t           good;
    unsigned char        *shifted;
    ingress_table_t       t;
    torii_regex_cache_t  *regexes;

    regexes = torii_regex_cache_create(64);
    table_make(test_rows, 64, &good);
    error[0] = '\0';

    tap_ok(ingress_table_check(&t, good.data, good.len, error) == TORII_OK,
           "a sound table is taken: %s", error);

    shifted = torii_malloc(good.len + 4);
    memcpy(shifted + 4, good.data, good.len);

    tap_ok(ingress_table_check(&t, shifted + 4, good.len, error) == TORII_ERROR
           && strstr(error, "aligned"), "bytes out of alignment: %s", error);

    free(shifted);

    test_open(&good);
    test_damage(&good);
    test_length(&good);
    test_bytes(&good, regexes);

    torii_buf_free(&good);
    torii_regex_cache_destroy(regexes);

    return tap_done();
}
