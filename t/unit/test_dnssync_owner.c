
/*
 * Marks: their names and texts, in our form and in ExternalDNS's.
 */

#include "dnssync_plan.h"
#include "tap.h"


#define TEST_KEY  "01234567890123456789012345678901"

/* made by another implementation, with the key above */
#define TEST_SEALED                                                           \
    "AAECAwQFBgcICQoL5ZEatZ3pTVREaDRakYIwXdtdWJLygrL14qzkqXxgQeUt91eIwgsV8e"  \
    "TRPj994sROlzPZHBHR0bNP2mSuY0LrpkzoMEl2QvM6+drsIYEAAmWpkUobmhscL112JT37"  \
    "v4CDVg=="


typedef struct {
    const char      *prefix;
    const char      *suffix;
    const char      *wildcard;
    dnssync_form_e   form;
    unsigned         type;
    const char      *host;
    const char      *name;     /* NULL: there is none */
    const char      *back;     /* host that it is read as; NULL: the same */
} test_name_t;

typedef struct {
    const char      *text;
    const char      *id;       /* NULL: no mark */
    const char      *resource;
    unsigned         types;
    int              external;
} test_text_t;


#define OWN  DNSSYNC_FORM_OWN
#define EXT  DNSSYNC_FORM_EXTERNAL
#define OLD  DNSSYNC_FORM_EXTERNAL_OLD
#define A     DNSSYNC_A
#define AAAA  DNSSYNC_AAAA
#define CNAME DNSSYNC_CNAME

#define L60  "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-abcdef"


static const test_name_t  test_names[] = {
    { "", "", "", OWN, 0, "a.example", "_dnssync.a.example", NULL },
    { "", "", "", OWN, 0, "www.a.example", "_dnssync.www.a.example", NULL },
    { "", "", "", OWN, 0, "*.a.example", "_dnssync-w.a.example", NULL },
    { "", "", "", OWN, 0, L60 "." L60 "." L60 "." L60 ".abcde", NULL, NULL },

    { "", "", "", EXT, A, "foo.example.com", "a-foo.example.com", NULL },
    { "", "", "", EXT, AAAA, "foo.example.com", "aaaa-foo.example.com",
      NULL },
    { "", "", "", EXT, CNAME, "foo.example.com", "cname-foo.example.com",
      NULL },
    { "", "", "", EXT, A, "*.example.com", "a-*.example.com", NULL },
    { "", "", "any", EXT, A, "*.example.com", "a-any.example.com",
      "any.example.com" },
    { "", "", "any", EXT, A, "any.example.com", "a-any.example.com", NULL },
    { "", "", "", EXT, A, "example.com", "a-example.com", NULL },
    { "", "", "", EXT, A, L60 ".example.com", "a-" L60 ".example.com", NULL },
    { "", "", "", EXT, CNAME, L60 ".example.com", NULL, NULL },
    { "p.", "", "", EXT, A, "foo.example.com", "p.a-foo.example.com", NULL },
    { "P.", "", "", EXT, A, "foo.example.com", "p.a-foo.example.com", NULL },
    { "txt-", "", "", EXT, A, "foo.example.com", "txt-a-foo.example.com",
      NULL },
    { "ext-%{record_type}.", "", "", EXT, A, "foo.example.com",
      "ext-a.foo.example.com", NULL },
    { "ext-%{record_type}.", "", "", EXT, AAAA, "example.com",
      "ext-aaaa.example.com", NULL },
    { "ext-%{record_type}-", "", "", EXT, CNAME, "foo.example.com",
      "ext-cname-foo.example.com", NULL },
    { "", "-s", "", EXT, A, "foo.example.com", "a-foo-s.example.com", NULL },
    { "", "-%{record_type}", "", EXT, A, "foo.example.com",
      "foo-a.example.com", NULL },
    { "", "-%{record_type}", "", EXT, AAAA, "foo.example.com",
      "foo-aaaa.example.com", NULL },
    { "", ".%{record_type}-x", "", EXT, A, "foo.example.com",
      "foo.a-x.example.com", NULL },

    { "", "", "", OLD, 0, "foo.example.com", "foo.example.com", NULL },
    { "p.", "", "", OLD, 0, "foo.example.com", "p.foo.example.com", NULL },
    { "", "-s", "", OLD, 0, "foo.example.com", "foo-s.example.com", NULL },
    { "ext-%{record_type}.", "", "", OLD, 0, "foo.example.com",
      "ext-.foo.example.com", NULL },
    { "", "", "any", OLD, 0, "*.example.com", "any.example.com",
      "any.example.com" },

    /* its mark without a type is read as one with a type of another host */
    { "", "", "", OLD, 0, "a-foo.example.com", "a-foo.example.com",
      "foo.example.com" }
};


static const test_text_t  test_texts[] = {
    { "heritage=torii,owner=me,types=A+AAAA,resource=ingress/d/app", "me",
      "ingress/d/app", DNSSYNC_HAS_A | DNSSYNC_HAS_AAAA, 0 },
    { "\"heritage=torii,owner=me\"", "me", "", 0, 0 },
    { "heritage=torii,owner=a%2Cb%25", "a,b%", "", 0, 0 },
    { "heritage=torii,owner=me,later=1", "me", "", 0, 0 },
    { "heritage=torii,owner=me,types=MX", NULL, NULL, 0, 0 },
    { "heritage=torii,owner=me,owner=you", NULL, NULL, 0, 0 },
    { "heritage=torii,owner=", NULL, NULL, 0, 0 },
    { "heritage=torii,owner=%4", NULL, NULL, 0, 0 },
    { "heritage=torii,owner=%zz", NULL, NULL, 0, 0 },
    { "heritage=torii,owner=a%0Ab", NULL, NULL, 0, 0 },
    { "heritage=torii,owner=%FF", NULL, NULL, 0, 0 },
    { "heritage=torii,owner", NULL, NULL, 0, 0 },
    { "heritage=torii", NULL, NULL, 0, 0 },
    { "heritage=torii,owner=me,beat=99999999999999999999", NULL, NULL, 0, 0 },
    { "heritage=torii,owner=me,instance=a.b,beat=5,period=86400", "me", "", 0,
      0 },
    { "heritage=torii,owner=me,period=86401", NULL, NULL, 0, 0 },

    { "heritage=external-dns,external-dns/owner=me,external-dns/resource="
      "ingress/default/app", "me", "ingress/default/app", 0, 1 },
    { "\"heritage=external-dns,external-dns/owner=me\"", "me", "", 0, 1 },
    { "external-dns/owner=me,heritage=external-dns", "me", "", 0, 1 },
    { "heritage=external-dns,odd,external-dns/owner=me", "me", "", 0, 1 },
    { "heritage=external-dns,external-dns/owner=a=b", "a=b", "", 0, 1 },
    { "heritage=external-dns,external-dns/owner=me,heritage=other", NULL,
      NULL, 0, 0 },
    { "heritage=external-dns,external-dns/owner=me,external-dns/owner=you",
      NULL, NULL, 0, 0 },
    { "heritage=mate,external-dns/owner=me", NULL, NULL, 0, 0 },
    { "external-dns/owner=me", NULL, NULL, 0, 0 },
    { "heritage=external-dns", NULL, NULL, 0, 0 },
    { TEST_SEALED, "me", "ingress/default/app", 0, 1 },
    { "v=spf1 -all", NULL, NULL, 0, 0 },
    { "", NULL, NULL, 0, 0 }
};


static void
test_registry(dnssync_registry_t *r, const test_name_t *t)
{
    memset(r, 0, sizeof(dnssync_registry_t));

    r->id = torii_str("me");
    r->prefix = torii_str(t->prefix);
    r->suffix = torii_str(t->suffix);
    r->wildcard = torii_str(t->wildcard);
}


static void
test_naming(void)
{
    int                  ok;
    size_t               i;
    unsigned             type;
    torii_str_t          name, host;
    unsigned char        buf[DNSSYNC_HOST_MAX], back[DNSSYNC_HOST_MAX];
    dnssync_form_e       form;
    dnssync_registry_t   r;
    const test_name_t   *t;

    for (i = 0; i < sizeof(test_names) / sizeof(test_names[0]); i++) {
        t = &test_names[i];
        test_registry(&r, t);

        name.data = buf;
        name.len = dnssync_owner_name(&r, t->form, torii_str(t->host),
                                      t->type, buf);

        if (t->name == NULL || name.len == 0) {
            tap_ok(t->name == NULL && name.len == 0, "%zu: no name", i);
            continue;
        }

        ok = torii_str_eqs(name, t->name)
             && dnssync_owner_host(&r, name, &form, &type, &host, back)
                == TORII_OK
             && torii_str_eqs(host, t->back ? t->back : t->host)
             && (t->back || (form == t->form && type == t->type));

        tap_ok(ok, "%zu: %s is at %.*s", i, t->host, torii_str_arg(name));
    }
}


static void
test_read(torii_arena_t *a)
{
    int                  ok;
    size_t               i;
    dnssync_owner_t      o;
    dnssync_registry_t   r;
    const test_text_t   *t;

    memset(&r, 0, sizeof(dnssync_registry_t));
    r.key = torii_str(TEST_KEY);

    for (i = 0; i < sizeof(test_texts) / sizeof(test_texts[0]); i++) {
        t = &test_texts[i];
        ok = dnssync_owner_read(&r, a, torii_str(t->text), &o) == TORII_OK;

        if (t->id == NULL) {
            tap_ok(!ok, "no mark: %.60s", t->text);
            continue;
        }

        tap_ok(ok && torii_str_eqs(o.id, t->id)
               && torii_str_eqs(o.resource, t->resource)
               && o.types == t->types && o.external == (unsigned) t->external,
               "mark: %.60s", t->text);
    }
}


static void
test_write(torii_arena_t *a)
{
    unsigned             form, sealed;
    torii_str_t          text;
    torii_buf_t          one = { NULL, 0, 0 }, two = { NULL, 0, 0 };
    dnssync_owner_t      owner, again;
    dnssync_registry_t   r;

    for (form = OWN; form <= EXT; form++) {
        for (sealed = 0; sealed < 2; sealed++) {
            memset(&r, 0, sizeof(dnssync_registry_t));
            memset(&owner, 0, sizeof(dnssync_owner_t));

            r.key = torii_str(sealed ? TEST_KEY : "");
            owner.id = torii_str(form == EXT ? "me" : "a,\"b\"\\%");
            owner.resource = torii_str("ingress/default/app");
            owner.types = (form == EXT) ? 0 : DNSSYNC_HAS_ALL;

            one.len = 0;
            text.len = 0;

            if (dnssync_owner_write(&r, form, &owner, &one) == TORII_OK) {
                text.data = one.data;
                text.len = one.len;
            }

            tap_ok(dnssync_owner_read(&r, a, text, &again) == TORII_OK
                   && torii_str_eq(again.id, owner.id)
                   && torii_str_eq(again.resource, owner.resource)
                   && again.types == owner.types,
                   "form %u, key %u: written and read", form, sealed);
        }
    }

    /* plain text of ExternalDNS to the byte; a sealed one never the same */

    r.key = torii_str("");
    one.len = 0;
    (void) dnssync_owner_write(&r, EXT, &owner, &one);
    text.data = one.data;
    text.len = one.len;

    tap_ok(torii_str_eqs(text, "heritage=external-dns,external-dns/owner=me,"
                         "external-dns/resource=ingress/default/app"),
           "as ExternalDNS writes it");

    r.key = torii_str(TEST_KEY);
    one.len = 0;
    (void) dnssync_owner_write(&r, EXT, &owner, &one);
    (void) dnssync_owner_write(&r, EXT, &owner, &two);

    tap_ok(one.len == two.len && memcmp(one.data, two.data, 16) != 0,
           "a nonce is not used again");

    /* a byte of the tag changed, another key, no key */

    text.data = two.data;
    text.len = two.len;
    two.data[two.len - 8] = (two.data[two.len - 8] == 'A') ? 'B' : 'A';

    tap_ok(dnssync_owner_read(&r, a, text, &again) == TORII_DECLINED,
           "a sealed text that was changed is no mark");

    r.key = torii_str("11234567890123456789012345678901");
    text.data = one.data;

    tap_ok(dnssync_owner_read(&r, a, text, &again) == TORII_DECLINED,
           "another key opens nothing");

    r.key = torii_str("");

    tap_ok(dnssync_owner_read(&r, a, text, &again) == TORII_DECLINED,
           "without the key it is no mark");

    torii_buf_free(&one);
    torii_buf_free(&two);
}


static void
test_check(torii_arena_t *a)
{
    size_t               i;
    torii_str_t          key;
    dnssync_registry_t   r;

    static const struct {
        const char  *id;
        const char  *prefix;
        const char  *suffix;
        const char  *key;
        int          ok;
    } cases[] = {
        { "me", "", "", "", 1 },
        { "me", "p.", "", TEST_KEY, 1 },
        { "", "", "", "", 0 },
        { "a,b", "", "", "", 0 },
        { "a=b", "", "", "", 0 },
        { "a\nb", "", "", "", 0 },
        { "\xff", "", "", "", 0 },
        { "me", "p.", "-s", "", 0 },
        { "me", "", "", "short", 0 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(&r, 0, sizeof(dnssync_registry_t));

        r.id = torii_str(cases[i].id);
        r.prefix = torii_str(cases[i].prefix);
        r.suffix = torii_str(cases[i].suffix);
        r.key = torii_str(cases[i].key);

        tap_ok((dnssync_registry_check(&r) == NULL) == cases[i].ok,
               "registry %zu", i);
    }

    tap_ok(dnssync_registry_key(a, torii_str(TEST_KEY), &key) == TORII_OK
           && torii_str_eqs(key, TEST_KEY), "a key of 32 bytes");

    tap_ok(dnssync_registry_key(a, torii_str("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI"
                                             "zNDU2Nzg5MDE="), &key)
           == TORII_OK
           && torii_str_eqs(key, TEST_KEY), "a key in base64");

    tap_ok(dnssync_registry_key(a, torii_str("AAAA"), &key) == TORII_ERROR
           && dnssync_registry_key(a, torii_str("?"), &key) == TORII_ERROR,
           "no key");
}


int
main(void)
{
    torii_arena_t  *a;

    a = torii_arena_create(4096);

    test_naming();
    test_read(a);
    test_write(a);
    test_check(a);

    torii_arena_destroy(a);

    return tap_done();
}
